import type { Trigger } from "../clip.ts"
import { messageOf } from "../errors.ts"
import { type Box, type Detector, FRAME_SIDE_MAX, type Frame } from "../ports.ts"
import { type Milliseconds, seconds } from "../units.ts"
import { boxesFlaw, inPlace, NOBODY, type Scores, scoresOf } from "./count.ts"
import { Motion, type MotionKind, type MotionSeen } from "./motion.ts"
import { MotionVerdict } from "./motion-verdict.ts"
import type { RecogniseSettings } from "./settings.ts"
import { Travel } from "./travel.ts"
import { unlessAborted } from "./unless-aborted.ts"
import type { Verdict } from "./verdict.ts"
import { type Outcome, Vote } from "./vote.ts"

export type { Verdict }

/** What each stage says of a frame, as it says it. `at` is the frame's. */
export type StageSaid =
  | { readonly stage: "motion"; readonly at: Milliseconds; readonly seen: MotionSeen }
  | {
      readonly stage: "detector"
      readonly at: Milliseconds
      readonly boxes: readonly Box[]
      /** Those in place, and where something is not as it was; not yet by score. */
      readonly counted: readonly Box[]
    }
  | { readonly stage: "detector failed"; readonly at: Milliseconds; readonly reason: string }
  | { readonly stage: "vote"; readonly at: Milliseconds; readonly scores: Scores; readonly medians: Scores }
  | { readonly stage: "verdict"; readonly at: Milliseconds; readonly verdict: Verdict }
export type Observer = (said: StageSaid) => void

export interface RecogniserParts {
  readonly settings: RecogniseSettings
  /** null: no model; then what moves says it. */
  readonly detector: Detector | null
  readonly observe?: Observer
}

/** A detector that has not answered for so long hangs. Until then it is slow, and looks less often. */
const HANGS_AFTER: Milliseconds = seconds(15)

/** What the difference to the background says nothing about. */
const CANNOT_TELL: readonly MotionKind[] = ["settling", "dark", "light"]

/** When the picture was taken that the detector still thinks about, maybe for an event that is over; null: it is free. */
interface Asked {
  since: Milliseconds | null
}

/**
 * One camera's stages, the same in a camera and in a replay. It keeps what it learnt of the scene from event to event.
 * Frames come masked already, in order, one after another.
 */
export class Recogniser {
  readonly #parts: RecogniserParts
  readonly #motion = new Motion()
  readonly #observe: Observer
  readonly #asked: Asked = { since: null }

  constructor(parts: RecogniserParts) {
    this.#parts = parts
    this.#observe = parts.observe ?? (() => undefined)
  }

  /** A frame outside events, before the trigger for instance. @throws Fault "malformed": see `frameFlaw`. */
  learn(frame: Frame): MotionSeen {
    const seen = this.#motion.look(frame)
    this.#observe({ stage: "motion", at: frame.at, seen })
    return seen
  }

  begin(trigger: Trigger): Recognition {
    return new Recognition(this.#parts, this.#motion, this.#asked, this.#observe, trigger)
  }
}

/** Of one frame. */
interface Shown {
  readonly scores: Scores
  /** What the frame before showed, as this one tells. */
  readonly earlier: Scores
  /** The next frame will tell more. */
  readonly waits: boolean
}

/** Pictures come a little early or late: one that is early is better than none for twice as long. */
export const EARLY = 0.9

const NOTHING: Shown = { scores: NOBODY, earlier: NOBODY, waits: false }

/** One event. */
export class Recognition {
  readonly #parts: RecogniserParts
  readonly #motion: Motion
  readonly #asked: Asked
  readonly #observe: Observer
  readonly #vote: Vote
  readonly #travel: Travel
  readonly #moved: MotionVerdict
  #at: Milliseconds
  #askedAt: Milliseconds = Number.NEGATIVE_INFINITY
  #verdict: Verdict | null = null
  /** The detector failed at some frame of this event: its silence says nothing then. */
  #blind = false

  constructor(parts: RecogniserParts, motion: Motion, asked: Asked, observe: Observer, trigger: Trigger) {
    this.#parts = parts
    this.#motion = motion
    this.#asked = asked
    this.#observe = observe
    this.#vote = new Vote(parts.settings)
    this.#travel = new Travel(parts.settings.minScore.vehicle)
    this.#moved = new MotionVerdict(trigger.at)
    this.#at = trigger.at
    if (trigger.kind === "bell") this.#decide({ keep: true, label: null, by: "bell" })
  }

