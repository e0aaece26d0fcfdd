import type { Grid } from "./grid.ts"

/** What nobody is in: the mean of each cell, learnt slowly, and how restless it is by itself. */

/** Of 8-bit luma: less is a sensor's noise and an encoder's. */
const CHANGE_MIN = 7
/** More than noise, though it may be less than a change: somebody dark before a dark hedge. */
const FAINT = 3.5
/** How far beyond its own restlessness a cell must be. */
const BEYOND = 1.6
/** One frame's share in the mean, once there are enough of them. */
const SLOWLY = 0.06
const MORE_SLOWLY = 0.02
/** A cell that flickers in so many frames is restless. */
const BUSY = 5
const BUSY_MAX = 6
/** A dark coat before a white wall is never a leaf, whatever went on there before. */
const RESTLESS_MAX = 36
/** What is left of a restless cell's mark after one frame. */
const CALMING = 0.94
/** Half the side, in cells, of the square whose light is compared. */
const LIGHT_REACH = 9
/** Added to luma before ratios are formed: in the dark a grain of noise is no doubling of the light. */
const LIGHT_FLOOR = 12
/** Where the light more than doubles or halves, that is the cell's own doing. */
const LIGHT_MAX = Math.log(2.2)

/** Of a whole frame, restless cells and all. */
export interface Differences {
  /** What part of the cells differs from its mean, 0 to 1. */
  readonly share: number
  /** How many cells differ faintly, at least. */
  readonly faint: number
  /** What part of those in the same direction, brighter or darker: 0.5 to 1; 0 where none differs. */
  readonly oneWay: number
}

export class Background {
  readonly columns: number
  readonly rows: number
  readonly #mean: Float32Array
  /** How far each cell was from its mean, at its worst, not long ago. */
  readonly #restless: Float32Array
  /** Of the last frame: how far each cell is from what the light makes of its mean. */
  readonly #apart: Float32Array
  readonly #light: Float32Array
  readonly #latest: Float32Array
  /** How often, of late, each cell was changed and in another way than just before: leaves are, a passer-by is not. */
  readonly #busy: Uint8Array
  #frames = 0

  constructor({ columns, rows, cells }: Grid) {
    this.columns = columns
    this.rows = rows
    this.#mean = cells.slice()
    this.#restless = new Float32Array(cells.length)
    this.#apart = new Float32Array(cells.length)
    this.#light = new Float32Array(cells.length)
    this.#latest = cells.slice()
    this.#busy = new Uint8Array(cells.length)
  }

  /** How many frames the mean is made of. */
  get frames(): number {
    return this.#frames
  }

  fits({ columns, rows }: Grid): boolean {
    return columns === this.columns && rows === this.rows
  }

  /** Begins the mean anew: hours have passed. What is restless stays known. */
  renew(): void {
    this.#frames = 0
  }

