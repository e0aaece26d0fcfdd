import { Fault } from "../../firmware/errors.ts"
import { AccessUnitParser, type DecodableUnit } from "../../firmware/media/annexb.ts"
import {
  type BitsPerSecond,
  type Bytes,
  type FramesPerSecond,
  type Milliseconds,
  seconds,
} from "../../firmware/units.ts"
import type { World } from "./world.ts"

/** Exposure and rate control settle first. */
const SETTLES: Milliseconds = seconds(1)
const WATCHED: Milliseconds = seconds(5)
/** A camera starts within two seconds; one that is low on power takes longer. */
const PATIENCE: Milliseconds = seconds(40)

/** The encoded stream, without a decoder: what its access units tell. */
export interface StreamSeen {
  readonly firstPictureAfter: Milliseconds
  readonly width: number
  readonly height: number
  /** By when pictures arrive, not by what they say of themselves. */
  readonly framesPerSecond: FramesPerSecond
  readonly bitsPerSecond: BitsPerSecond
  /** Longest from one key frame to the next; null: there were not two. */
  readonly keyFrameEvery: Milliseconds | null
  /** How often media had to be skipped. */
  readonly flaws: number
}

/**
 * Watches the camera's own stream for some six seconds. The pictures stay in memory, and are wiped.
 * @throws Fault "unavailable": no camera, or it gives no picture that can be decoded.
 */
export async function seeStream({ lens, config, clock }: World, signal: AbortSignal): Promise<StreamSeen> {
  const over = new AbortController()
  const cancel = clock.after(PATIENCE, () => over.abort())
  const begunAt = clock.monotonic()
  let flaws = 0
  const { framesPerSecond } = config.lens
  const parser = new AccessUnitParser({
    framesPerSecond,
    onFlaw: (flaw) => {
      if (flaw !== "before the first key frame") flaws++
    },
  })
  const sample = new Sample()
  const held: Uint8Array[] = []
  try {
    for await (const piece of lens().pieces(AbortSignal.any([signal, over.signal]))) {
      held.push(piece.bytes)
      for (const unit of parser.push(piece)) sample.take(unit)
      if (sample.isFull) break
    }
    if (!sample.isFull) throw new Fault("unavailable", whyNot(sample, held, flaws))
    return { ...sample.summary(begunAt), flaws }
  } finally {
    cancel()
    for (const bytes of held) bytes.fill(0)
  }
}

function whyNot(sample: Sample, held: readonly Uint8Array[], flaws: number): string {
  if (held.length === 0) return "the camera gives nothing"
  if (!sample.hasBegun)
    return `the camera gives bytes, but no picture that can be decoded${flaws > 0 ? ` (media skipped ${flaws} times)` : ""}`
  return `the camera stops giving pictures within ${(SETTLES + WATCHED) / 1_000} s`
}

/** The units from one arrival to another, so that pictures that arrive together are not counted half. */
class Sample {
  #first: DecodableUnit | null = null
  #from: Milliseconds | null = null
  #to: Milliseconds | null = null
  #latestAt: Milliseconds = 0
  #keyFrameAt: Milliseconds | null = null
  #keyFrameEvery: Milliseconds | null = null
  #count = 0
  #bytes: Bytes = 0

  get hasBegun(): boolean {
    return this.#first !== null
  }

  get isFull(): boolean {
    return this.#to !== null
  }

  take(unit: DecodableUnit): void {
    this.#first ??= unit
    const begins = unit.at > this.#latestAt
    this.#latestAt = unit.at
    if (this.#from === null && begins && unit.at >= this.#first.at + SETTLES) this.#from = unit.at
    if (this.#from === null || this.#to !== null) return
    if (begins && unit.at >= this.#from + WATCHED) {
      this.#to = unit.at
      return
    }
    const size = unit.nals.reduce((sum, nal) => sum + nal.reduce((all, part) => all + part.length, 0), 0)
    this.#count++
    this.#bytes += size
    if (unit.keyFrame) this.#keyFrame(unit.at)
  }

  #keyFrame(at: Milliseconds): void {
    if (this.#keyFrameAt !== null)
      this.#keyFrameEvery = Math.max(this.#keyFrameEvery ?? 0, at - this.#keyFrameAt)
    this.#keyFrameAt = at
  }

  summary(begunAt: Milliseconds): Omit<StreamSeen, "flaws"> {
    const first = this.#first
    if (!first || this.#from === null || this.#to === null)
      throw new Fault("broken", "self-test: half a sample")
    const { width, height } = first.sets.picture
    const watchedSeconds = (this.#to - this.#from) / 1_000
    return {
      ...{ firstPictureAfter: first.at - begunAt, width, height, keyFrameEvery: this.#keyFrameEvery },
      framesPerSecond: this.#count / watchedSeconds,
      bitsPerSecond: (this.#bytes * 8) / watchedSeconds,
    }
  }
}
