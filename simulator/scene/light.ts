import type { Canvas } from "./canvas.ts"
import { ramp } from "./noise.ts"
import type { View } from "./view.ts"
import { SKY_DEPTH, STREET_LAMP } from "./yard.ts"

/** What lights the scene and how the camera sees by it. */
export interface Light {
  /** 0 grey .. 1 full colour. */
  readonly saturation: number
  /** Added to Cb and Cr: a warm or a cold night. */
  readonly tint: { readonly blue: number; readonly red: number }
  /** How much brighter green things are than they look by day: foliage throws near infrared back. */
  readonly foliage: number
  /** How dark a shadow on the ground is: 0 none, 1 black. */
  readonly shadow: number
  /** Standard deviation of the sensor's noise, of 1. */
  readonly noise: number
  /** How bright at a place in the world, 1 as painted. `x` and `z` in metres; `corner` 0 in the middle .. 1 in the corners. */
  at(x: number, z: number, corner: number): number
}

export const daylight: Light = {
  saturation: 1,
  tint: { blue: 0, red: 0 },
  foliage: 0,
  shadow: 0.5,
  noise: 0.006,
  at: () => 1,
}

export const overcast: Light = {
  ...daylight,
  saturation: 0.7,
  tint: { blue: 0.008, red: -0.004 },
  shadow: 0.18,
  noise: 0.007,
  at: () => 0.86,
}

/** The camera's own lamps: falls off with the square of the distance and towards the corners; the sky is black. */
export const infrared: Light = {
  saturation: 0,
  tint: { blue: 0, red: 0 },
  foliage: 0.75,
  shadow: 0.12,
  noise: 0.017,
  at(_x, z, corner) {
    if (z >= SKY_DEPTH) return 0.05
    return 0.08 + (1.6 * (1 - 0.62 * corner * corner)) / (0.55 + (z / 6.4) ** 2)
  },
}

/** A street by lamplight; `headlights` is where their beam meets the world, or null. */
export function lamplight(headlights: Beam | null): Light {
  return {
    saturation: 0.55,
    tint: { blue: -0.02, red: 0.012 },
    foliage: 0,
    shadow: 0,
    noise: 0.014,
    at(x, z) {
      if (z >= SKY_DEPTH) return 0.11
      const away = (x - STREET_LAMP.x + 1) ** 2 + ((z - STREET_LAMP.z) * 0.8) ** 2
      const porch = 0.4 / (0.6 + (z / 6) ** 2)
      return 0.1 + porch + 0.95 / (1 + away / 14) + (headlights ? beamAt(headlights, x, z) : 0)
    },
  }
}

/** A car comes round the bend: its beam, `x` metres across at the houses, sweeps over everything. */
export interface Beam {
  readonly x: number
  readonly strength: number
}

function beamAt({ x: middle, strength }: Beam, x: number, z: number): number {
  const across = (x - middle * (0.35 + 0.65 * (z / 25))) / 4.2
  return strength * Math.exp(-across * across) * (0.25 + 0.75 * ramp(5, 12, z))
}

/** Lays the light over a painted canvas. */
export function lightUp(canvas: Canvas, view: View, light: Light): void {
  if (light !== daylight) shine(canvas, view, light)
  tone(canvas, light)
}

function shine({ width, height, luma, blue, red, depth }: Canvas, view: View, light: Light): void {
  const half = width / 2
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      const z = depth[at] ?? SKY_DEPTH
      const corner = Math.hypot(x / width - 0.5, y / height - 0.5) * 1.41
      const bright = light.at(view.worldX(x, z), z, corner)
      const chroma = (y >> 1) * half + (x >> 1)
      const green = -((blue[chroma] ?? 0) + (red[chroma] ?? 0))
      luma[at] = ((luma[at] ?? 0) + light.foliage * Math.max(0, green)) * bright
      // The last of a block's four pixels: what is dark has little colour either.
      if ((x & y & 1) === 0) continue
      blue[chroma] = (blue[chroma] ?? 0) * Math.min(1, bright)
      red[chroma] = (red[chroma] ?? 0) * Math.min(1, bright)
    }
  }
}

function tone({ blue, red }: Canvas, { saturation, tint }: Light): void {
  if (saturation === 1) return
  for (let at = 0; at < blue.length; at++) {
    blue[at] = (blue[at] ?? 0) * saturation + tint.blue
    red[at] = (red[at] ?? 0) * saturation + tint.red
  }
}
