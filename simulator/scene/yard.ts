import { seededRandom } from "../random.ts"
import { blend, type Canvas, type Colour, colour, scaled } from "./canvas.ts"
import { cloudy, mix, ramp, smooth, speckle } from "./noise.ts"
import { box, ellipse, limb, outline, type Point } from "./shape.ts"
import type { View } from "./view.ts"

/**
 * What stands still: sky, a row of houses, a street between two pavements, a lawn with a path to the door. Painted once
 * in daylight colours; the light comes later.
 */

/** How far away things are, in metres. */
const PLACES = {
  pavement: 10.2,
  kerb: 11.6,
  street: 13,
  farKerb: 18.5,
  hedge: 20.5,
  houses: 25,
} as const
/** The depth that stands for the sky. */
export const SKY_DEPTH = 1_000
const FAR = 60

export function paintYard(canvas: Canvas, view: View, seed: number): void {
  canvas.cover(
    (x, y) => {
      const z = view.depthOfRow(y)
      return z > FAR ? sky(x / view.width, y / view.horizon, seed) : ground(view.worldX(x, z), z, seed)
    },
    (_, y) => (view.depthOfRow(y) > FAR ? SKY_DEPTH : view.depthOfRow(y)),
  )
  paintTreeLine(canvas, view, seed)
  paintHouse(canvas, view, -10.5, colour("#b9a68c"), colour("#6d4a3f"), seed + 1)
  paintHouse(canvas, view, 3.6, colour("#9fb0b5"), colour("#4b5058"), seed + 2)
  paintHouse(canvas, view, 17.5, colour("#c8bfae"), colour("#5c4a44"), seed + 3)
  paintHedge(canvas, view, seed)
  paintLamp(canvas, view)
}

/** What is so near that actors pass behind it: the porch's post and a pot. Blurred, as the lens looks past it. */
export function paintPorch(canvas: Canvas, view: View): void {
  const { width, height } = view
  const post = box(width * 0.945, -20, width * 1.1, height + 20)
  const grain = (x: number) => scaled(colour("#e4e0d6"), 0.72 + 0.3 * ramp(0.945, 1, x / width))
  canvas.paint(post, grain, { softness: width / 180, depth: 2.6 })
  canvas.paint(
    box(width * 0.935, height * 0.9, width * 1.1, height + 20),
    (_, y) => scaled(colour("#d6d1c6"), 0.95 - 0.4 * (y / height - 0.9)),
    { softness: width / 200, depth: 2.6 },
  )
  canvas.paint(box(-20, -20, width + 20, height * 0.028), colour("#cfcabf"), {
    softness: width / 110,
    depth: 3,
  })
}

function sky(x: number, y: number, seed: number): Colour {
  const clear = blend(colour("#7fa9d6"), colour("#cfdfec"), Math.min(1, y) ** 0.8)
  const cloud = ramp(0.5, 0.78, cloudy(x * 3.2 + 3, y * 1.9, seed + 11, 5))
  return blend(clear, colour("#f1f3f4"), cloud * 0.9)
}

function ground(x: number, z: number, seed: number): Colour {
  const near = Math.min(1, 9 / z)
  const grain = (smooth(x * 130, z * 55, seed + 5) + smooth(x * 60, z * 24, seed + 6) - 1) * near
  if (z < PLACES.pavement - 0.6) {
    const path = 1.2 + 0.35 * Math.sin(z * 0.42)
    const edge = Math.abs(x - path) + 0.04 * smooth(z * 6, x * 6, seed)
    return edge < 0.72 ? slabs(x - path, z, grain, seed) : grass(x, z, grain, seed)
  }
  if (z < PLACES.kerb - 0.3) return slabs(x, z * 0.6, grain, seed + 7)
  if (z < PLACES.kerb) return scaled(colour("#b4b2aa"), 0.92 + 0.1 * grain)
  if (z < PLACES.farKerb) return tarmac(x, z, grain, seed)
  if (z < PLACES.farKerb + 0.4) return scaled(colour("#a8a69f"), 0.95)
  if (z < PLACES.farKerb + 1.6) return scaled(colour("#a09d95"), 0.95 + 0.1 * grain)
  return grass(x, z, grain, seed + 3)
}