  /** null: not settled yet. The first verdict counts. */
  get verdict(): Verdict | null {
    return this.#verdict
  }

  /** The next frame of the event. Resolves when every stage has spoken, or `signal` aborts. Never rejects. */
  async look(frame: Frame, signal: AbortSignal): Promise<Verdict | null> {
    if (this.#verdict) return this.#verdict
    this.#at = frame.at
    const seen = this.#motion.look(frame)
    this.#observe({ stage: "motion", at: frame.at, seen })
    const moved = this.#moved.add(seen, frame.at)
    const { detector } = this.#parts
    if (!detector || this.#blind) this.#settle(moved, "motion")
    else if (this.#isDue(frame.at)) {
      this.#askedAt = frame.at
      const scores = seen.kind === "still" ? NOTHING : await this.#scores(detector, frame, seen, signal)
      if (scores) this.#settle(this.#add(scores, frame.at), "vote")
    }
    return this.#verdict
  }

  /** There are no more frames, or there is no more time. */
  conclude(): Verdict {
    const hasLooked = this.#vote.looks > 0 && !this.#blind
    if (hasLooked) this.#settle(this.#vote.conclude(), "vote")
    else if (!this.#parts.detector || this.#blind) this.#settle(this.#moved.conclude(), "motion")
    return this.#verdict ?? this.#decide({ keep: true, label: null, by: "too late" })
  }

  #add({ scores, earlier, waits }: Shown, at: Milliseconds): Outcome | null {
    const outcome = this.#vote.add(scores, earlier, waits)
    this.#observe({ stage: "vote", at, scores, medians: this.#vote.medians })
    return outcome
  }

  /** Who thinks is not asked: what comes meanwhile goes by. */
  #isDue(at: Milliseconds): boolean {
    const { since } = this.#asked
    if (since === null) return at - this.#askedAt >= this.#parts.settings.detectEvery * EARLY
    if (at - since >= HANGS_AFTER) this.#failed(at, "it does not answer")
    return false
  }

  /** null: the detector did not answer, or with what is no answer. */
  async #scores(
    detector: Detector,
    frame: Frame,
    { kind }: MotionSeen,
    signal: AbortSignal,
  ): Promise<Shown | null> {
    this.#asked.since = frame.at
    const ask = async () => {
      try {
        return await detector.detect(frame, signal)
      } finally {
        this.#asked.since = null
      }
    }
    try {
      const boxes = await unlessAborted(ask(), signal)
      if (boxes === null) return null
      const flaw = boxesFlaw(boxes)
      if (flaw !== null) return this.#failed(frame.at, flaw)
      const { settings } = this.#parts
      const travelled = this.#travel.look(boxes)
      const placed = inPlace(travelled.boxes, settings)
      const counted = CANNOT_TELL.includes(kind)
        ? placed
        : placed.filter((box) => this.#motion.differsWithin(box))
      this.#observe({ stage: "detector", at: frame.at, boxes: travelled.boxes, counted })
      return {
        scores: scoresOf(counted),
        earlier: scoresOf(inPlace(travelled.earlier, settings)),
        waits: travelled.newcomers.length > 0,
      }
    } catch (error) {
      return signal.aborted ? null : this.#failed(frame.at, messageOf(error))
    }
  }

  /** What moves decides from here on. */
  #failed(at: Milliseconds, reason: string): null {
    this.#blind = true
    this.#observe({ stage: "detector failed", at, reason })
    return null
  }

  #settle(outcome: Outcome | null, by: "vote" | "motion"): void {
    if (outcome) this.#decide({ keep: outcome.keep, label: outcome.keep ? outcome.label : null, by })
  }

  #decide(verdict: Verdict): Verdict {
    this.#verdict ??= verdict
    this.#observe({ stage: "verdict", at: this.#at, verdict: this.#verdict })
    return this.#verdict
  }
}

/** Why a frame cannot be looked at; null: it can. */
export function frameFlaw({ at, width, height, luma, chroma }: Frame): string | null {
  const isSide = (side: number) => Number.isInteger(side) && side >= 1 && side <= FRAME_SIDE_MAX
  if (!isSide(width) || !isSide(height)) return `a picture of ${width}x${height}`
  if (luma.length !== width * height) return `a picture of ${width}x${height} with ${luma.length} bytes`
  const half = Math.ceil(width / 2) * Math.ceil(height / 2)
  if (chroma && (chroma.blue.length !== half || chroma.red.length !== half))
    return `a picture of ${width}x${height} with the colour of another size`
  return Number.isFinite(at) ? null : "a picture without a time"
}
