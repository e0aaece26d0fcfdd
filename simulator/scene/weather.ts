import { seededRandom } from "../random.ts"
import type { Canvas, Colour } from "./canvas.ts"
import { mix } from "./noise.ts"
import { ellipse, limb } from "./shape.ts"
import type { View } from "./view.ts"

const DROP: Colour = { luma: 0.95, blue: 0.01, red: -0.01 }

/** Streaks in the air and rings on the ground, new ones in every frame: at 15 frames a second no drop is seen twice. */
export function drawRain(canvas: Canvas, view: View, seed: number, frame: number, brightness: number): void {
  const random = seededRandom(seed, "rain", frame)
  const { width, height } = view
  for (let drop = 0; drop < 240; drop++) {
    const near = random.next() ** 3
    const length = height * mix(0.03, 0.14, near)
    const from = { x: random.next() * width * 1.1 - width * 0.05, y: random.next() * height * 1.1 - length }
    const to = { x: from.x - length * 0.16, y: from.y + length }
    const radius = width * mix(0.00025, 0.0011, near)
    canvas.paint(limb(from, radius * 0.5, to, radius), DROP, {
      alpha: brightness * mix(0.5, 0.24, near),
      softness: 1 + 2 * near,
    })
  }
  for (let splash = 0; splash < 90; splash++) {
    const z = mix(4.8, 17, random.next() ** 1.5)
    const at = view.at(mix(-0.7, 0.7, random.next()) * z, 0, z)
    const size = view.scaleAt(z) * mix(0.02, 0.05, random.next())
    canvas.paint(ellipse(at, size, size * 0.4), DROP, { alpha: brightness * 0.5 })
  }
}

/** A wet street: what shines above the horizon runs down it in streaks. */
export function drawWetStreet(
  canvas: Canvas,
  view: View,
  lampX: number,
  fromZ: number,
  strength: number,
): void {
  const top = view.at(lampX, 0, fromZ)
  for (let step = 0; step < 26; step++) {
    const z = mix(fromZ - 1, 11.7, step / 25)
    const y = view.at(0, 0, z).y
    const x = top.x + Math.sin(step * 2.3) * view.scaleAt(z) * 0.1
    canvas.glow(x, y, view.scaleAt(z) * 0.32, strength * (1 - step / 26))
  }
}
