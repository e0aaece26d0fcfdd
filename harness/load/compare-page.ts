import { type Comparison, isNothingCompared, type Row } from "./compare.ts"
import { overlaidChart } from "./compare-chart.ts"
import {
  conclusionOf,
  differenceOf,
  isWorthALine,
  labelOf,
  number,
  type Side,
  titleOf,
} from "./compare-table.ts"
import { text } from "./page/html.ts"
import { LOOK } from "./page/look.ts"
import { SERIES, type Series, type SeriesName } from "./series.ts"

/** Two charts, of the first of these that both runs measured, each in its unit. */
const CHARTED: readonly (readonly [name: SeriesName, unit: string])[] = [
  ["receiptP95Ms", "ms"],
  ["megabytesPerSecond", "MB/s"],
  ["camerasUp", "cameras"],
  ["clipsPerSecond", "clips/s"],
  ["lagMs", "ms"],
  ["memoryCamerasMiB", "MiB"],
]
const CHARTS = 2

export interface SeriesPair {
  readonly a: Series
  readonly b: Series
}

/** One file that needs nothing else: no script, no font, no address. */
export function comparisonPage(
  comparison: Comparison,
  a: Side,
  b: Side,
  tolerance: number,
  series: SeriesPair | null,
): string {
  const { metrics, verdicts, warnings, regressions } = comparison
  const tone = regressions > 0 ? "bad" : isNothingCompared(comparison) ? "none" : "good"
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>obscura compare</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>B against A</h1>
<p class="conclusion ${tone}">${text(conclusionOf(comparison, tolerance))}</p>
<dl>
<dt class="a">A</dt><dd>${text(titleOf(a))}</dd>
<dt class="b">B</dt><dd>${text(titleOf(b))}</dd>
</dl>
${warnings.length === 0 ? "" : `<ul class="warnings">${warnings.map((each) => `<li>${text(each)}</li>`).join("")}</ul>`}
${chartsOf(series)}
<h2>Metrics</h2>
<div class="wide"><table>
<thead><tr><th>metric</th><th class="n">A</th><th class="n">B</th><th class="n">difference</th><th>less · more</th><th></th></tr></thead>
<tbody>
${metrics.map(metricRow).join("\n")}
</tbody></table></div>
<h2>Verdicts</h2>
<div class="wide"><table>
<thead><tr><th></th><th class="n">A</th><th class="n">B</th><th></th></tr></thead>
<tbody>
${verdicts.filter(isWorthALine).map(verdictRow).join("\n")}
</tbody></table></div>
</main>
</body>
</html>
`
}

function chartsOf(series: SeriesPair | null): string {
  if (series === null) return '<p class="quiet">No charts: not both runs have a series.json.</p>'
  const { a, b } = series
  const measured = (column: readonly (number | null)[] | undefined) =>
    column?.some((value) => value !== null) === true
  const common = CHARTED.filter(([name]) => measured(a.columns[name]) && measured(b.columns[name]))
  const shown = common.slice(0, CHARTS)
  if (shown.length === 0) return '<p class="quiet">No charts: the two runs measured nothing in common.</p>'
  const charts = shown.map(([name, unit]) =>
    overlaidChart(
      text(`${SERIES[name]} (${unit})`),
      { at: a.at, values: a.columns[name] ?? [] },
      { at: b.at, values: b.columns[name] ?? [] },
    ),
  )
  return `<div class="charts">${charts.join("\n")}</div>`
}

function metricRow(row: Row): string {
  const { a, b, percent, verdict } = row
  const share = a === null || b === null ? 0 : Math.min(1, Math.abs(percent ?? 100) / 100)
  const width = (share * 50).toFixed(1)
  const left = (percent ?? 1) < 0 ? (50 - share * 50).toFixed(1) : "50"
  const bar = `<div class="bar"><i style="left:${left}%;width:${width}%"></i></div>`
  const cells = [number(a), number(b), differenceOf(row)].map((cell) => `<td class="n">${text(cell)}</td>`)
  return `<tr class="${classOf(row)}"><td>${text(labelOf(row))}</td>${cells.join("")}<td>${bar}</td><td>${verdict}</td></tr>`
}

function verdictRow(row: Row): string {
  const cells = [row.a, row.b].map((value) => `<td class="n">${text(number(value))}</td>`)
  return `<tr class="${classOf(row)}"><td>${text(row.name)}</td>${cells.join("")}<td>${row.verdict}</td></tr>`
}

function classOf({ verdict }: Row): string {
  return verdict === "worse" ? "bad" : verdict === "better" ? "good" : "even"
}

const STYLE = `${LOOK}
td{vertical-align:middle}
.conclusion{font-weight:600;overflow-wrap:anywhere}
.good>td:last-child,.conclusion.good{color:var(--good)}
.bad>td:last-child,.conclusion.bad{color:var(--bad)}
.conclusion.none{color:var(--warn)}
.bad>td:last-child{font-weight:600}
dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .75rem}
dt{font-weight:700}dt.a{color:var(--a)}dt.b{color:var(--b)}
dd{margin:0;overflow-wrap:anywhere}
.warnings{border-left:3px solid var(--warn);padding:.25rem 0 .25rem 1.5rem;margin:1rem 0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(20rem,1fr));gap:1.5rem;margin-top:1.5rem}
svg{width:100%;height:auto;display:block}
svg text{font:11px system-ui,sans-serif;fill:var(--quiet)}
.grid{stroke:var(--line);stroke-width:1}
.line{fill:none;stroke-width:1.75;stroke-linejoin:round;stroke-linecap:round}
.line.a{stroke:var(--a);stroke-dasharray:5 3}.line.b{stroke:var(--b)}
.dot.a{fill:var(--a)}.dot.b{fill:var(--b)}
.key{float:right;font-weight:400;color:var(--quiet)}
.key b.a{color:var(--a)}.key b.b{color:var(--b)}
.bar{position:relative;width:8rem;height:.8rem;background:linear-gradient(90deg,transparent calc(50% - .5px),var(--line) 0,var(--line) calc(50% + .5px),transparent 0)}
.bar i{position:absolute;top:0;bottom:0;background:var(--a)}
.good .bar i{background:var(--good)}.bad .bar i{background:var(--bad)}
`
