import type { Label } from "../../firmware/ports.ts"
import type { Seconds } from "../../firmware/units.ts"
import { cat, dog } from "./animal.ts"
import { Canvas, colour } from "./canvas.ts"
import { car } from "./car.ts"
import type { Figure } from "./figure.ts"
import { type Beam, daylight, infrared, type Light, lamplight, lightUp, overcast } from "./light.ts"
import { mix, ramp } from "./noise.ts"
import { courier, person, prowler } from "./person.ts"
import { expose } from "./sensor.ts"
import { Tree } from "./tree.ts"
import type { BoxTruth, EventTruth, Truth } from "./truth.ts"
import { View } from "./view.ts"
import { drawRain, drawWetStreet } from "./weather.ts"
import { MAILBOX_DEPTH, paintMailbox, paintPorch, paintYard, STREET_LAMP } from "./yard.ts"

export const FRAMES_PER_SECOND = 15
const SCENE_SECONDS: Seconds = 10
export const SCENE_FRAMES = FRAMES_PER_SECOND * SCENE_SECONDS

/** What one scene adds to the yard. Times are seconds from its start. */
export interface Script {
  readonly name: string
  readonly light: (time: Seconds) => Light
  /** 0 still .. 1 a gale. */
  readonly wind: number
  readonly rain?: boolean
  readonly visitor?: { readonly label: Label; readonly at: (view: View, time: Seconds) => Figure }
  /** What moves and is no visitor. */
  readonly bystanders?: readonly EventTruth[]
}

export const scripts: readonly Script[] = [
  {
    name: "day-person",
    light: () => daylight,
    wind: 0.12,
    visitor: {
      label: "person",
      at(view, time) {
        const way = walk({ from: [-8.6, 9.3], to: [6.1, 5.9], begin: 0.4, end: 9.6 }, time)
        return person(view, { ...way, walked: way.gone, outfit: courier })
      },
    },
  },
  {
    name: "day-car",
    light: () => daylight,
    wind: 0.12,
    visitor: {
      label: "vehicle",
      at(view, time) {
        const way = walk({ from: [13.4, 13.3], to: [-13.4, 13.3], begin: 2.2, end: 6.8 }, time)
        return car(view, { ...way, driven: way.gone, paint: colour("#a3262b") })
      },
    },
  },
  {
    name: "night-infrared-person",
    light: () => infrared,
    wind: 0.06,
    visitor: {
      label: "person",
      at(view, time) {
        const way = walk({ from: [7, 8.6], to: [-7, 6.2], begin: 0.6, end: 9.4 }, time)
        return person(view, { ...way, walked: way.gone, outfit: prowler })
      },
    },
  },
  {
    name: "day-dog",
    light: () => overcast,
    wind: 0.2,
    visitor: {
      label: "animal",
      at(view, time) {
        const way = walk({ from: [6.4, 5.7], to: [-6.8, 7.6], begin: 1.6, end: 7.4 }, time)
        return dog(view, { ...way, walked: way.gone })
      },
    },
  },
  {
    name: "night-cat",
    light: () => infrared,
    wind: 0.06,
    visitor: {
      label: "animal",
      at(view, time) {
        const way = walk({ from: [-4.6, 5.5], to: [4.5, 5.1], begin: 0.7, end: 9.3 }, time)
        return cat(view, { ...way, walked: way.gone, eyeshine: true })
      },
    },
  },
  {
    name: "windy-tree",
    light: () => overcast,
    wind: 1,
    bystanders: [{ start: 0, end: SCENE_SECONDS, label: "leaves" }],
  },
  {
    name: "rain-night",
    light: (time) => lamplight(headlights(time)),
    wind: 0.3,
    rain: true,
    bystanders: [
      { start: 0, end: SCENE_SECONDS, label: "rain" },
      { start: 3.2, end: 7.4, label: "headlights" },
    ],
  },
  { name: "quiet-day", light: () => daylight, wind: 0.1 },
  {
    name: "windy-night",
    light: () => infrared,
    wind: 1,
    bystanders: [{ start: 0, end: SCENE_SECONDS, label: "leaves" }],
  },
]

