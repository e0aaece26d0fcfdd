import type { Frame } from "../ports.ts"

/** A frame's luma as a coarse grid: small enough to be compared for nothing, coarse enough to be without noise. */
export interface Grid {
  readonly columns: number
  readonly rows: number
  /** Mean luma of each cell, row by row. */
  readonly cells: Float32Array
}

/** Cells along the longer side. */
const CELLS_MAX = 64

/** Every cell is the mean of the pixels in it: averaging is what takes the noise out. */
export function gridOf({ width, height, luma }: Frame): Grid {
  const scale = Math.min(1, CELLS_MAX / Math.max(width, height))
  const columns = Math.max(1, Math.round(width * scale))
  const rows = Math.max(1, Math.round(height * scale))
  const cells = new Float32Array(columns * rows)
  if (columns === width && rows === height) cells.set(luma)
  else
    for (let row = 0; row < rows; row++) {
      const [top, bottom] = [share(row, rows, height), share(row + 1, rows, height)]
      for (let column = 0; column < columns; column++) {
        const [left, right] = [share(column, columns, width), share(column + 1, columns, width)]
        cells[row * columns + column] = mean(luma, width, left, top, right, bottom)
      }
    }
  return { columns, rows, cells }
}

function share(cell: number, cells: number, pixels: number): number {
  return Math.floor((cell * pixels) / cells)
}

function mean(
  luma: Uint8Array,
  width: number,
  left: number,
  top: number,
  right: number,
  bottom: number,
): number {
  let sum = 0
  for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += luma[y * width + x] ?? 0
  return sum / ((right - left) * (bottom - top))
}
