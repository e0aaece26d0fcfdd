import { seededRandom } from "../random.ts"
import { blend, type Canvas, type Colour, colour, scaled } from "./canvas.ts"
import { mix } from "./noise.ts"
import { ellipse, limb, type Point } from "./shape.ts"
import type { View } from "./view.ts"

/** A young maple on the lawn, to the left. It sways about its foot, its twigs about their branches. */
export class Tree {
  readonly depth = 6.8
  readonly #x = -3.35
  readonly #view: View
  readonly #leaves: readonly Leaf[]

  constructor(view: View, seed: number) {
    this.#view = view
    const random = seededRandom(seed, "leaves")
    this.#leaves = Array.from({ length: 1_500 }, () => leafIn(random.next.bind(random)))
      // From behind to the front, so that lit leaves lie over dark ones.
      .sort((a, b) => a.front - b.front)
  }

  /**
   * `wind` 0 still, 1 a gale; `turn` the fraction of the loop gone by, in [0, 1): every movement is a whole number of
   * swings a loop, so that the last frame meets the first.
   */
  draw(canvas: Canvas, wind: number, turn: number, shadow: number): void {
    if (shadow > 0) this.#drawShadow(canvas, wind, turn, shadow)
    const scale = this.#view.scaleAt(this.depth)
    const bark = colour("#5d4b3c")
    const crown = this.#bend({ x: 0, y: 2.1 }, wind, turn)
    canvas.paint(
      limb(this.#place({ x: 0, y: -0.05 }), scale * 0.13, this.#place(crown), scale * 0.085),
      bark,
      {
        depth: this.depth,
      },
    )
    for (const [x, y] of BRANCHES) {
      const tip = this.#bend({ x, y }, wind, turn)
      canvas.paint(limb(this.#place(crown), scale * 0.06, this.#place(tip), scale * 0.022), bark, {
        depth: this.depth,
      })
    }
    for (const [x, y] of BRANCHES) {
      const inner = this.#place(this.#bend({ x: x * 0.9, y: y + 0.12 }, wind, turn))
      canvas.paint(ellipse(inner, scale * 0.62, scale * 0.5), INSIDE, {
        softness: scale * 0.2,
        depth: this.depth,
      })
    }
    for (const leaf of this.#leaves) {
      const flutter = wind * 0.05 * Math.sin(2 * Math.PI * (leaf.swings * turn) + leaf.phase)
      const at = this.#bend({ x: leaf.x + flutter, y: leaf.y + flutter * 0.6 }, wind, turn)
      canvas.paint(
        ellipse(this.#place(at), scale * leaf.size, scale * leaf.size * 0.55, leaf.phase + flutter * 9),
        leaf.paint,
        { depth: this.depth },
      )
    }
  }

  #drawShadow(canvas: Canvas, wind: number, turn: number, shadow: number): void {
    for (let patch = 0; patch < 16; patch++) {
      const angle = patch * 2.4
      const reach = 0.85 * Math.sqrt(patch / 16)
      const sway = this.#bend({ x: 0, y: 3 }, wind, turn).x
      const centre = this.#view.at(
        this.#x - 1.5 + sway + reach * 1.5 * Math.cos(angle),
        0,
        this.depth + 0.75 + reach * Math.sin(angle),
      )
      const scale = this.#view.scaleAt(this.depth)
      canvas.paint(ellipse(centre, scale * 0.42, scale * 0.12), colour("#141c0e"), {
        alpha: shadow * 0.45,
        softness: 12,
      })
    }
  }

  #bend({ x, y }: Point, wind: number, turn: number): Point {
    const reach = (y / 3) ** 2 * wind
    const gust = 0.6 + 0.4 * Math.sin(2 * Math.PI * 2 * turn)
    const sway =
      gust * (0.16 * Math.sin(2 * Math.PI * 7 * turn) + 0.06 * Math.sin(2 * Math.PI * 13 * turn + x * 2))
    return {
      x: x + reach * (0.1 + sway),
      y: y - reach * sway * sway + reach * 0.03 * Math.sin(2 * Math.PI * 9 * turn + x * 4),
    }
  }

  #place({ x, y }: Point): Point {
    return this.#view.at(this.#x + x, y, this.depth)
  }
}

interface Leaf {
  readonly x: number
  readonly y: number
  readonly size: number
  readonly front: number
  readonly phase: number
  readonly swings: number
  readonly paint: Colour
}

const BRANCHES = [
  [-0.9, 2.75],
  [-0.45, 3.3],
  [0.15, 3.5],
  [0.7, 3.1],
  [1, 2.6],
] as const

/** What one sees between the leaves. */
const INSIDE = colour("#223719")

/** Leaves gather in clumps about the branches' tips, brighter towards the sun. */
function leafIn(next: () => number): Leaf {
  const [clumpX, clumpY] = BRANCHES[Math.floor(next() * BRANCHES.length)] ?? [0, 3]
  const angle = 2 * Math.PI * next()
  const reach = 0.78 * Math.sqrt(next())
  const x = clumpX * 0.9 + reach * Math.cos(angle)
  const y = clumpY + 0.15 + reach * 0.8 * Math.sin(angle)
  const front = next()
  const sunny = 0.5 + 0.35 * Math.sin(angle + 0.6) * (reach / 0.78) + 0.15 * (next() - 0.5)
  const green = blend(colour("#2c4a22"), colour("#7d9c46"), sunny)
  return {
    x,
    y,
    size: mix(0.045, 0.085, next()),
    front,
    phase: 2 * Math.PI * next(),
    swings: 14 + Math.floor(next() * 16),
    paint: scaled(green, mix(0.55, 1.05, front)),
  }
}
