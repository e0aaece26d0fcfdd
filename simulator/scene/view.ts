import type { Point } from "./shape.ts"

/**
 * A camera under the eaves: 2.3 m up, looking over a yard to the street. World: x metres to the right of the lens,
 * y metres above the ground, z metres away.
 */
export class View {
  readonly width: number
  readonly height: number
  readonly horizon: number
  readonly focal: number
  readonly eyeHeight = 2.3

  constructor(width: number, height: number) {
    this.width = width
    this.height = height
    this.horizon = height * 0.3
    this.focal = width * 0.72
  }

  at(x: number, y: number, z: number): Point {
    const scale = this.scaleAt(z)
    return { x: this.width / 2 + x * scale, y: this.horizon + (this.eyeHeight - y) * scale }
  }

  /** Pixels to a metre, that far away. */
  scaleAt(z: number): number {
    return this.focal / z
  }

  /** How far away the ground is that a row shows; Infinity from the horizon up. */
  depthOfRow(y: number): number {
    return y <= this.horizon ? Infinity : (this.eyeHeight * this.focal) / (y - this.horizon)
  }

  /** Where in the world, left to right, a column looks at that distance. */
  worldX(x: number, z: number): number {
    return ((x - this.width / 2) * z) / this.focal
  }
}