function grass(x: number, z: number, grain: number, seed: number): Colour {
  const patch = cloudy(x * 0.7, z * 0.7, seed + 21)
  const blades = cloudy(x * 9, z * 4.5, seed + 22, 5)
  const worn = ramp(0.62, 0.8, cloudy(x * 0.5 + 9, z * 0.5, seed + 23))
  const base = blend(colour("#44602c"), colour("#81914a"), patch)
  return scaled(blend(base, colour("#99865a"), worn * 0.5), 0.72 + 0.5 * blades + 0.3 * grain)
}

function slabs(x: number, z: number, grain: number, seed: number): Colour {
  const joint = Math.min(Math.abs((x % 0.9) + (x < 0 ? 0.9 : 0) - 0.45), Math.abs((z % 0.8) - 0.4))
  const tone = 0.9 + 0.14 * (speckle(x / 0.9, z / 0.8, seed + 31) - 0.5)
  const stain = 0.16 * (cloudy(x * 1.5, z * 1.5, seed + 32) - 0.5)
  return scaled(colour("#aaa59a"), (joint < 0.02 ? 0.72 : tone) + stain + 0.16 * grain)
}

function tarmac(x: number, z: number, grain: number, seed: number): Colour {
  const middle = (PLACES.kerb + PLACES.farKerb) / 2
  const dash = Math.abs(z - middle) < 0.09 && ((x % 4) + 4) % 4 < 2.2
  if (dash) return colour("#c9c7be")
  const worn = 0.12 * cloudy(x * 0.15, z * 1.6, seed + 41)
  return scaled(colour("#62646a"), 0.86 + worn + 0.22 * grain)
}

function paintTreeLine(canvas: Canvas, view: View, seed: number): void {
  const { width, horizon } = view
  const random = seededRandom(seed, "tree line")
  for (let i = 0; i < 420; i++) {
    const x = random.next() * width
    const crown = 0.62 + 0.3 * smooth((x / width) * 14, 0, seed + 52)
    const centre = { x, y: horizon * (crown + (1.18 - crown) * random.next()) }
    const size = width * mix(0.006, 0.018, random.next())
    const green = blend(colour("#5f7466"), colour("#46603f"), random.next())
    canvas.paint(ellipse(centre, size, size * 0.8), scaled(green, mix(0.75, 1.05, random.next())), {
      softness: width / 320,
      depth: 60,
    })
  }
}

/** A gabled house, its left front corner `x` metres from the middle. */
function paintHouse(canvas: Canvas, view: View, x: number, wall: Colour, roof: Colour, seed: number): void {
  const z = PLACES.houses
  const at = (dx: number, y: number): Point => view.at(x + dx, y, z)
  const rectangle = (left: number, bottom: number, right: number, top: number) =>
    box(at(left, top).x, at(left, top).y, at(right, bottom).x, at(right, bottom).y)
  const plank = view.scaleAt(z) * 0.22
  const siding = (px: number, py: number) =>
    scaled(wall, 0.86 + 0.12 * ((py / plank) % 1) + 0.05 * smooth(px / 9, py / 9, seed))
  canvas.paint(rectangle(0, 0, 11, 3.1), siding, { depth: z })
  canvas.paint(
    outline([at(-0.5, 3), at(1.6, 5.6), at(9.6, 5.6), at(11.5, 3)]),
    (px, py) => scaled(roof, 0.85 + 0.22 * speckle(px / 5, py / 2.5, seed)),
    { depth: z },
  )
  canvas.paint(outline([at(0.4, 3), at(2.7, 5), at(5, 3)]), siding, { depth: z })
  canvas.paint(rectangle(0, 2.95, 11, 3.12), scaled(colour("#e6e3db"), 0.9), { depth: z })
  canvas.paint(rectangle(8.4, 5, 9.1, 6.4), colour("#7a5547"), { depth: z })
  for (const [left, width] of [
    [0.9, 1.1],
    [2.9, 1.1],
    [9, 1.3],
  ] as const) {
    canvas.paint(rectangle(left - 0.1, 1, left + width + 0.1, 2.5), colour("#e9e6df"), { depth: z })
    canvas.paint(
      rectangle(left, 1.1, left + width, 2.4),
      (px, py) => blend(colour("#39434d"), colour("#7e93a6"), smooth(px / 14, py / 10, seed)),
      { depth: z },
    )
    canvas.paint(rectangle(left + width / 2 - 0.03, 1.1, left + width / 2 + 0.03, 2.4), colour("#e9e6df"), {
      depth: z,
    })
  }
  canvas.paint(rectangle(4.6, 0, 5.7, 2.25), colour("#ece9e2"), { depth: z })
  canvas.paint(rectangle(4.7, 0, 5.6, 2.15), colour(seed % 2 ? "#7c2f2b" : "#2f4f5f"), { depth: z })
  canvas.paint(rectangle(6.1, 0, 8.6, 2.2), colour("#d8d5cc"), { depth: z })
  for (let row = 1; row < 4; row++)
    canvas.paint(rectangle(6.1, row * 0.55 - 0.03, 8.6, row * 0.55), colour("#a9a69e"), { depth: z })
}

