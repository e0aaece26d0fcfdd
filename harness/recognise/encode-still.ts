import { Fault } from "../../firmware/errors.ts"
import type { Frame } from "../../firmware/ports.ts"
import { loadAv } from "../../hardware/detector/av.ts"
import type { Still } from "./page/still.ts"

/** Of MJPEG: 2 is the best, 31 the smallest. */
const QUALITY = 5

/** Makes the page's small pictures of the frames that recognition has seen, masks and all. */
export type EncodeStill = (frame: Frame, widthMax: number) => Promise<Still>

/** @throws Fault "unsupported", definite: the package that encodes is not installed. */
export async function stillEncoder(): Promise<EncodeStill> {
  const av = await loadAv()
  const { Encoder } = await import("node-av/api")
  return async (frame, widthMax) => {
    const { width, height, planes } = shrunk(frame, widthMax)
    const picture = av.Frame.fromVideoBuffer(planes, {
      ...{ width, height, format: av.AV_PIX_FMT_YUVJ420P },
      timeBase: { num: 1, den: 1 },
      pts: 0n,
    })
    try {
      const jpeg = await Encoder.encodeOne(av.FF_ENCODER_MJPEG, picture, {
        context: { qMin: QUALITY, qMax: QUALITY },
      })
      return { at: frame.at / 1_000, width, height, jpeg }
    } catch (cause) {
      throw new Fault("broken", `a still of ${width} x ${height} cannot be encoded`, { cause })
    } finally {
      picture.free()
    }
  }
}

interface Shrunk {
  readonly width: number
  readonly height: number
  /** Y, then Cb, then Cr, 4:2:0, full range as JPEG has it. */
  readonly planes: Buffer
}

/** At most `widthMax` wide, each pixel the mean of those that it stands for. */
export function shrunk({ width, height, luma, chroma }: Frame, widthMax: number): Shrunk {
  const scale = Math.min(1, widthMax / width)
  const even = (side: number) => Math.max(2, 2 * Math.round((side * scale) / 2))
  const [columns, rows] = [even(width), even(height)]
  const [half, halfRows] = [columns / 2, rows / 2]
  const planes = Buffer.alloc(columns * rows + 2 * half * halfRows, 128)
  average(luma, width, height, planes.subarray(0, columns * rows), columns, rows, LUMA)
  if (chroma) {
    const [wide, high] = [Math.ceil(width / 2), Math.ceil(height / 2)]
    const blue = planes.subarray(columns * rows, columns * rows + half * halfRows)
    const red = planes.subarray(columns * rows + half * halfRows)
    average(chroma.blue, wide, high, blue, half, halfRows, CHROMA)
    average(chroma.red, wide, high, red, half, halfRows, CHROMA)
  }
  return { width: columns, height: rows, planes }
}

/** From limited to full range. */
const LUMA = rangeTable(16, 219, 0)
const CHROMA = rangeTable(128, 224, 128)

function rangeTable(zero: number, span: number, to: number): Uint8ClampedArray {
  return Uint8ClampedArray.from({ length: 256 }, (_, value) => ((value - zero) * 255) / span + to)
}

function average(
  from: Uint8Array,
  width: number,
  height: number,
  to: Uint8Array,
  columns: number,
  rows: number,
  range: Uint8ClampedArray,
): void {
  for (let row = 0; row < rows; row++) {
    const [top, bottom] = stretch(row, rows, height)
    for (let column = 0; column < columns; column++) {
      const [left, right] = stretch(column, columns, width)
      let sum = 0
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += from[y * width + x] ?? 0
      to[row * columns + column] = range[Math.round(sum / ((right - left) * (bottom - top)))] ?? 0
    }
  }
}

/** The pixels that one of `cells` stands for; at least one, also where there are more cells than pixels. */
function stretch(cell: number, cells: number, pixels: number): readonly [from: number, to: number] {
  const from = Math.min(pixels - 1, Math.floor((cell * pixels) / cells))
  return [from, Math.max(from + 1, Math.floor(((cell + 1) * pixels) / cells))]
}
