import { type Comparison, isNothingCompared, type Row } from "./compare.ts"
import type { Report } from "./report.ts"

export interface Side {
  /** As the person called it. */
  readonly path: string
  readonly report: Report
}

/** Cells on each side of the middle; a full side is 100 %. */
const BAR = 8

/**
 * A comparison for a terminal: what the runs were, a line for each number, and what came of it. Reports come from
 * anywhere, so nothing in them may steer the terminal.
 */
export function comparisonTable(comparison: Comparison, a: Side, b: Side, tolerance: number): string {
  const { metrics, verdicts, warnings } = comparison
  const header = ["", "A", "B", "B against A", `${"less".padStart(BAR)} ${"more".padEnd(BAR)}`, ""]
  return [
    `A  ${titleOf(a)}`,
    `B  ${titleOf(b)}`,
    ...(warnings.length > 0 ? ["", ...warnings.map((warning) => `warning: ${warning}`)] : []),
    "",
    ...aligned([header, ...metrics.map(metricCells)]),
    "",
    ...aligned(verdicts.filter(isWorthALine).map(verdictCells)),
    "",
    conclusionOf(comparison, tolerance),
  ]
    .map((line) => line.replace(/\p{Cc}/gu, ""))
    .join("\n")
}

export function titleOf({ path, report }: Side): string {
  const { scenario, cameras, seed, commit, exitCode } = report
  return `${path}: ${scenario}, ${cameras.asked} cameras, seed ${seed}, commit ${commit}, exit ${exitCode}`
}

export function conclusionOf(comparison: Comparison, tolerance: number): string {
  const { regressions, metrics, verdicts } = comparison
  if (isNothingCompared(comparison))
    return "Nothing could be compared: no metric that can be better or worse is in both runs."
  if (regressions === 0) return `No regression (tolerance ${tolerance} %).`
  const worse = [...metrics, ...verdicts].filter(({ verdict }) => verdict === "worse")
  const names = [...new Set(worse.map(({ name }) => name))].join(", ")
  return `${regressions} ${regressions === 1 ? "regression" : "regressions"} (tolerance ${tolerance} %): ${names}`
}

/** Twenty invariants that held in both runs are no news. */
export function isWorthALine({ name, verdict }: Row): boolean {
  return name === "exit code" || verdict !== "same"
}

export function labelOf({ name, part, unit }: Row): string {
  // What is counted is often in the name already: clips_lost.
  const said = unit !== "" && name.includes(unit)
  return [name, part, said ? "" : unit].filter((word) => word !== "").join(" ")
}

function metricCells(row: Row): readonly string[] {
  const { a, b, verdict } = row
  return [labelOf(row), number(a), number(b), differenceOf(row), bar(row), verdict]
}

function verdictCells(row: Row): readonly string[] {
  return [row.name, number(row.a), number(row.b), "", "", row.verdict]
}

export function differenceOf({ a, b, percent }: Row): string {
  if (a === null || b === null) return ""
  if (percent === null) return "from none"
  return `${percent > 0 ? "+" : ""}${percent.toFixed(1)} %`
}

/** Four digits say enough of anything measured; counts are shown whole. */
export function number(value: number | null): string {
  if (value === null) return "-"
  if (Number.isInteger(value)) return value.toLocaleString("en-US")
  return Number(value.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 6 })
}

/** -100 % to +100 % as blocks left and right of the middle. */
function bar({ a, b, percent }: Row): string {
  if (a === null || b === null) return ""
  const share = Math.min(1, Math.abs(percent ?? 100) / 100)
  const blocks = "█".repeat(Math.ceil(share * BAR))
  return (percent ?? 1) < 0
    ? `${blocks.padStart(BAR)}│${" ".repeat(BAR)}`
    : `${" ".repeat(BAR)}│${blocks.padEnd(BAR)}`
}

/** The first column and the last two are words; the others end at the same place. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const columns = Math.max(0, ...rows.map((cells) => cells.length))
  const widths = Array.from({ length: columns }, (_, at) =>
    Math.max(...rows.map((cells) => (cells[at] ?? "").length)),
  )
  return rows.map((cells) =>
    cells
      .map((cell, at) =>
        at === 0 || at >= 4 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  )
}
