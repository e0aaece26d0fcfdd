import type { Box, Clock, Detector, Frame, Frames, Label, Random } from "../firmware/ports.ts"
import type { Milliseconds, Seconds } from "../firmware/units.ts"
import type { Footage } from "./footage.ts"
import { between, chance, pick } from "./random.ts"

/**
 * Eyes without a model: frames that are black, and a detector that looks up what was drawn at that moment. For load
 * tests, where the question is what the camera does with an answer, not whether the answer is right.
 */

const WIDTH = 32
const HEIGHT = 18
const BLACK = new Uint8Array(WIDTH * HEIGHT)

/** A black frame every `every` milliseconds, stamped with the clock. */
export function truthFrames(clock: Clock, every: Milliseconds = 1_000): Frames {
  return {
    async *frames(signal) {
      while (!signal.aborted) {
        yield { at: clock.monotonic(), width: WIDTH, height: HEIGHT, luma: BLACK }
        await clock.sleep(every, signal)
      }
    },
  }
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
      const boxes = boxesAt(footage, positionAt(frame.at)).filter(() => !chance(random, errors.missed))
      return chance(random, errors.invented) ? [...boxes, invented(random)] : boxes
    },
  }
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
