import type { Grid } from "./grid.ts"

/** Cells that changed together. Edges as fractions of the picture, in [0, 1]. */
export interface Region {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  /** How many cells changed in it. */
  readonly cells: number
}

/**
 * Changed cells (1 each) as regions, largest first: cells belong together that touch, or have but one cell between them,
 * for a body's middle may look like what is behind it. Fewer than `cellsMin` are drops, insects and noise.
 */
export function regionsOf(
  changed: Uint8Array,
  { columns, rows }: Pick<Grid, "columns" | "rows">,
  cellsMin: number,
): readonly Region[] {
  const seen = new Uint8Array(changed.length)
  const regions: Region[] = []
  for (let start = 0; start < changed.length; start++) {
    if (changed[start] !== 1 || seen[start] === 1) continue
    seen[start] = 1
    const waiting = [start]
    let [left, top, right, bottom, cells] = [columns, rows, 0, 0, 0]
    for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
      const column = at % columns
      const row = (at - column) / columns
      cells++
      left = Math.min(left, column)
      right = Math.max(right, column + 1)
      top = Math.min(top, row)
      bottom = Math.max(bottom, row + 1)
      for (let y = Math.max(0, row - REACH); y <= Math.min(rows - 1, row + REACH); y++)
        for (let x = Math.max(0, column - REACH); x <= Math.min(columns - 1, column + REACH); x++) {
          const next = y * columns + x
          if (changed[next] !== 1 || seen[next] === 1) continue
          seen[next] = 1
          waiting.push(next)
        }
    }
    if (cells >= cellsMin)
      regions.push({
        left: left / columns,
        top: top / rows,
        right: right / columns,
        bottom: bottom / rows,
        cells,
      })
  }
  return regions.sort((a, b) => b.cells - a.cells)
}

const REACH = 2
