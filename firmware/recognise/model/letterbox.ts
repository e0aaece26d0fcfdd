import type { Frame } from "../../ports.ts"

/** How a family of models wants its pictures: planes of blue, green and red, one after another, (value - mean) / deviation. */
export interface Preparation {
  /** Where a picture of another shape lies in the model's square. */
  readonly place: "top left" | "middle"
  /** What is around it: 0 to 255, before mean and deviation. */
  readonly padding: number
  /** Of blue, green, red. */
  readonly mean: readonly [number, number, number]
  readonly deviation: readonly [number, number, number]
}

/** Where the picture lies in the model's input, in the input's pixels. */
export interface Fit {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export interface InputSize {
  readonly width: number
  readonly height: number
}

/** As large as it can be without being cut or stretched. */
export function fitOf(frame: InputSize, input: InputSize, place: Preparation["place"]): Fit {
  const scale = Math.min(input.width / frame.width, input.height / frame.height)
  const width = Math.max(1, Math.round(frame.width * scale))
  const height = Math.max(1, Math.round(frame.height * scale))
  if (place === "top left") return { left: 0, top: 0, width, height }
  return { left: (input.width - width) >> 1, top: (input.height - height) >> 1, width, height }
}

/**
 * Draws `frame` into `tensor`, 3 x height x width of `input`: scaled (bilinear), from limited-range YCbCr (BT.601) to blue,
 * green, red. A frame without chroma becomes grey. Returns where it lies.
 */
export function letterbox(
  frame: Frame,
  input: InputSize,
  { place, padding, mean, deviation }: Preparation,
  tensor: Float32Array,
): Fit {
  const area = input.width * input.height
  const fit = fitOf(frame, input, place)
  for (let plane = 0; plane < 3; plane++)
    tensor.fill((padding - (mean[plane] ?? 0)) / (deviation[plane] ?? 1), plane * area, (plane + 1) * area)
  const luma = new Sampler(frame.luma, frame.width, frame.height, fit)
  const halfWidth = (frame.width + 1) >> 1
  const halfHeight = (frame.height + 1) >> 1
  const blue = frame.chroma && new Sampler(frame.chroma.blue, halfWidth, halfHeight, fit)
  const red = frame.chroma && new Sampler(frame.chroma.red, halfWidth, halfHeight, fit)
  const [meanB, meanG, meanR] = mean
  const [deviationB, deviationG, deviationR] = deviation
  for (let y = 0; y < fit.height; y++) {
    luma.row(y)
    blue?.row(y)
    red?.row(y)
    const from = (fit.top + y) * input.width + fit.left
    for (let x = 0; x < fit.width; x++) {
      const grey = 1.164 * (luma.at(x) - 16)
      const cb = blue ? blue.at(x) - 128 : 0
      const cr = red ? red.at(x) - 128 : 0
      tensor[from + x] = (byte(grey + 2.017 * cb) - meanB) / deviationB
      tensor[from + x + area] = (byte(grey - 0.392 * cb - 0.813 * cr) - meanG) / deviationG
      tensor[from + x + 2 * area] = (byte(grey + 1.596 * cr) - meanR) / deviationR
    }
  }
  return fit
}

function byte(value: number): number {
  return Math.min(255, Math.max(0, value))
}

/** One plane, read at the pixels of another size. */
class Sampler {
  readonly #plane: Uint8Array
  readonly #width: number
  readonly #height: number
  readonly #rows: number
  /** Of each column: the pixel to its left, and how far beyond it. */
  readonly #columns: Int32Array
  readonly #beyond: Float32Array
  /** The row, scaled down the columns alone. */
  readonly #line: Float32Array

  constructor(plane: Uint8Array, width: number, height: number, to: InputSize) {
    this.#plane = plane
    this.#width = width
    this.#height = height
    this.#rows = to.height
    this.#columns = new Int32Array(to.width)
    this.#beyond = new Float32Array(to.width)
    this.#line = new Float32Array(width + 1)
    for (let x = 0; x < to.width; x++) {
      const source = centre(x, width, to.width)
      this.#columns[x] = Math.floor(source)
      this.#beyond[x] = source - Math.floor(source)
    }
  }

  row(y: number): void {
    const source = centre(y, this.#height, this.#rows)
    const upper = Math.floor(source)
    const share = source - upper
    const width = this.#width
    const above = upper * width
    const below = Math.min(this.#height - 1, upper + 1) * width
    for (let x = 0; x < width; x++) {
      const a = this.#plane[above + x] ?? 0
      this.#line[x] = a + share * ((this.#plane[below + x] ?? 0) - a)
    }
    // So that the last pixel has one to its right.
    this.#line[width] = this.#line[width - 1] ?? 0
  }

  at(x: number): number {
    const column = this.#columns[x] ?? 0
    const left = this.#line[column] ?? 0
    return left + (this.#beyond[x] ?? 0) * ((this.#line[column + 1] ?? 0) - left)
  }
}

/** The middle of pixel `x` of `to` lies there among the pixels of `from`. */
function centre(x: number, from: number, to: number): number {
  return Math.min(from - 1, Math.max(0, ((x + 0.5) * from) / to - 0.5))
}
