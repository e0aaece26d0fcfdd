import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { Fault } from "../firmware/errors.ts"
import type { PictureTime } from "../firmware/ports.ts"
import type { FramesPerSecond, Seconds, Ticks90k } from "../firmware/units.ts"
import { nalSpans } from "./nals.ts"
import { boxesFromCsv, eventsFromCsv, type Truth } from "./scene/truth.ts"
import { cutUnits, parametersOf, pictureOrder, type UnitSpan, withInlineSets } from "./units.ts"

/** A loop of H.264, in memory once and shared by every camera that shows it. */
export interface Footage extends Truth {
  readonly name: string
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** On average. */
  readonly framesPerSecond: FramesPerSecond
  readonly frames: number
  /** From the first picture to the end of the last: where a loop begins anew. */
  readonly duration: Ticks90k
  /** At least one. Each begins with an IDR picture, and nothing refers across. */
  readonly groups: readonly GroupOfPictures[]
  /** Its key frames, small, in order; none where nobody has drawn them. */
  readonly pictures: readonly FootagePicture[]
}

export interface FootagePicture {
  /** From the footage's start. */
  readonly time: Seconds
  /** Pixels. */
  readonly width: number
  readonly height: number
  /** One byte a pixel, row by row; shared by all who show the footage. */
  readonly luma: Uint8Array
}

export interface GroupOfPictures {
  /** Annex B, whole access units, a view into the footage's one buffer; begins with the key frame's access unit. */
  readonly bytes: Uint8Array
  /** How long the access unit delimiter in front is, start code included; 0: there is none. */
  readonly delimiterBytes: number
  /** Access units, which is pictures. */
  readonly units: number
  /** Of each unit, in decoding order, counted from `start`: the first has dts 0. */
  readonly timing: readonly PictureTime[]
  /** When the group begins, counted from the footage's start; and how long it lasts. */
  readonly start: Ticks90k
  readonly duration: Ticks90k
}

/** The scenes that are part of the project, drawn by `scene/encode.ts`. */
export const SCENES = [
  "day-person",
  "day-car",
  "night-infrared-person",
  "day-dog",
  "night-cat",
  "windy-tree",
  "rain-night",
  "quiet-day",
  "windy-night",
] as const
export type SceneName = (typeof SCENES)[number]

/** What the cameras of a fleet see, one after another. */
export const FLEET_SCENES: readonly SceneName[] = SCENES.filter((name) => name !== "windy-night")

const loaded = new Map<SceneName, Promise<Footage>>()

/** One of the project's scenes, read once a process. Throws Fault "broken" when its files are not what they were. */
export function loadScene(name: SceneName): Promise<Footage> {
  const known = loaded.get(name)
  if (known) return known
  const reading = readScene(name)
  loaded.set(name, reading)
  return reading
}

async function readScene(name: SceneName): Promise<Footage> {
  const path = (ending: string) => join(import.meta.dirname, "scene", "footage", `${name}.${ending}`)
  try {
    const [bytes, luma, events, boxes] = await Promise.all([
      readFile(path("h264")),
      readFile(path("luma")),
      readFile(path("events.csv"), "utf8"),
      readFile(path("boxes.csv"), "utf8"),
    ])
    const truth = {
      events: eventsFromCsv(events, `${name}.events.csv`),
      boxes: boxesFromCsv(boxes, `${name}.boxes.csv`),
    }
    const footage = footageFromAnnexB(name, bytes, null)
    return { ...footage, ...truth, pictures: picturesOf(footage, luma) }
  } catch (cause) {
    throw new Fault("broken", `the scene ${name} of simulator/scene/footage cannot be read`, { cause })
  }
}

/** Sides of a scene's small pictures, in pixels. */
export const PICTURE_WIDTH = 64
export const PICTURE_HEIGHT = 36

/**
 * NAME.luma: the key frames of NAME.h264, 64x36 bytes each, one after another.
 * @throws Fault "malformed", definite: not one for each group.
 */
export function picturesOf({ name, groups }: Footage, luma: Uint8Array): readonly FootagePicture[] {
  const size = PICTURE_WIDTH * PICTURE_HEIGHT
  if (luma.length !== groups.length * size)
    throw new Fault(
      "malformed",
      `${name}: ${luma.length} bytes of small pictures for ${groups.length} key frames`,
    )
  return groups.map(({ start }, index) => {
    const picture = luma.subarray(index * size, (index + 1) * size)
    return { time: start / 90_000, width: PICTURE_WIDTH, height: PICTURE_HEIGHT, luma: picture }
  })
}

/**
 * A raw stream has no times, so pictures are evenly spaced: at `framesPerSecond`, or else what its parameter sets say,
 * or else 25.
 *
 * @throws Fault "malformed" or "unsupported", definite, without naming the file.
 */
export function footageFromAnnexB(name: string, bytes: Uint8Array, rate: FramesPerSecond | null): Footage {
  const stream = withInlineSets(bytes)
  const parameters = parametersOf(stream)
  const units = cutUnits(stream)
  const frame = 90_000 / (rate ?? parameters.framesPerSecond ?? 25)
  const ranks = pictureOrder(stream, units, parameters)
  const delay = Math.max(...ranks.map((rank, index) => index - rank), 0)
  const times = ranks.map((rank, index) => ({
    pts: Math.round((rank + delay) * frame),
    dts: Math.round(index * frame),
  }))
  const { width, height } = parameters
  const duration = Math.round(units.length * frame)
  return footageOf({ name, bytes: stream, width, height, units, times, duration })
}

export interface FootageParts {
  readonly name: string
  readonly bytes: Uint8Array
  readonly width: number
  readonly height: number
  /** At least one; the first is a key frame. */
  readonly units: readonly UnitSpan[]
  /** One a unit; dts begins at 0 and rises. */
  readonly times: readonly PictureTime[]
  readonly duration: Ticks90k
}

/** Cuts at the IDR pictures. */
export function footageOf({ name, bytes, width, height, units, times, duration }: FootageParts): Footage {
  const firsts = units.flatMap((unit, index) => (unit.keyFrame ? [index] : []))
  const groups = firsts.map((first, ordinal) => {
    const next = firsts[ordinal + 1] ?? units.length
    const start = times[first]?.dts ?? 0
    return {
      bytes: bytes.subarray(units[first]?.start, units[next]?.start ?? units[next - 1]?.end),
      delimiterBytes: units[first]?.delimiterBytes ?? 0,
      units: next - first,
      timing: times.slice(first, next).map(({ pts, dts }) => ({ pts: pts - start, dts: dts - start })),
      start,
      duration: (times[next]?.dts ?? duration) - start,
    }
  })
  const framesPerSecond = (units.length * 90_000) / duration
  return {
    ...{ name, width, height, framesPerSecond, frames: units.length, duration, groups },
    ...{ events: [], boxes: [], pictures: [] },
  }
}

export interface CutUnit {
  /** Where its first start code is in the group's bytes. */
  readonly start: number
  /** Without start codes and trailing zeros. */
  readonly nals: readonly Uint8Array[]
}

/** The access units of a group, in order; cut once and kept, for groups are shared. */
export function unitsOf(group: GroupOfPictures): readonly CutUnit[] {
  const known = cutGroups.get(group)
  if (known) return known
  const units = cutUnits(group.bytes).map(({ start, end }) => {
    const unit = group.bytes.subarray(start, end)
    return { start, nals: nalSpans(unit).map((nal) => unit.subarray(nal.begin, nal.end)) }
  })
  cutGroups.set(group, units)
  return units
}

const cutGroups = new WeakMap<GroupOfPictures, readonly CutUnit[]>()
