import { blend, type Colour, colour, scaled } from "./canvas.ts"
import { Figure } from "./figure.ts"
import { type Point, rounded } from "./shape.ts"
import type { View } from "./view.ts"

export interface CarPose {
  readonly x: number
  readonly z: number
  readonly facing: number
  /** Metres driven so far, for the wheels. */
  readonly driven: number
  readonly paint: Colour
}

const WHEEL = 0.32
const FRONT_AXLE = 1.32
const REAR_AXLE = -1.3

/** A hatchback of 4.2 m seen from the side. */
export function car(view: View, { x, z, facing, driven, paint }: CarPose): Figure {
  const figure = new Figure(view, { x, z, facing })
  figure.shade({ x: -1.9, y: 0 }, { x: 1.9, y: 0 }, 0.28)
  figure.shade({ x: -1.2, y: 0.9 }, { x: 0.8, y: 0.9 }, 0.3)
  // The underside and the inside of the wheel arches.
  figure.panel(points([-1.95, 0.2], [1.95, 0.2], [1.9, 0.75], [-1.9, 0.75]), colour("#0d0d0f"))
  figure.panel(rounded(points(...BODY)), paint, (height) =>
    height > 0.86 ? 1.22 - 0.25 * (1.46 - height) : height > 0.8 ? 1.3 : 0.98 - 0.55 * (0.8 - height),
  )
  for (const window of WINDOWS)
    figure.panel(rounded(points(...window), 3), glass(figure), (height) => 0.55 + 0.9 * (height - 0.9))
  figure.limb({ x: 0.12, y: 0.34 }, 0.012, { x: 0.1, y: 0.86 }, 0.012, scaled(paint, 0.6))
  figure.limb({ x: -0.78, y: 0.5 }, 0.012, { x: -0.74, y: 0.86 }, 0.012, scaled(paint, 0.6))
  figure.limb({ x: -0.08, y: 0.8 }, 0.022, { x: 0.03, y: 0.8 }, 0.022, scaled(paint, 0.55))
  figure.limb({ x: -1.85, y: 0.3 }, 0.035, { x: 1.9, y: 0.3 }, 0.035, colour("#26282b"))
  figure.ball({ x: 0.72, y: 0.95 }, 0.1, 0.07, 0, scaled(paint, 0.85))
  figure.ball({ x: 1.93, y: 0.68 }, 0.14, 0.075, -0.5, colour("#f2f4ee"))
  figure.ball({ x: -2.0, y: 0.82 }, 0.07, 0.11, 0, colour("#b01c1c"))
  for (const axle of [REAR_AXLE, FRONT_AXLE]) wheel(figure, axle, driven)
  return figure
}

const BODY: readonly [number, number][] = [
  [-2.05, 0.34],
  [-2.1, 0.62],
  [-2.06, 0.92],
  [-1.86, 1.18],
  [-1.55, 1.42],
  [-0.7, 1.47],
  [0.1, 1.42],
  [0.62, 1.16],
  [1.0, 0.96],
  [1.6, 0.86],
  [2.02, 0.7],
  [2.1, 0.46],
  [2.04, 0.3],
  [1.74, 0.27],
  [1.72, 0.5],
  [1.52, 0.71],
  [1.12, 0.71],
  [0.92, 0.5],
  [0.9, 0.25],
  [-0.88, 0.25],
  [-0.9, 0.5],
  [-1.1, 0.71],
  [-1.5, 0.71],
  [-1.7, 0.5],
  [-1.72, 0.28],
]

const WINDOWS: readonly (readonly [number, number][])[] = [
  [
    [0.02, 0.93],
    [0.06, 1.31],
    [0.4, 1.16],
    [0.72, 0.95],
  ],
  [
    [-0.84, 0.93],
    [-0.8, 1.37],
    [-0.4, 1.38],
    [-0.06, 1.33],
    [-0.1, 0.93],
  ],
  [
    [-1.66, 0.98],
    [-1.5, 1.31],
    [-0.94, 1.36],
    [-0.96, 0.94],
  ],
]

function wheel(figure: Figure, axle: number, driven: number): void {
  const hub = { x: axle, y: WHEEL }
  figure.ball(hub, WHEEL, WHEEL, 0, colour("#17181a"))
  figure.ball(hub, WHEEL * 0.66, WHEEL * 0.66, 0, colour("#a9adb3"))
  for (let spoke = 0; spoke < 5; spoke++) {
    const turn = (2 * Math.PI * spoke) / 5 - driven / WHEEL
    const tip = (reach: number): Point => ({
      x: hub.x + WHEEL * reach * Math.cos(turn),
      y: hub.y + WHEEL * reach * Math.sin(turn),
    })
    figure.limb(tip(0.22), 0.025, tip(0.54), 0.05, colour("#3b3e43"))
  }
  figure.ball(hub, 0.05, 0.05, 0, colour("#c9cdd2"))
}

/** Glass mirrors the sky above and the street below; a diagonal gleam gives it away. */
function glass(figure: Figure) {
  const middle = figure.place({ x: 0, y: 1.1 })
  const metre = figure.place({ x: 0, y: 0.1 }).y - middle.y
  return (x: number, y: number): Colour => {
    const slant = (x - middle.x + (y - middle.y) * 0.8) / metre
    const gleam = 0.5 + 0.5 * Math.sin(slant * 5)
    return blend(colour("#2a3138"), colour("#8fa3b3"), gleam ** 4 * 0.7)
  }
}

function points(...pairs: readonly (readonly [number, number])[]): Point[] {
  return pairs.map(([x, y]) => ({ x, y }))
}
