import { type Colour, colour, scaled } from "./canvas.ts"
import { Figure } from "./figure.ts"
import type { Point } from "./shape.ts"
import type { View } from "./view.ts"

export interface AnimalPose {
  readonly x: number
  readonly z: number
  readonly facing: number
  /** Metres gone so far. */
  readonly walked: number
  /** Eyes throw infrared light back. */
  readonly eyeshine?: boolean
}

/** The measures of a four-legged body, in metres. */
interface Build {
  readonly back: number
  readonly length: number
  readonly chest: number
  readonly loin: number
  readonly thigh: number
  readonly upper: number
  readonly lower: number
  readonly paw: number
  readonly stride: number
  readonly swing: number
  /** Phase of left fore, right fore, left hind, right hind: a dog trots in diagonals, a cat paces nearly in fours. */
  readonly gait: readonly [number, number, number, number]
  readonly coat: Colour
  readonly belly: Colour
}

const retriever: Build = {
  back: 0.56,
  length: 0.58,
  chest: 0.155,
  loin: 0.12,
  thigh: 0.1,
  upper: 0.24,
  lower: 0.25,
  paw: 0.042,
  stride: 1.0,
  swing: 0.5,
  gait: [0, Math.PI, Math.PI + 0.3, 0.3],
  coat: colour("#b07a3e"),
  belly: colour("#d3a468"),
}

const tabby: Build = {
  back: 0.27,
  length: 0.34,
  chest: 0.082,
  loin: 0.074,
  thigh: 0.058,
  upper: 0.12,
  lower: 0.125,
  paw: 0.023,
  stride: 0.52,
  swing: 0.5,
  gait: [0, Math.PI, Math.PI / 2 + Math.PI, Math.PI / 2],
  coat: colour("#4d4740"),
  belly: colour("#958c80"),
}

/** A dog of a retriever's size, trotting. */
export function dog(view: View, pose: AnimalPose): Figure {
  const { figure, fore, hind, phase, farLegs, nearLegs } = begin(view, pose, retriever)
  const { coat, belly } = retriever
  farLegs()
  const wag = 0.25 * Math.sin(2 * phase)
  const tail = { x: hind.x - 0.22, y: hind.y + 0.14 + 0.05 * wag }
  figure.limb({ x: hind.x - 0.08, y: hind.y + 0.05 }, 0.045, tail, 0.035, coat)
  figure.limb(tail, 0.04, { x: tail.x - 0.12, y: tail.y + 0.16 + 0.1 * wag }, 0.018, belly)
  body(figure, fore, hind, retriever)
  const head = { x: fore.x + 0.3, y: fore.y + 0.24 + 0.015 * Math.sin(2 * phase) }
  figure.limb(
    { x: fore.x + 0.06, y: fore.y + 0.06 },
    0.115,
    { x: head.x - 0.05, y: head.y - 0.02 },
    0.08,
    coat,
  )
  nearLegs()
  figure.ball(head, 0.115, 0.095, -0.1, coat)
  figure.limb(
    { x: head.x + 0.06, y: head.y - 0.02 },
    0.062,
    { x: head.x + 0.19, y: head.y - 0.05 },
    0.042,
    belly,
  )
  figure.ball({ x: head.x + 0.225, y: head.y - 0.035 }, 0.022, 0.02, 0, colour("#1d1512"))
  figure.ball({ x: head.x + 0.075, y: head.y + 0.03 }, 0.016, 0.014, 0, colour("#1d1512"))
  // A hanging ear, which flaps a little.
  figure.limb(
    { x: head.x - 0.03, y: head.y + 0.055 },
    0.04,
    { x: head.x - 0.065 - 0.02 * wag, y: head.y - 0.075 },
    0.045,
    scaled(coat, 0.72),
  )
  figure.limb(
    { x: fore.x + 0.14, y: fore.y + 0.05 },
    0.02,
    { x: fore.x + 0.09, y: fore.y + 0.19 },
    0.02,
    colour("#b8232b"),
  )
  return figure
}

