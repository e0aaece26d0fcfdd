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
  return aligned([["row", "median", "against", "ratio", "reach", "samples", ""], ...cells])
}

/** Columns as wide as their widest cell. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n")
}
