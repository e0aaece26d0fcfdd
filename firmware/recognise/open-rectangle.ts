import { type Polygon, touches } from "./polygon.ts"

/** Fractions of the picture, from left and top. */
export interface Rectangle {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

const [COLUMNS, ROWS] = [64, 36]

/**
 * The largest rectangle in which nothing is masked, for what knows of no polygons; null: there is none. Without masks it
 * is the whole picture.
 */
export function openRectangle(masks: readonly Polygon[]): Rectangle | null {
  let best: { left: number; top: number; columns: number; rows: number } | null = null
  /** Of each column, how many open cells end in this row. */
  const open = new Array<number>(COLUMNS).fill(0)
  for (let row = 0; row < ROWS; row++) {
    for (let column = 0; column < COLUMNS; column++)
      open[column] = isMasked(masks, column, row) ? 0 : (open[column] ?? 0) + 1
    for (let left = 0; left < COLUMNS; left++) {
      let rows = ROWS
      for (let column = left; column < COLUMNS; column++) {
        rows = Math.min(rows, open[column] ?? 0)
        if (rows === 0) break
        const columns = column - left + 1
        if (best === null || columns * rows > best.columns * best.rows)
          best = { left, top: row - rows + 1, columns, rows }
      }
    }
  }
  if (best === null) return null
  const { left, top, columns, rows } = best
  return { left: left / COLUMNS, top: top / ROWS, width: columns / COLUMNS, height: rows / ROWS }
}

function isMasked(masks: readonly Polygon[], column: number, row: number): boolean {
  const [left, top] = [column / COLUMNS, row / ROWS]
  const cell = { left, top, right: left + 1 / COLUMNS, bottom: top + 1 / ROWS }
  return masks.some((polygon) => touches(polygon, cell))
}
