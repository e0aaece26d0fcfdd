import type { BenchRow } from "./row.ts"

/** Rows for a person: what missed its reach is marked. */
export function tableOf(rows: readonly BenchRow[]): string {
  const cells = rows.map(({ name, value, unit, against, ratio, reach, better, samples, pass }) => [
    name,
    `${value} ${unit}`,
    against ?? "",
    ratio === null ? "" : `${ratio}`,
    `${better === "higher" ? "at least" : "at most"} ${reach}`,
    `${samples}`,
    pass ? "reached" : "MISSED",
  ])
  const all = [["row", "median", "against", "ratio", "reach", "samples", ""], ...cells]
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}
