import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import type { Seconds } from "../../../firmware/units.ts"
import { number } from "../compare-table.ts"
import type { Report } from "../report.ts"
import type { Series } from "../series.ts"
import { type ChartData, chartData, type DrawnChart } from "./chart-data.ts"
import { chartPlans } from "./chart-plan.ts"
import { faultLane, spansOf } from "./fault-lane.ts"
import { json, text } from "./html.ts"
import { LOOK } from "./look.ts"
import { privacySection } from "./privacy-section.ts"
import { STYLE } from "./style.ts"
import {
  faultsTable,
  invariantsTable,
  latencyTable,
  metricsTable,
  thresholdsTable,
  worstTable,
} from "./tables.ts"
import { headlineOf, verdictOf } from "./verdict.ts"

/**
 * A run as one HTML file that needs nothing else: its charts' code and data are in it, and its policy lets it load
 * nothing and run only that code.
 */
export function reportPage(report: Report, series: Series): string {
  const until = untilOf(report, series)
  const data = chartData(chartPlans(report), series, spansOf(report.faults, until), until)
  const { code, css, license } = plotter()
  const draw = readFileSync(new URL("./draw.js", import.meta.url), "utf8")
  const scripts = [code, draw].map(safeScript)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policyFor(scripts)}">
<meta name="color-scheme" content="light dark">
<title>${text(`${headlineOf(report)[2]} · ${report.scenario} · obscura`)}</title>
<style>${css}${LOOK}${STYLE}</style>
</head>
<body>
<main>
${verdictOf(report)}
${repeatOf(report)}
${chartsOf(data, report)}
<h2>Thresholds</h2>
${thresholdsTable(report)}
<h2>Invariants</h2>
${invariantsTable(report)}
${privacySection(report)}
<h2>Latency</h2>
${latencyTable(report)}
<h2>Cameras that fared worst</h2>
${worstTable(report)}
<p class="quiet">Logs, the first clips opened, the bucket and the owners' keys lie <a href="./">beside this page</a>.</p>
<details><summary>Faults: what struck whom and when</summary>
${faultsTable(report.faults)}</details>
<details><summary>Everything else that was measured</summary>
${metricsTable(report)}</details>
</main>
<script type="application/json" id="data">${json(data)}</script>
<!-- The charts are drawn by uPlot.
${license.replaceAll("--", "- -")}
-->
${scripts.map((script) => `<script>${script}</script>`).join("\n")}
</body>
</html>
`
}

/** Where the axis ends: with what was measured, or else with the last fault. */
function untilOf({ faults }: Report, { at }: Series): Seconds {
  const measured = at.reduce((last, time) => Math.max(last, time), 0)
  if (measured > 0) return measured
  return Math.max(1, ...faults.map((fault) => fault.at + (fault.for ?? 0)))
}

function repeatOf(report: Report): string {
  const { eventLogHash, command } = report
  const words = command.split(" ").map((word) => `<span>${text(word)}</span>`)
  return `<section class="repeat"><span>To repeat it</span>
<code id="repeat">${words.join(" ")}</code><button type="button" id="copy" data-text="${text(command)}">copy</button>
${eventLogHash === null ? "" : `<small class="quiet">event log ${text(eventLogHash)}</small>`}</section>`
}

function chartsOf(data: ChartData, { faults }: Report): string {
  const keys = (["network", "cloud", "camera", "stranger"] as const)
    .filter((tone) => data.faults.some((fault) => fault.tone === tone))
    .map((tone) => `<span class="swatch ${tone}">${tone}</span>`)
  const words =
    data.charts.length === 0
      ? "No charts: nothing was measured."
      : `One point is ${pointOf(data)}. Drag to look closer, double-click to go back.`
  return `<h2>Second by second</h2>
<p class="quiet hint">${words}</p>
<noscript><p>The charts need JavaScript; the tables do not.</p></noscript>
<section class="charts">
${data.charts.map(chartOf).join("\n")}
<div class="dock"><div class="dockhead"><b>Faults</b> ${keys.join(" ")}<span id="now" class="quiet"></span></div>
${faultLane(faults, data.until)}</div>
</section>`
}

function pointOf({ step }: ChartData): string {
  return step === 1 ? "a second" : `the worst of ${step} seconds, of processors their mean`
}

function chartOf({ title, unit, note, lines }: DrawnChart, index: number): string {
  const spoken = lines.map(({ label, values }) => {
    const known = values.filter((value) => value !== null)
    // Spread into Math.min a day is still few enough: `chartData` sees to that.
    return `${label} from ${number(Math.min(...known))} to ${number(Math.max(...known))}`
  })
  const keys = lines.map(
    ({ label, colour }) => `<span class="key" style="--own:var(--${colour})">${label} <i></i></span>`,
  )
  return `<figure data-chart="${index}"><figcaption><b>${title}</b> <span class="quiet">${unit}${note && `, ${note}`}</span>
<span class="keys">${keys.join(" ")}</span></figcaption><div class="plot" role="img" aria-label="${text(`${title}, ${unit}: ${spoken.join("; ")}`)}"></div></figure>`
}

interface Plotter {
  readonly code: string
  readonly css: string
  readonly license: string
}

function plotter(): Plotter {
  const require = createRequire(import.meta.url)
  const code = require.resolve("uplot/dist/uPlot.iife.min.js")
  const read = (...path: string[]) => readFileSync(join(dirname(code), ...path), "utf8")
  return { code: readFileSync(code, "utf8"), css: read("uPlot.min.css"), license: read("..", "LICENSE") }
}

/** Whatever stands in the code, it cannot end its own element. */
function safeScript(code: string): string {
  return code.replaceAll("</script", "<\\/script").replaceAll("<!--", "<\\!--")
}

/** Styles may be inline, for bars have widths; of scripts only those that are ours, by their hashes. */
function policyFor(scripts: readonly string[]): string {
  const hashes = scripts.map((script) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`)
  return `default-src 'none'; style-src 'unsafe-inline'; script-src ${hashes.join(" ")}; base-uri 'none'; form-action 'none'`
}