  /**
   * Cells that are not what they were, 1 each: beyond noise, beyond what they do by themselves, and beyond what a light
   * that changes does to everything around them.
   */
  changes(grid: Grid, changed: Uint8Array): Differences {
    const { columns, rows } = this
    if (this.#frames === 0) this.#mean.set(grid.cells)
    this.#compareLight(grid)
    let [brighter, darker, faint] = [0, 0, 0]
    for (let at = 0; at < grid.cells.length; at++) {
      const value = grid.cells[at] ?? 0
      const mean = this.#mean[at] ?? 0
      if (value - mean > CHANGE_MIN) brighter++
      else if (mean - value > CHANGE_MIN) darker++
      const lit = (mean + LIGHT_FLOOR) * Math.exp(this.#light[at] ?? 0) - LIGHT_FLOOR
      const apart = Math.min(Math.abs(value - lit), Math.abs(value - mean))
      this.#apart[at] = apart
      if (apart > FAINT) faint++
    }
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column
        const least = Math.max(CHANGE_MIN, BEYOND * this.#restlessAbout(column, row))
        changed[at] = (this.#apart[at] ?? 0) > least ? 1 : 0
      }
    const differ = brighter + darker
    return {
      share: differ / grid.cells.length,
      faint,
      oneWay: differ === 0 ? 0 : Math.max(brighter, darker) / differ,
    }
  }

  /** How many cells within these edges (fractions of the picture) differ, faintly at least, in the latest frame. */
  differWithin(
    left: number,
    top: number,
    right: number,
    bottom: number,
  ): { readonly differ: number; readonly of: number } {
    const { columns, rows } = this
    const [fromRow, toRow] = [Math.floor(top * rows), Math.min(rows, Math.ceil(bottom * rows))]
    const [fromColumn, toColumn] = [Math.floor(left * columns), Math.min(columns, Math.ceil(right * columns))]
    let differ = 0
    for (let row = fromRow; row < toRow; row++)
      for (let column = fromColumn; column < toColumn; column++)
        if ((this.#apart[row * columns + column] ?? 0) > FAINT) differ++
    return { differ, of: (toRow - fromRow) * (toColumn - fromColumn) }
  }

  /**
   * Learns the frame that `changes` has just seen. Where `except` is 1 somebody may be, and it learns far more slowly: a
   * car that parks is background after a while. What goes on changing in one place is restless.
   */
  learn(grid: Grid, except: Uint8Array | null): void {
    this.#frames++
    const share = Math.max(SLOWLY, 1 / this.#frames)
    for (let at = 0; at < grid.cells.length; at++) {
      const value = grid.cells[at] ?? 0
      const changed = except?.[at] === 1
      const busy = this.#busy[at] ?? 0
      const flickers = changed && Math.abs(value - (this.#latest[at] ?? 0)) > CHANGE_MIN
      this.#busy[at] = flickers ? Math.min(BUSY_MAX, busy + 1) : Math.max(0, busy - 1)
      this.#latest[at] = value
      const mean = this.#mean[at] ?? 0
      this.#mean[at] = mean + (changed ? MORE_SLOWLY : share) * (value - mean)
      const calmed = (this.#restless[at] ?? 0) * CALMING
      const learns = !changed || busy >= BUSY
      this.#restless[at] = learns ? Math.max(calmed, Math.min(RESTLESS_MAX, this.#apart[at] ?? 0)) : calmed
    }
  }

  /** Of the cell and those around it: a twig sways over its neighbours. */
  #restlessAbout(column: number, row: number): number {
    let most = 0
    for (let y = Math.max(0, row - 1); y <= Math.min(this.rows - 1, row + 1); y++)
      for (let x = Math.max(0, column - 1); x <= Math.min(this.columns - 1, column + 1); x++)
        most = Math.max(most, this.#restless[y * this.columns + x] ?? 0)
    return most
  }

  /** How the light about each cell has changed, as a logarithm: a mean over a square by running sums. */
  #compareLight(grid: Grid): void {
    const { columns, rows } = this
    const width = columns + 1
    const sums = new Float64Array(width * (rows + 1))
    for (let row = 0; row < rows; row++) {
      let line = 0
      for (let column = 0; column < columns; column++) {
        const at = row * columns + column
        const ratio = Math.log(((grid.cells[at] ?? 0) + LIGHT_FLOOR) / ((this.#mean[at] ?? 0) + LIGHT_FLOOR))
        line += Math.max(-LIGHT_MAX, Math.min(LIGHT_MAX, ratio))
        sums[(row + 1) * width + column + 1] = (sums[row * width + column + 1] ?? 0) + line
      }
    }
    for (let row = 0; row < rows; row++) {
      const [top, bottom] = [Math.max(0, row - LIGHT_REACH), Math.min(rows, row + LIGHT_REACH + 1)]
      for (let column = 0; column < columns; column++) {
        const [left, right] = [Math.max(0, column - LIGHT_REACH), Math.min(columns, column + LIGHT_REACH + 1)]
        const sum =
          (sums[bottom * width + right] ?? 0) -
          (sums[top * width + right] ?? 0) -
          (sums[bottom * width + left] ?? 0) +
          (sums[top * width + left] ?? 0)
        this.#light[row * columns + column] = sum / ((bottom - top) * (right - left))
      }
    }
  }
}
