import { escaped, priceChart } from "./chart.ts"
import type { PriceReport } from "./report.ts"
import { caveats, footnotes, type PriceTable, priceTables } from "./table.ts"

/** Sentence, chart and tables as one HTML file that loads nothing. */
export function pricePage(report: PriceReport): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>What encryption costs</title>
<style>${STYLE}</style>
<main>
<h1>What encryption costs</h1>
${caveats(report).map(paragraph).join("\n")}
<p class="sentence">${escaped(report.sentence)}</p>
${priceChart(report)}
${priceTables(report).map(tableOf).join("\n")}
${footnotes(report).map(paragraph).join("\n")}
</main>
</html>
`
}

function tableOf({ title, rows, notes }: PriceTable): string {
  const [head = [], ...body] = rows
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${head.map((_, column) => `<${tag}>${escaped(cells[column] ?? "")}</${tag}>`).join("")}</tr>`
  return [
    `<h2>${escaped(title)}</h2>`,
    `<div class="wide"><table><thead>${line(head, "th")}</thead>`,
    `<tbody>${body.map((cells) => line(cells, "td")).join("\n")}</tbody></table></div>`,
    ...notes.map(paragraph),
  ].join("\n")
}

function paragraph(text: string): string {
  return `<p class="note">${escaped(text)}</p>`
}

const STYLE = `
body { margin: 0; background: #fff; color: #1a1a1a; font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
.sentence { font-size: 1.1rem; max-width: 46rem; }
.note { color: #555; margin: .4rem 0; font-size: .87rem; max-width: 52rem; }
.wide { overflow-x: auto; }
svg { max-width: 100%; height: auto; margin-left: -24px; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .87rem; }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th { color: #555; font-weight: 600; }
`