/** Draws one scene, any frame at any time: nothing in a frame depends on the one before. */
export class Scene {
  readonly script: Script
  readonly #seed: number
  readonly #view: View
  readonly #backdrop: Canvas
  readonly #canvas: Canvas
  readonly #tree: Tree

  /** Sides in pixels, even. */
  constructor(script: Script, { width = 1280, height = 720, seed = 1 } = {}) {
    this.script = script
    this.#seed = seed
    this.#view = new View(width, height)
    this.#backdrop = new Canvas(width, height)
    this.#canvas = new Canvas(width, height)
    this.#tree = new Tree(this.#view, seed)
    paintYard(this.#backdrop, this.#view, seed)
  }

  /** Frame `index` of SCENE_FRAMES as I420 bytes (see `sensor.ts`). */
  frame(index: number): Uint8Array {
    const canvas = this.#canvas
    const view = this.#view
    const time = index / FRAMES_PER_SECOND
    const light = this.script.light(time)
    const visitor = this.script.visitor?.at(view, time)
    canvas.copyFrom(this.#backdrop)
    visitor?.drawShadow(canvas, light.shadow)
    const layers = [
      { depth: MAILBOX_DEPTH, draw: () => paintMailbox(canvas, view) },
      {
        depth: this.#tree.depth,
        draw: () => this.#tree.draw(canvas, this.script.wind, index / SCENE_FRAMES, light.shadow),
      },
    ]
    if (visitor) layers.push({ depth: visitor.depth, draw: () => visitor.draw(canvas) })
    for (const { draw } of layers.sort((a, b) => b.depth - a.depth)) draw()
    paintPorch(canvas, view)
    lightUp(canvas, view, light)
    visitor?.drawGlows(canvas)
    if (this.script.rain) this.#rain(index, time)
    return expose(canvas, { noise: light.noise, seed: this.#seed, frame: index })
  }

  /** What moves when and where, from the same figures that are drawn. */
  truth(): Truth {
    const { visitor, bystanders = [] } = this.script
    const boxes: BoxTruth[] = []
    for (let index = 0; visitor && index < SCENE_FRAMES; index++) {
      const time = index / FRAMES_PER_SECOND
      const box = visitor.at(this.#view, time).visibleBox()
      if (box) boxes.push({ time, label: visitor.label, ...box })
    }
    const [first, last] = [boxes[0], boxes[boxes.length - 1]]
    const seen: EventTruth[] =
      visitor && first && last
        ? [{ start: first.time, end: last.time + 1 / FRAMES_PER_SECOND, label: visitor.label }]
        : []
    return { events: [...seen, ...bystanders], boxes }
  }

  #rain(index: number, time: Seconds): void {
    const beam = headlights(time)
    const view = this.#view
    const lamp = view.at(STREET_LAMP.x - 1, STREET_LAMP.y - 0.05, STREET_LAMP.z)
    const scale = view.scaleAt(STREET_LAMP.z)
    this.#canvas.glow(lamp.x, lamp.y, scale * 0.22, 1.2)
    this.#canvas.glow(lamp.x, lamp.y, scale * 1.3, 0.16)
    drawWetStreet(this.#canvas, view, STREET_LAMP.x - 1, STREET_LAMP.z, 0.13)
    if (beam) drawWetStreet(this.#canvas, view, beam.x * 0.6, 18, 0.06 * beam.strength)
    drawRain(this.#canvas, view, this.#seed, index, 0.3 + 0.18 * (beam?.strength ?? 0))
  }
}

interface Walk {
  /** x and z in metres. */
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
  readonly begin: Seconds
  readonly end: Seconds
}

/** A straight way at an even pace; before and after it the walker is out of the picture. */
function walk({ from, to, begin, end }: Walk, time: Seconds) {
  const share = (time - begin) / (end - begin)
  return {
    x: mix(from[0], to[0], share),
    z: Math.max(3, mix(from[1], to[1], share)),
    facing: to[0] > from[0] ? 1 : -1,
    gone: share * Math.hypot(to[0] - from[0], to[1] - from[1]),
  }
}

function headlights(time: Seconds): Beam | null {
  const strength = ramp(3.2, 4.2, time) * ramp(7.4, 6.6, time)
  return strength > 0 ? { x: mix(-17, 17, ((time - 3.2) / 4.2) ** 1.4), strength: 1.5 * strength } : null
}
