import type { Frame } from "../ports.ts"
import { type Polygon, touches } from "./polygon.ts"

const BLACK = 16
const GREY = 128

/** Which pixels are masked, for a size of frames; made once, for all frames have the same. */
interface Stencil {
  readonly width: number
  readonly height: number
  /** 1: masked. */
  readonly luma: Uint8Array
  readonly chroma: Uint8Array
}

/** Paints black what lies under a mask, be it but in part. What it gives shares no masked byte with what it was given. */
export class Masks {
  readonly #polygons: readonly Polygon[]
  #stencil: Stencil | null = null

  constructor(polygons: readonly Polygon[]) {
    this.#polygons = polygons
  }

  /** The frame itself where there is nothing to mask. */
  apply(frame: Frame): Frame {
    if (this.#polygons.length === 0) return frame
    const stencil = this.#stencilFor(frame)
    const luma = painted(frame.luma, stencil.luma, BLACK)
    if (!frame.chroma) return { ...frame, luma }
    const { blue, red } = frame.chroma
    const chroma = { blue: painted(blue, stencil.chroma, GREY), red: painted(red, stencil.chroma, GREY) }
    return { ...frame, luma, chroma }
  }

  #stencilFor({ width, height }: Frame): Stencil {
    if (this.#stencil?.width === width && this.#stencil.height === height) return this.#stencil
    const chromaWidth = Math.ceil(width / 2)
    this.#stencil = {
      ...{ width, height, luma: this.#drawn(width, height, 1 / width, 1 / height) },
      // A chroma sample is two pixels wide and high, even where the picture ends in its middle.
      chroma: this.#drawn(chromaWidth, Math.ceil(height / 2), 2 / width, 2 / height),
    }
    return this.#stencil
  }

  #drawn(columns: number, rows: number, width: number, height: number): Uint8Array {
    const masked = new Uint8Array(columns * rows)
    for (const polygon of this.#polygons)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++) {
          const [left, top] = [column * width, row * height]
          if (touches(polygon, { left, top, right: left + width, bottom: top + height }))
            masked[row * columns + column] = 1
        }
    return masked
  }
}

function painted(samples: Uint8Array, masked: Uint8Array, paint: number): Uint8Array {
  const copy = samples.slice()
  for (let at = 0; at < copy.length; at++) if (masked[at] === 1) copy[at] = paint
  return copy
}