/** A house cat, walking with its tail up. */
export function cat(view: View, pose: AnimalPose): Figure {
  const { figure, fore, hind, phase, farLegs, nearLegs } = begin(view, pose, tabby)
  const { coat, belly } = tabby
  farLegs()
  let from: Point = { x: hind.x - 0.05, y: hind.y + 0.04 }
  for (let joint = 0; joint < 5; joint++) {
    const lean = 0.75 - 0.28 * joint + 0.16 * Math.sin(phase - joint * 0.6)
    const to = { x: from.x - 0.075 * Math.sin(lean), y: from.y + 0.075 * Math.cos(lean) }
    figure.limb(from, 0.024 - 0.002 * joint, to, 0.023 - 0.002 * joint, joint % 2 ? scaled(coat, 0.6) : coat)
    from = to
  }
  body(figure, fore, hind, tabby)
  for (let stripe = 0; stripe < 4; stripe++) {
    const x = hind.x + 0.05 + stripe * 0.08
    figure.limb({ x, y: hind.y + 0.065 }, 0.012, { x: x + 0.012, y: hind.y - 0.01 }, 0.008, scaled(coat, 0.5))
  }
  const head = { x: fore.x + 0.145, y: fore.y + 0.085 + 0.006 * Math.sin(2 * phase) }
  figure.limb({ x: fore.x + 0.03, y: fore.y + 0.02 }, 0.062, head, 0.052, coat)
  nearLegs()
  for (const [dx, dim] of [
    [-0.052, 0.8],
    [0.008, 1],
  ] as const)
    figure.panel(
      [
        { x: head.x + dx - 0.008, y: head.y + 0.045 },
        { x: head.x + dx + 0.022, y: head.y + 0.118 },
        { x: head.x + dx + 0.05, y: head.y + 0.04 },
      ],
      scaled(coat, dim),
    )
  figure.ball(head, 0.074, 0.067, 0, coat)
  figure.ball({ x: head.x + 0.055, y: head.y - 0.022 }, 0.034, 0.027, 0, belly)
  figure.ball({ x: head.x + 0.086, y: head.y - 0.014 }, 0.009, 0.008, 0, colour("#3a2a28"))
  figure.ball({ x: head.x + 0.038, y: head.y + 0.018 }, 0.012, 0.012, 0, colour("#20261a"))
  if (pose.eyeshine) figure.glow({ x: head.x + 0.04, y: head.y + 0.018 }, 0.02, 0.9)
  return figure
}

function begin(view: View, { x, z, facing, walked }: AnimalPose, build: Build) {
  const figure = new Figure(view, { x, z, facing })
  const phase = (2 * Math.PI * walked) / build.stride
  const bob = 0.012 * build.back * Math.sin(2 * phase)
  const fore = { x: build.length / 2, y: build.back - build.chest * 0.55 + bob }
  const hind = { x: -build.length / 2, y: build.back - build.loin * 0.55 - bob }
  const pair = (left: boolean, dim: number) => () => {
    const [foreGait, hindGait] = left ? [build.gait[0], build.gait[2]] : [build.gait[1], build.gait[3]]
    leg(figure, { x: hind.x + 0.02, y: hind.y - build.loin * 0.2 }, phase + hindGait, build, true, dim)
    leg(figure, { x: fore.x - 0.01, y: fore.y - build.chest * 0.35 }, phase + foreGait, build, false, dim)
  }
  return { figure, fore, hind, phase, farLegs: pair(false, 0.68), nearLegs: pair(true, 1) }
}

/** A hind leg's lower half points back where a foreleg's hangs straight; both lift while they swing forward. */
function leg(figure: Figure, top: Point, phase: number, build: Build, hind: boolean, dim: number): void {
  const coat = scaled(build.coat, dim)
  const lift = Math.max(0, Math.cos(phase))
  const swing = build.swing * Math.sin(phase) * 0.75
  const upper = swing + (hind ? 0.28 : -0.12)
  const bend = hind ? 0.55 + 0.5 * lift : 0.05 + 0.95 * lift
  const reach = top.y - build.paw
  const scale =
    reach / (build.upper * Math.cos(hind ? 0.28 : 0.12) + build.lower * Math.cos(hind ? 0.3 : 0.1))
  const joint = {
    x: top.x + build.upper * scale * Math.sin(upper),
    y: top.y - build.upper * scale * Math.cos(upper),
  }
  const lower = upper - bend
  const paw = {
    x: joint.x + build.lower * scale * Math.sin(lower),
    y: Math.max(build.paw, joint.y - build.lower * scale * Math.cos(lower)),
  }
  figure.limb(top, hind ? build.thigh : build.thigh * 0.75, joint, build.paw * 1.15, coat)
  figure.limb(joint, build.paw * 1.1, paw, build.paw * 0.8, coat)
  figure.limb(
    paw,
    build.paw * 0.95,
    { x: paw.x + build.paw * 1.3, y: paw.y - build.paw * 0.15 },
    build.paw * 0.8,
    coat,
  )
}

function body(figure: Figure, fore: Point, hind: Point, { chest, loin, coat, belly }: Build): void {
  figure.limb(hind, loin, fore, chest, coat)
  figure.limb(
    { x: fore.x + 0.55 * chest, y: fore.y - chest * 0.45 },
    chest * 0.32,
    { x: fore.x + 0.75 * chest, y: fore.y + chest * 0.2 },
    chest * 0.3,
    belly,
  )
}
