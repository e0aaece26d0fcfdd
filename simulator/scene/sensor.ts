import { seededRandom } from "../random.ts"
import type { Canvas } from "./canvas.ts"
import { hash } from "./noise.ts"

/**
 * Light to bytes: the lens's dark corners, the sensor's noise, then 8 bits in the limited range of BT.709
 * (ITU-R BT.709-6 §4.6), planar YUV 4:2:0 (I420):
 *
 *   Y: width x height · Cb: width/2 x height/2 · Cr: width/2 x height/2
 */
export function expose(canvas: Canvas, { noise, seed, frame }: Exposure): Uint8Array {
  const { width, height, luma, blue, red } = canvas
  const pixels = width * height
  const bytes = new Uint8Array((pixels * 3) / 2)
  for (let y = 0; y < height; y++) {
    let grain = hash(y, frame, seed)
    for (let x = 0; x < width; x++) {
      const off = (x / width - 0.5) ** 2 + (y / height - 0.5) ** 2
      const value = clip((luma[y * width + x] ?? 0) * (1.03 - 0.42 * off))
      grain = (grain + 1) & (GRAINS - 1)
      // Shot noise: darker places are noisier once the gain is up, bright ones hardly.
      const noisy = value + (NORMAL[grain] ?? 0) * noise * (1 - 0.6 * value)
      bytes[y * width + x] = round(16 + 219 * noisy)
    }
  }
  for (let at = 0; at < pixels / 4; at++) {
    bytes[pixels + at] = round(128 + 224 * (blue[at] ?? 0))
    bytes[(pixels * 5) / 4 + at] = round(128 + 224 * (red[at] ?? 0))
  }
  return bytes
}

export interface Exposure {
  /** Standard deviation, of full brightness. */
  readonly noise: number
  readonly seed: number
  readonly frame: number
}

/** A soft shoulder: lamps and near walls run out of range gently. */
function clip(value: number): number {
  if (value <= 0.8) return Math.max(0, value)
  return 0.8 + 0.2 * (1 - Math.exp((0.8 - value) / 0.2))
}

function round(value: number): number {
  return Math.min(240, Math.max(16, Math.round(value)))
}

/** A ring of normally distributed numbers (the sum of twelve uniform ones), entered elsewhere for every row and frame. */
const GRAINS = 1 << 16
const NORMAL = (() => {
  const random = seededRandom(0, "grain")
  return Float32Array.from({ length: GRAINS }, () => {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += random.next()
    return sum
  })
})()