function paintHedge(canvas: Canvas, view: View, seed: number): void {
  const random = seededRandom(seed, "hedge")
  const z = PLACES.hedge
  for (let i = 0; i < 1_100; i++) {
    const height = random.next()
    const along = mix(-15, 16, random.next())
    if (along > 7.2 && along < 12.8) continue
    const size = view.scaleAt(z) * mix(0.06, 0.14, random.next())
    const leaf = blend(colour("#31491f"), colour("#5b7a38"), height * 0.8 + 0.2 * random.next())
    canvas.paint(ellipse(view.at(along, 0.1 + 0.75 * height, z), size, size * 0.75), leaf, { depth: z })
  }
}

function paintLamp(canvas: Canvas, view: View): void {
  const z = PLACES.farKerb + 0.8
  const scale = view.scaleAt(z)
  const steel = colour("#5a5e61")
  canvas.paint(
    limb(view.at(STREET_LAMP.x, 0, z), scale * 0.09, view.at(STREET_LAMP.x, 4.3, z), scale * 0.055),
    steel,
    { depth: z },
  )
  canvas.paint(
    limb(view.at(STREET_LAMP.x, 4.3, z), scale * 0.05, view.at(STREET_LAMP.x - 0.9, 4.55, z), scale * 0.05),
    steel,
    { depth: z },
  )
  canvas.paint(
    ellipse(view.at(STREET_LAMP.x - 1, STREET_LAMP.y, z), scale * 0.3, scale * 0.1),
    colour("#d7d3c4"),
    { depth: z },
  )
}

/** Where the street lamp hangs, in metres. */
export const STREET_LAMP = { x: -4.2, y: 4.5, z: PLACES.farKerb + 0.8 } as const

export const MAILBOX_DEPTH = 9.4

/** On the near pavement's edge, so cars pass behind it. */
export function paintMailbox(canvas: Canvas, view: View): void {
  const z = MAILBOX_DEPTH
  const scale = view.scaleAt(z)
  const at = (x: number, y: number) => view.at(2.75 + x, y, z)
  canvas.paint(limb(view.at(2.55, 0.02, z), scale * 0.06, at(0.3, 0.02), scale * 0.06), colour("#2d3520"), {
    alpha: 0.45,
    softness: 5,
  })
  canvas.paint(limb(at(0, 0), scale * 0.05, at(0, 0.95), scale * 0.05), colour("#7b6248"), { depth: z })
  canvas.paint(limb(at(-0.2, 1.08), scale * 0.13, at(0.2, 1.08), scale * 0.13), colour("#3c4a57"), {
    depth: z,
  })
  canvas.paint(box(at(-0.33, 1.08).x, at(0, 1.08).y, at(0.33, 1).x, at(0, 0.94).y), colour("#35424e"), {
    depth: z,
  })
  canvas.paint(limb(at(0.12, 1.1), scale * 0.018, at(0.12, 1.3), scale * 0.018), colour("#b3262a"), {
    depth: z,
  })
}
