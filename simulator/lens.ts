import { setImmediate } from "node:timers/promises"
import { Fault } from "../firmware/errors.ts"
import type { Clock, Lens, Piece, Random } from "../firmware/ports.ts"
import { type Milliseconds, millisecondsOf, type Seconds } from "../firmware/units.ts"
import { type LensFaults, noFaults } from "./faults.ts"
import { CANARY_BYTES_MAX, markTemplate } from "./sei.ts"
import { awkward, momentOf, piecesOf, type Shot, type Split } from "./shot.ts"

export interface LensOptions extends Shot {
  readonly clock: Clock
  /**
   * "real" (default): a group of pictures is there when its last picture's time is over, as from a camera. "unpaced":
   * as fast as the consumer pulls, other work allowed in between.
   */
  readonly pace?: "real" | "unpaced"
  /** Cuts the same bytes into small pieces anywhere, as a pipe's reads would. Absent: whole groups, uncopied. */
  readonly split?: Split
  /** For its `split` fault. */
  readonly random?: Random
  /** In real pace: lets the lens rest while nobody can look at its pictures. */
  readonly rest?: Rest
}

/**
 * While nobody can look, a lens need not give a thing: a ring that nobody reads is the same whenever it was filled. Once
 * somebody can, all that is overdue comes at once, with the times at which it was due. For virtual days: it hears of
 * `faults` only when it is watched.
 */
export interface Rest {
  /** Somebody may look, now or before the next group. */
  readonly watched: boolean
  /** Resolves at once when somebody may look, or `signal` aborts. */
  untilWatched(signal: AbortSignal): Promise<void>
  /** How far back anybody will look then: what is older is counted, and left out. */
  readonly lookBack: Milliseconds
}

/**
 * A camera that shows footage for ever. Before each key frame it puts a mark of its own, so that no two cameras' streams
 * are alike; all other bytes are the footage's, shared by all. Group numbers and timestamps go on across loops and
 * across calls of `pieces`; the first unit has dts 0.
 *
 * In real time it costs one timer and two small objects a group.
 */
export class VirtualLens implements Lens {
  faults: LensFaults = noFaults.lens
  readonly #options: LensOptions
  readonly #template: Uint8Array
  #gaps: { readonly missed: Set<number>; readonly torn: Set<number> } | null = null
  #group = 0
  #handedAt: Milliseconds | null = null

  /** @throws Fault "usage", definite: a canary that does not fit. */
  constructor(options: LensOptions) {
    if (Buffer.byteLength(options.canary) > CANARY_BYTES_MAX || options.canary.includes("\0"))
      throw new Fault("usage", `a canary of more than ${CANARY_BYTES_MAX} bytes`)
    this.#options = options
    this.#template = markTemplate(options)
  }

  get gaps(): { readonly missed: Set<number>; readonly torn: Set<number> } {
    this.#gaps ??= { missed: new Set(), torn: new Set() }
    return this.#gaps
  }

  /** How many groups of pictures have been taken, given or not. */
  get groups(): number {
    return this.#group
  }

  /**
   * Which moment of the footage, in seconds, the camera sees, or saw, at `at`: counted from the end of its latest group,
   * on or back.
   */
  positionAt(at: Milliseconds): Seconds {
    const { footage } = this.#options
    const { group } = momentOf(this.#options, this.#group)
    const since = this.#handedAt === null ? 0 : at - this.#handedAt
    const loop = millisecondsOf(footage.duration)
    return ((((millisecondsOf(group.start) + since) % loop) + loop) % loop) / 1_000
  }

  async *pieces(signal: AbortSignal): AsyncIterable<Piece> {
    const { clock, random, rest, pace = "real" } = this.#options
    let due: Milliseconds = clock.monotonic()
    while (!signal.aborted) {
      let moment = momentOf(this.#options, this.#group)
      if (pace === "real" || this.faults.stalled) {
        due += millisecondsOf(moment.group.duration)
        if (rest) due = await this.#restUntil(due, rest, signal)
        else await clock.sleep(Math.max(0, together(due) - clock.monotonic()), signal)
        moment = momentOf(this.#options, this.#group)
      } else await setImmediate()
      if (signal.aborted) return
      if (this.faults.dead) {
        this.gaps.torn.add(this.#group - 1)
        throw new Fault("unavailable", "the virtual lens gives nothing", { definite: false })
      }
      const at = rest ? Math.min(together(due), clock.monotonic()) : clock.monotonic()
      const ordinal = this.#group++
      this.#handedAt = at
      if (this.faults.stalled) {
        this.gaps.missed.add(ordinal)
        continue
      }
      const pieces = piecesOf(this.#template, ordinal, moment, at)
      const split = this.#options.split ?? (this.faults.split && random ? { random, timed: true } : null)
      if (split) yield* awkward(pieces, moment, split)
      else yield* pieces
    }
  }

  /** Waits for the next group, due at `due`. Returns when the group is due that is next then: later, after a long rest. */
  async #restUntil(due: Milliseconds, rest: Rest, signal: AbortSignal): Promise<Milliseconds> {
    const { clock, footage } = this.#options
    let next = due
    if (together(next) > clock.monotonic()) {
      await rest.untilWatched(signal)
      // Left out by whole loops of the footage.
      const loops = (clock.monotonic() - rest.lookBack - next) / millisecondsOf(footage.duration)
      if (loops >= 1) {
        this.#group += Math.floor(loops) * footage.groups.length
        next += Math.floor(loops) * millisecondsOf(footage.duration)
      }
    }
    if (together(next) > clock.monotonic())
      await clock.sleep(Math.max(0, together(next) - clock.monotonic()), signal)
    return next
  }
}

/**
 * The next full 20 ms: cameras that are due at about the same time wake the process once. A thousand separate wakings a
 * second cost more than all that is done in them.
 */
function together(due: Milliseconds): Milliseconds {
  return Math.ceil(due / 20) * 20
}
