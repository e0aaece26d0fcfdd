import type { Shape } from "./shape.ts"

/**
 * A picture in YUV 4:2:0, in floats so that light can be laid over paint before anything is rounded:
 *
 *   luma   width x height          0 black .. 1 white (may go beyond until the sensor clips it)
 *   blue   width/2 x height/2      -0.5 .. 0.5, Cb of BT.709
 *   red    width/2 x height/2      -0.5 .. 0.5, Cr of BT.709
 *   depth  width x height          metres from the camera, for the light
 *
 * Painters draw far things first.
 */
export class Canvas {
  readonly width: number
  readonly height: number
  readonly luma: Float32Array
  readonly blue: Float32Array
  readonly red: Float32Array
  readonly depth: Float32Array

  /** Both sides even. */
  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.luma = new Float32Array(width * height)
    this.blue = new Float32Array((width / 2) * (height / 2))
    this.red = new Float32Array((width / 2) * (height / 2))
    this.depth = new Float32Array(width * height)
  }

  copyFrom(other: Canvas): void {
    this.luma.set(other.luma)
    this.blue.set(other.blue)
    this.red.set(other.red)
    this.depth.set(other.depth)
  }

  /** Every pixel from a function: the ground and the sky. */
  cover(pigmentAt: (x: number, y: number) => Colour, depthAt: (x: number, y: number) => number): void {
    const { width, height } = this
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const colour = pigmentAt(x + 0.5, y + 0.5)
        this.luma[y * width + x] = colour.luma
        this.depth[y * width + x] = depthAt(x + 0.5, y + 0.5)
        if ((x | y) & 1) continue
        this.blue[(y / 2) * (width / 2) + x / 2] = colour.blue
        this.red[(y / 2) * (width / 2) + x / 2] = colour.red
      }
    }
  }

  /** Fills `shape`, its edge `softness` pixels wide. Without `depth` the light treats it as what lies under it. */
  paint(shape: Shape, pigment: Pigment, { alpha = 1, softness = 1, depth }: PaintOptions = {}): void {
    const { width, height, luma } = this
    const { left, top, right, bottom } = shape.bounds
    const xTo = Math.min(width, Math.ceil(right + softness))
    const yTo = Math.min(height, Math.ceil(bottom + softness))
    const xFrom = Math.max(0, Math.floor(left - softness))
    const yFrom = Math.max(0, Math.floor(top - softness))
    for (let y = yFrom; y < yTo; y++) {
      for (let x = xFrom; x < xTo; x++) {
        const cover = 0.5 - shape.distance(x + 0.5, y + 0.5) / softness
        if (cover <= 0) continue
        const colour = typeof pigment === "function" ? pigment(x + 0.5, y + 0.5) : pigment
        const at = y * width + x
        const share = Math.min(1, cover) * alpha
        const under = luma[at] ?? 0
        luma[at] = under + (colour.luma * (shape.shade?.(x + 0.5, y + 0.5) ?? 1) - under) * share
        if (depth !== undefined && share > 0.5) this.depth[at] = depth
      }
    }
    const half = width / 2
    for (let y = yFrom >> 1; y < (yTo + 1) >> 1; y++) {
      for (let x = xFrom >> 1; x < (xTo + 1) >> 1; x++) {
        const cover = 0.5 - shape.distance(2 * x + 1, 2 * y + 1) / (softness + 1)
        if (cover <= 0) continue
        const colour = typeof pigment === "function" ? pigment(2 * x + 1, 2 * y + 1) : pigment
        const share = Math.min(1, cover) * alpha
        const at = y * half + x
        this.blue[at] = (this.blue[at] ?? 0) * (1 - share) + colour.blue * share
        this.red[at] = (this.red[at] ?? 0) * (1 - share) + colour.red * share
      }
    }
  }

  /** Adds light in a round glow: a lamp, an eye that shines back. */
  glow(x: number, y: number, radius: number, strength: number): void {
    const reach = radius * 3
    for (let row = Math.max(0, Math.floor(y - reach)); row < Math.min(this.height, y + reach); row++) {
      for (
        let column = Math.max(0, Math.floor(x - reach));
        column < Math.min(this.width, x + reach);
        column++
      ) {
        const squared = ((column + 0.5 - x) ** 2 + (row + 0.5 - y) ** 2) / (radius * radius)
        const at = row * this.width + column
        this.luma[at] = (this.luma[at] ?? 0) + strength * Math.exp(-squared)
      }
    }
  }
}

export interface PaintOptions {
  readonly alpha?: number
  readonly softness?: number
  readonly depth?: number
}

export interface Colour {
  readonly luma: number
  readonly blue: number
  readonly red: number
}

/** A colour, or one for every place. */
export type Pigment = Colour | ((x: number, y: number) => Colour)

/** `#rrggbb` to BT.709 (ITU-R BT.709-6 §3). */
export function colour(hex: string): Colour {
  const value = Number.parseInt(hex.slice(1), 16)
  const [r, g, b] = [(value >> 16) / 255, ((value >> 8) & 255) / 255, (value & 255) / 255]
  const luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
  return { luma, blue: (b - luma) / 1.8556, red: (r - luma) / 1.5748 }
}

/** Brighter or darker, the hue kept. */
export function scaled(paint: Colour, factor: number): Colour {
  return { luma: paint.luma * factor, blue: paint.blue * factor, red: paint.red * factor }
}

export function blend(from: Colour, to: Colour, share: number): Colour {
  return {
    luma: from.luma + (to.luma - from.luma) * share,
    blue: from.blue + (to.blue - from.blue) * share,
    red: from.red + (to.red - from.red) * share,
  }
}
