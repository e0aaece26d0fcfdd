import { number } from "../compare-table.ts"
import { METRICS } from "../metrics.ts"
import type { FaultStruck, Report, WorstCamera } from "../report.ts"
import { targetOf } from "./fault-lane.ts"
import { text } from "./html.ts"
import { cameToOf, isBroken, unitOf } from "./verdict.ts"

/** n: numbers, to the right; long: words that may break. */
type Align = "" | "n" | "long"

interface Table {
  readonly head: readonly (readonly [label: string, align: Align])[]
  /** HTML. */
  readonly rows: readonly { readonly tone: string; readonly cells: readonly string[] }[]
  /** In place of rows where there are none. */
  readonly empty: string
}

export function thresholdsTable({ thresholds }: Report): string {
  const sorted = [...thresholds].sort((a, b) => Number(a.pass) - Number(b.pass))
  return table({
    head: [
      ["", ""],
      ["metric", ""],
      ["threshold", ""],
      ["came to", "n"],
      ["what it is", "long"],
    ],
    rows: sorted.map((each) => ({
      tone: each.pass ? "good" : "bad",
      cells: [
        badge(each.pass),
        code(each.metric),
        code(each.expr),
        text(cameToOf(each)),
        whatOf(each.metric),
      ],
    })),
    empty: "This scenario sets none.",
  })
}

export function invariantsTable({ invariants }: Report): string {
  const sorted = [...invariants].sort((a, b) => Number(isBroken(b)) - Number(isBroken(a)))
  return table({
    head: [
      ["", ""],
      ["must not be", ""],
      ["count", "n"],
      ["limit", "n"],
      ["how it was looked for", "long"],
    ],
    rows: sorted.map((each) => ({
      tone: isBroken(each) ? "bad" : "good",
      cells: [
        badge(!isBroken(each)),
        text(each.name),
        number(each.count),
        number(each.limit),
        text(each.detail),
      ],
    })),
    empty: "None were judged.",
  })
}

/** Every metric that is many times. */
export function latencyTable({ metrics }: Report): string {
  const parts = ["med", "p90", "p95", "p99", "max", "count"]
  const trends = Object.entries(metrics).flatMap(([name, value]) =>
    typeof value === "object" && unitOf(name) === "ms" ? [{ name, value }] : [],
  )
  return table({
    head: [
      ["ms", ""],
      ["median", "n"],
      ["p90", "n"],
      ["p95", "n"],
      ["p99", "n"],
      ["most", "n"],
      ["times", "n"],
      ["", "long"],
    ],
    rows: trends.map(({ name, value }) => ({
      tone: "",
      cells: [code(name), ...parts.map((part) => number(value[part] ?? null)), whatOf(name)],
    })),
    empty: "Nothing was timed.",
  })
}

/** Every metric that is one number, and rates. */
export function metricsTable({ metrics }: Report): string {
  const others = Object.entries(metrics).filter(
    ([name, value]) => typeof value !== "object" || unitOf(name) !== "ms",
  )
  return table({
    head: [
      ["metric", ""],
      ["", "n"],
      ["", ""],
      ["what it is", "long"],
    ],
    rows: others.map(([name, value]) => ({
      tone: "",
      cells: [code(name), ...numbersOf(value, unitOf(name)), whatOf(name)],
    })),
    empty: "No metric fired.",
  })
}

export function worstTable({ worst }: Report): string {
  return table({
    head: [
      ...([
        ["camera", "n"],
        ["at the end", ""],
        ["connects", "n"],
        ["clips", "n"],
        ["lost", "n"],
      ] as const),
      ...([
        ["dropped", "n"],
        ["receipt p95, ms", "n"],
        ["complaints", "long"],
      ] as const),
    ],
    rows: worst.map((camera) => ({ tone: suffered(camera) ? "bad" : "", cells: worstCells(camera) })),
    empty: "There was no camera.",
  })
}

export function faultsTable(faults: readonly FaultStruck[]): string {
  return table({
    head: [
      ["from, s", "n"],
      ["to, s", "n"],
      ["fault", ""],
      ["numbers", ""],
      ["whom", ""],
      ["cameras", "long"],
    ],
    rows: faults.map((fault) => ({
      tone: "",
      cells: [
        ...[number(fault.at), fault.for === null ? "" : number(fault.at + fault.for), code(fault.kind)],
        ...[text(fault.detail), text(targetOf(fault))],
        `<div class="ranges">${fault.target === "cloud" ? "" : text(fault.target)}</div>`,
      ],
    })),
    empty: "No fault struck.",
  })
}

function worstCells({ camera, up, connects, clips, lost, dropped, p95Ms, complaints }: WorstCamera) {
  return [
    `${camera}`,
    up ? "up" : '<b class="bad">down</b>',
    ...[connects, clips, lost, dropped, p95Ms].map(number),
    complaints.length === 0 ? "" : `<ul>${complaints.map((each) => `<li>${text(each)}</li>`).join("")}</ul>`,
  ]
}

function suffered({ up, lost, complaints }: WorstCamera): boolean {
  return !up || lost > 0 || complaints.length > 0
}

/** The number that counts, and the others in words. */
function numbersOf(value: Report["metrics"][string], unit: string): readonly string[] {
  if (typeof value === "number") return [number(value), text(unit)]
  const [first, ...rest] = Object.entries(value)
  const others = rest.map(([part, each]) => `${part} ${number(each)}`).join(", ")
  return [
    first ? number(first[1]) : "",
    text(
      [first?.[0] === "avg" ? `${unit} on average` : unit, others].filter((word) => word !== "").join(": "),
    ),
  ]
}

function whatOf(metric: string): string {
  return text(Object.entries(METRICS).find(([name]) => name === metric)?.[1].what ?? "")
}

export function badge(pass: boolean): string {
  return pass ? '<b class="badge good">held</b>' : '<b class="badge bad">failed</b>'
}

function code(raw: string): string {
  return `<code>${text(raw)}</code>`
}

export function table({ head, rows, empty }: Table): string {
  if (rows.length === 0) return `<p class="quiet">${empty}</p>`
  const cell = (tag: "td" | "th", html: string, align: Align) =>
    `<${tag}${align === "" ? "" : ` class="${align}"`}>${html}</${tag}>`
  const lines = rows.map(({ tone, cells }) => {
    const tds = cells.map((html, at) => cell("td", html, head[at]?.[1] ?? ""))
    return `<tr${tone === "" ? "" : ` class="${tone}"`}>${tds.join("")}</tr>`
  })
  return `<div class="wide"><table><thead><tr>${head.map(([label, align]) => cell("th", label, align)).join("")}</tr></thead>
<tbody>
${lines.join("\n")}
</tbody></table></div>`
}
