import type { Box, Clock, Detector, Frame, Frames, Label, Random } from "../firmware/ports.ts"
import type { Milliseconds, Seconds } from "../firmware/units.ts"
import type { Footage, FootagePicture } from "./footage.ts"
import { between, chance, pick } from "./random.ts"

/**
 * Eyes without a model: the footage's key frames, drawn small once and shared by all who show it, and a detector that
 * looks up what was drawn at that moment. For load tests, where the question is what the camera does with an answer.
 */

export interface FootageFramesOptions {
  readonly footage: Footage
  /** Which moment of the footage the camera saw at a monotonic time: `VirtualLens.positionAt`. */
  readonly positionAt: (at: Milliseconds) => Seconds
  readonly clock: Clock
  /** Default: one a second. */
  readonly every?: Milliseconds
}

/** A frame every so often, from `from` on. Costs nothing while nobody reads, and no memory but the footage's. */
export function footageFrames({ footage, positionAt, clock, every = 1_000 }: FootageFramesOptions): Frames {
  return {
    async *frames(from, signal) {
      const asked = clock.monotonic()
      // At whole multiples, so that cameras wake the process together and a later reader sees the same pictures.
      for (let at = Math.ceil(Math.max(0, from) / every) * every; !signal.aborted; ) {
        const now = clock.monotonic()
        if (at > now) await clock.sleep(at - now, signal)
        if (signal.aborted) return
        yield { at, ...pictureAt(footage, positionAt(at)) }
        const newest = Math.floor(clock.monotonic() / every) * every
        at = at < asked ? at + every : Math.max(at + every, newest)
      }
    },
  }
}

/** What a footage without pictures shows. */
const DARK: Omit<FootagePicture, "time"> = { width: 64, height: 36, luma: new Uint8Array(64 * 36).fill(16) }

/** The latest key frame's at a moment. */
function pictureAt({ pictures }: Footage, time: Seconds): Omit<Frame, "at"> {
  const { width, height, luma } = pictures.findLast((picture) => picture.time <= time) ?? DARK
  return { width, height, luma }
}

/** Of which moment the picture is that is there at `time`. */
function shownAt({ pictures }: Footage, time: Seconds): Seconds {
  return pictures.findLast((picture) => picture.time <= time)?.time ?? time
}

/** How often the truth is told wrong, each from 0 to 1. */
export interface DetectorErrors {
  /** A visitor that is there is not seen in this frame. */
  readonly missed: number
  /** Somebody is seen who is not there. */
  readonly invented: number
}

export const noDetectorErrors: DetectorErrors = { missed: 0, invented: 0 }

export interface TruthDetectorOptions {
  readonly footage: Footage
  /** Which moment of the footage the camera saw at a monotonic time: `VirtualLens.positionAt`. */
  readonly positionAt: (at: Milliseconds) => Seconds
  readonly random: Random
  readonly errors?: DetectorErrors
}

export function truthDetector(options: TruthDetectorOptions): Detector {
  const { footage, positionAt, random, errors = noDetectorErrors } = options
  return {
    async detect(frame: Frame) {
      const boxes = truthAt(footage, positionAt(frame.at)).filter(() => !chance(random, errors.missed))
      return chance(random, errors.invented) ? [...boxes, invented(random)] : boxes
    },
  }
}

/** Who is in the key frame that is there at `time`. */
export function truthAt(footage: Footage, time: Seconds): readonly Box[] {
  return boxesAt(footage, shownAt(footage, time))
}

/** The boxes drawn closest to a moment, within a fifth of a second of it. */
function boxesAt({ boxes }: Footage, time: Seconds): readonly Box[] {
  let nearest = 0.2
  for (const box of boxes) nearest = Math.min(nearest, Math.abs(box.time - time))
  return boxes
    .filter((box) => Math.abs(box.time - time) <= nearest + 1e-9 && nearest < 0.2)
    .map(({ time: _, ...box }) => ({ ...box, score: 0.9 }))
}

const LABELS: readonly [Label, ...Label[]] = ["person", "animal", "vehicle"]

function invented(random: Random): Box {
  const left = between(random, 0, 0.8)
  const top = between(random, 0, 0.7)
  return {
    label: pick(random, LABELS),
    score: between(random, 0.3, 0.7),
    left,
    top,
    right: left + 0.2,
    bottom: top + 0.3,
  }
}
