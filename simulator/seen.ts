import type { Box, Detector, Label } from "../firmware/ports.ts"
import { LABELS, type Scores, scoresOf } from "../firmware/recognise/count.ts"
import type { Milliseconds, Seconds } from "../firmware/units.ts"
import type { Footage } from "./footage.ts"
import { truthAt } from "./frames.ts"

/**
 * What a real model says of a footage's key frames, asked beforehand, once for all cameras that show it: the same picture
 * gives the same boxes, so hundreds of cameras may have it, in virtual time too. What it costs to think is not in it.
 */
export interface SeenPicture {
  /** From the footage's start. */
  readonly time: Seconds
  readonly boxes: readonly Box[]
}

/** By the footage's name, in order of time. */
export type SeenFootage = Readonly<Record<string, readonly SeenPicture[]>>

export function seenDetector(
  seen: readonly SeenPicture[],
  positionAt: (at: Milliseconds) => Seconds,
): Detector {
  return {
    async detect({ at }) {
      const position = positionAt(at)
      return seen.findLast(({ time }) => time <= position)?.boxes ?? []
    },
  }
}

/** A key frame of which the model says something else than is true. */
export interface Difference {
  readonly scene: string
  readonly time: Seconds
  readonly truth: readonly Label[]
  readonly model: readonly Label[]
}

/** Of a footage that has a truth, by the labels that reach `minScore`. */
export function differences(
  footage: Footage,
  seen: readonly SeenPicture[],
  minScore: Scores,
): readonly Difference[] {
  const named = (boxes: readonly Box[]) => {
    const scores = scoresOf(boxes.filter(({ thing }) => !thing))
    return LABELS.filter((label) => scores[label] >= minScore[label])
  }
  return seen.flatMap(({ time, boxes }) => {
    const [truth, model] = [named(truthAt(footage, time)), named(boxes)]
    return truth.join() === model.join() ? [] : [{ scene: footage.name, time, truth, model }]
  })
}
