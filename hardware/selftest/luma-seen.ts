import { Fault } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import type { World } from "./world.ts"

/** Exposure settles first. */
const SETTLES = 4
const JUDGED = 8
const PATIENCE: Milliseconds = seconds(40)

/** Uncompressed pictures: means over those that were judged. */
export interface LumaSeen {
  /** 0 to 255. A black picture has 16 in video range. */
  readonly mean: number
  /** Standard deviation over one picture: how much there is to see. */
  readonly deviation: number
  /** Share of pixels that differ from the picture before, of the middle pair. A sensor's noise makes it many. */
  readonly changed: number
}

/**
 * Looks at a dozen pictures. They stay in memory, and are wiped.
 * @throws Fault "unavailable": no camera, no uncompressed pictures, or it gives too few.
 */
export async function seeLuma({ luma, clock }: World, signal: AbortSignal): Promise<LumaSeen> {
  const over = new AbortController()
  const cancel = clock.after(PATIENCE, () => over.abort())
  const means: number[] = []
  const deviations: number[] = []
  const changes: number[] = []
  let before = new Uint8Array()
  let count = 0
  try {
    for await (const { luma: picture } of luma()(AbortSignal.any([signal, over.signal]))) {
      if (count++ >= SETTLES) {
        const { mean, deviation } = statisticsOf(picture)
        means.push(mean)
        deviations.push(deviation)
        changes.push(changedShare(before, picture))
        if (means.length === JUDGED) break
      }
      if (before.length !== picture.length) before = new Uint8Array(picture.length)
      before.set(picture)
    }
  } finally {
    cancel()
    before.fill(0)
  }
  if (means.length < JUDGED)
    throw new Fault("unavailable", `the camera gave ${count} uncompressed pictures and then no more`)
  return {
    mean: average(means),
    deviation: average(deviations),
    changed: changes.sort((a, b) => a - b)[JUDGED >> 1] ?? 0,
  }
}

function statisticsOf(picture: Uint8Array): { mean: number; deviation: number } {
  let sum = 0
  let squares = 0
  for (const level of picture) {
    sum += level
    squares += level * level
  }
  const mean = sum / picture.length
  return { mean, deviation: Math.sqrt(Math.max(0, squares / picture.length - mean * mean)) }
}

function changedShare(before: Uint8Array, picture: Uint8Array): number {
  let changed = 0
  for (let i = 0; i < picture.length; i++) if (picture[i] !== before[i]) changed++
  return changed / picture.length
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
