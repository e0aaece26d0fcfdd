import type { Canvas, Colour, Pigment } from "./canvas.ts"
import { type Bounds, boundsOf, ellipse, limb, outline, type Point, type Shape, union } from "./shape.ts"
import type { View } from "./view.ts"

/**
 * Something that stands on the ground, built of parts in its own metres: x the way it faces, y up from the ground,
 * origin under its middle. `facing` is 1 when it looks to the right of the picture, -1 to the left.
 */
export class Figure {
  readonly depth: number
  readonly #view: View
  readonly #x: number
  readonly #facing: number
  readonly #parts: { shape: Shape; pigment: Pigment }[] = []
  readonly #shadow: Shape[] = []
  readonly #glows: (Point & { radius: number; strength: number })[] = []

  constructor(view: View, { x, z, facing = 1 }: { x: number; z: number; facing?: number }) {
    this.#view = view
    this.#x = x
    this.depth = z
    this.#facing = facing
  }

  limb(from: Point, fromRadius: number, to: Point, toRadius: number, pigment: Pigment): void {
    const scale = this.#view.scaleAt(this.depth)
    this.#parts.push({
      shape: limb(this.place(from), fromRadius * scale, this.place(to), toRadius * scale),
      pigment,
    })
    this.#shadow.push(
      limb(this.#cast(from), fromRadius * scale * 0.6, this.#cast(to), toRadius * scale * 0.6),
    )
  }

  ball(centre: Point, radiusX: number, radiusY: number, angle: number, pigment: Pigment): void {
    const scale = this.#view.scaleAt(this.depth)
    const turn = -angle * this.#facing
    this.#parts.push({
      shape: ellipse(this.place(centre), radiusX * scale, radiusY * scale, turn),
      pigment,
    })
    this.#shadow.push(ellipse(this.#cast(centre), radiusX * scale, radiusY * scale * 0.5))
  }

  /** A flat panel; `shade` by height above the ground, in metres. */
  panel(points: readonly Point[], pigment: Pigment, shade?: (height: number) => number): void {
    const scale = this.#view.scaleAt(this.depth)
    const ground = this.place({ x: 0, y: 0 }).y
    const shaded = shade && ((_: number, y: number) => shade((ground - y) / scale))
    this.#parts.push({
      shape: outline(
        points.map((point) => this.place(point)),
        shaded,
      ),
      pigment,
    })
  }

  /** A dark patch on the ground that the parts do not make themselves. */
  shade(from: Point, to: Point, radius: number): void {
    this.#shadow.push(
      limb(
        this.#cast(from),
        radius * this.#view.scaleAt(this.depth),
        this.#cast(to),
        radius * this.#view.scaleAt(this.depth),
      ),
    )
  }

  glow(at: Point, radius: number, strength: number): void {
    this.#glows.push({ ...this.place(at), radius: radius * this.#view.scaleAt(this.depth), strength })
  }

  drawShadow(canvas: Canvas, darkness: number): void {
    if (darkness > 0 && this.#shadow.length > 0)
      canvas.paint(union(this.#shadow), SHADOW, { alpha: darkness, softness: 4 })
  }

  draw(canvas: Canvas): void {
    for (const { shape, pigment } of this.#parts) canvas.paint(shape, pigment, { depth: this.depth })
  }

  /** After the light, for what shines by itself. */
  drawGlows(canvas: Canvas): void {
    for (const { x, y, radius, strength } of this.#glows) canvas.glow(x, y, radius, strength)
  }

  /** What of it the picture shows, in fractions of the picture; null when less than a third of it. */
  visibleBox(): Bounds | null {
    const { width, height } = this.#view
    const whole = boundsOf(
      this.#parts.flatMap(({ shape: { bounds: b } }) => [
        { x: b.left, y: b.top },
        { x: b.right, y: b.bottom },
      ]),
    )
    const box = {
      left: Math.max(0, whole.left / width),
      top: Math.max(0, whole.top / height),
      right: Math.min(1, whole.right / width),
      bottom: Math.min(1, whole.bottom / height),
    }
    const share =
      (Math.max(0, box.right - box.left) * width * Math.max(0, box.bottom - box.top) * height) /
      ((whole.right - whole.left) * (whole.bottom - whole.top))
    return share >= 1 / 3 ? box : null
  }

  place({ x, y }: Point): Point {
    return this.#view.at(this.#x + x * this.#facing, y, this.depth)
  }

  /** Where the sun, high behind the right shoulder of the camera, throws it on the ground. */
  #cast({ x, y }: Point): Point {
    return this.#view.at(this.#x + x * this.#facing - y * 0.55, 0, this.depth + y * 0.3)
  }
}

const SHADOW: Colour = { luma: 0.1, blue: 0.01, red: -0.005 }
