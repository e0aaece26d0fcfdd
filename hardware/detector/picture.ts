import type { Frame as AvFrame, SoftwareScaleContext } from "node-av/lib"
import { Fault } from "../../firmware/errors.ts"
import type { Frame } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import type { Av } from "./av.ts"
import { turnOf, UPRIGHT, upright } from "./upright.ts"

/** Of a frame's longer side, in pixels: what a model of 416 pixels can use, and a little more. */
export const FRAME_SIDE = 640
/** A larger picture is none that a camera takes; to decode it would take gigabytes. */
export const PICTURE_PIXELS_MAX = 100_000_000

/** Makes frames of decoded pictures: scaled down, upright, 4:2:0, BT.601 in limited range. Close it. */
export class FrameMaker {
  readonly #av: Av
  readonly #scaler: SoftwareScaleContext

  constructor(av: Av) {
    this.#av = av
    this.#scaler = new av.SoftwareScaleContext()
    this.#scaler.allocContext()
  }

  /** @throws Fault "malformed", definite: no picture, or one of a size that cannot be. */
  frame(decoded: AvFrame, at: Milliseconds): Frame {
    const av = this.#av
    const { width, height } = decoded
    if (width < 1 || height < 1 || width * height > PICTURE_PIXELS_MAX)
      throw new Fault("malformed", `a picture of ${width} x ${height} pixels`)
    const small = new av.Frame()
    small.alloc()
    try {
      const scale = Math.min(1, FRAME_SIDE / Math.max(width, height))
      small.width = Math.max(1, Math.round(width * scale))
      small.height = Math.max(1, Math.round(height * scale))
      small.format = av.AV_PIX_FMT_YUV420P
      small.colorRange = av.AVCOL_RANGE_MPEG
      small.colorSpace = av.AVCOL_SPC_SMPTE170M
      small.allocBuffer()
      if (this.#scaler.scaleFrameSync(small, decoded) < 0)
        throw new Fault("malformed", "its pixels are of a kind that cannot be scaled")
      const matrix = decoded.getSideData(av.AV_FRAME_DATA_DISPLAYMATRIX)
      return { at, ...upright(planesOf(small), matrix ? turnOf(int32sOf(matrix)) : UPRIGHT) }
    } finally {
      small.free()
    }
  }

  close(): void {
    this.#scaler.freeContext()
  }
}

/** Without what FFmpeg has between rows. */
function planesOf({ width, height, data, linesize }: AvFrame) {
  const plane = (index: number, columns: number, rows: number) => {
    const out = new Uint8Array(columns * rows)
    const bytes = data?.[index] ?? Buffer.alloc(0)
    const stride = linesize[index] ?? columns
    for (let row = 0; row < rows; row++)
      out.set(bytes.subarray(row * stride, row * stride + columns), row * columns)
    return out
  }
  const [halfWidth, halfHeight] = [(width + 1) >> 1, (height + 1) >> 1]
  const chroma = { blue: plane(1, halfWidth, halfHeight), red: plane(2, halfWidth, halfHeight) }
  return { width, height, luma: plane(0, width, height), chroma }
}

function int32sOf(bytes: Uint8Array): Int32Array {
  return new Int32Array(Uint8Array.from(bytes).buffer, 0, bytes.length >> 2)
}
