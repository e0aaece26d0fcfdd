import type { Trigger } from "../clip.ts"
import { type FaultKind, isFault, messageOf } from "../errors.ts"
import type { Ring } from "../media/ring.ts"
import type { Board, Frame, Frames } from "../ports.ts"
import { type Milliseconds, seconds } from "../units.ts"
import { keyFramesOf } from "./key-frames.ts"
import { Masks } from "./mask.ts"
import { frameFlaw, Recogniser, type StageSaid } from "./recognise.ts"
import type { RecogniseSettings } from "./settings.ts"
import { untilAborted } from "./unless-aborted.ts"
import type { Verdict } from "./verdict.ts"

export type EyesBoard = Pick<Board, "clock" | "log" | "frames" | "decoder" | "detector">

/** How long before the trigger the background is learnt from, where there are pictures of it. */
const LOOK_BACK: Milliseconds = seconds(10)

/**
 * What a camera looks with, and what it knows of its scene. Nothing is drawn, decoded or kept before the first event.
 * Whatever frames and detector do, there is a verdict in time, and a line in the log where one of them fails.
 */
export class Eyes {
  readonly #board: EyesBoard
  readonly #settings: RecogniseSettings
  readonly #frames: Frames | null
  readonly #masks: Masks
  #recogniser: Recogniser | null = null
  #newest: Milliseconds = Number.NEGATIVE_INFINITY
  /** What was wrong in the latest event, for it is said once and not once a picture. */
  #told: readonly string[] = []
  #toldBefore: readonly string[] = []

  constructor(board: EyesBoard, ring: Ring, settings: RecogniseSettings) {
    const { clock, frames, decoder } = board
    this.#board = board
    this.#settings = settings
    this.#masks = new Masks(settings.masks)
    this.#frames = frames ?? (decoder ? keyFramesOf(ring, decoder, clock) : null)
  }

  /** Says in the log what this camera recognises by, and what it lacks. */
  introduce(): void {
    const by = this.#frames === null ? "nothing" : this.#board.detector ? "detector" : "motion"
    this.#board.log.write({ event: "recognition", by, lacks: LACKS[by] })
  }

  /** Within `within` of now, or as soon as `signal` aborts, which drops nothing any more. */
  async judge(trigger: Trigger, within: Milliseconds, signal: AbortSignal): Promise<Verdict> {
    if (trigger.kind === "bell") return { keep: true, label: null, by: "bell" }
    if (this.#frames === null) return { keep: true, label: null, by: "no frames" }
    const time = this.#within(within, signal)
    try {
      const verdict = await this.#look(this.#frames, trigger, time.signal)
      return signal.aborted && !verdict.keep ? { keep: true, label: null, by: "too late" } : verdict
    } finally {
      time.end()
    }
  }

  /**
   * What a clip may be shown by where there are privacy masks: the first frame from the trigger on, masked. null: none
   * came within `within`, or before `signal` aborted.
   */
  async covered(trigger: Trigger, within: Milliseconds, signal: AbortSignal): Promise<Frame | null> {
    if (this.#frames === null) return null
    const time = this.#within(within, signal)
    try {
      for await (const frame of untilAborted(this.#frames.frames(trigger.at, time.signal), time.signal))
        if (frame.at >= trigger.at && frameFlaw(frame) === null) return this.#masks.apply(frame)
    } catch (error) {
      this.#tell("frames", isFault(error) ? error.kind : "unknown", messageOf(error))
    } finally {
      time.end()
    }
    return null
  }

  /** A signal that aborts after `within`, with `signal`, or at `end`. */
  #within(within: Milliseconds, signal: AbortSignal): { readonly signal: AbortSignal; end(): void } {
    const over = new AbortController()
    const stop = () => over.abort()
    const cancel = this.#board.clock.after(within, stop)
    signal.addEventListener("abort", stop, { once: true })
    if (signal.aborted) stop()
    const end = () => {
      cancel()
      signal.removeEventListener("abort", stop)
      stop()
    }
    return { signal: over.signal, end }
  }

  async #look(frames: Frames, trigger: Trigger, signal: AbortSignal): Promise<Verdict> {
    this.#recogniser ??= new Recogniser({
      settings: this.#settings,
      detector: this.#board.detector ?? null,
      observe: (said) => this.#hear(said),
    })
    const recogniser = this.#recogniser
    this.#toldBefore = this.#told
    this.#told = []
    const recognition = recogniser.begin(trigger)
    try {
      for await (const frame of untilAborted(frames.frames(trigger.at - LOOK_BACK, signal), signal)) {
        const flaw = frameFlaw(frame)
        if (flaw !== null) this.#tell("frames", "malformed", flaw)
        if (flaw !== null || frame.at <= this.#newest) continue
        this.#newest = frame.at
        // Where frames come in: nothing behind this sees what is under a mask.
        const shown = this.#masks.apply(frame)
        if (frame.at < trigger.at) recogniser.learn(shown)
        else if (await recognition.look(shown, signal)) break
      }
    } catch (error) {
      this.#tell("frames", isFault(error) ? error.kind : "unknown", messageOf(error))
    }
    return recognition.conclude()
  }

  #hear(said: StageSaid): void {
    if (said.stage === "detector failed") this.#tell("detector", "unavailable", said.reason)
  }

  #tell(where: "frames" | "detector", kind: FaultKind | "unknown", reason: string): void {
    const line = `${where}: ${reason}`
    if (this.#told.includes(line)) return
    this.#told = [...this.#told, line]
    if (!this.#toldBefore.includes(line)) this.#board.log.write({ event: "fault", where, kind, reason })
  }
}

const LACKS = {
  detector: null,
  motion: "a model: it drops only what surely is nobody, and labels nothing",
  nothing: "pictures to recognise by: it keeps whatever wakes it",
} as const
