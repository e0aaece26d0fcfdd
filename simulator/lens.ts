import { setImmediate } from "node:timers/promises"
import { Fault } from "../firmware/errors.ts"
import type { Clock, Lens, PictureTime, Piece, Random } from "../firmware/ports.ts"
import { type Milliseconds, millisecondsOf, type Seconds, type Ticks90k } from "../firmware/units.ts"
import { type LensFaults, noFaults } from "./faults.ts"
import { type Footage, type GroupOfPictures, unitsOf } from "./footage.ts"
import { withoutStartCode } from "./nals.ts"
import { CANARY_BYTES_MAX, writeSei } from "./sei.ts"

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

/** What decides which bytes a camera gives. */
export interface Shot {
  readonly footage: Footage
  /** The camera's index. */
  readonly camera: number
  /** In the mark before every key frame (`sei.ts`). */
  readonly canary: string
  /** The group of the footage at which the camera starts; any whole number. */
  readonly offset?: number
}

export interface Split {
  readonly random: Random
  /** Says when the access units that begin in a piece were taken, as `--save-pts` does. Absent: no hints at all. */
  readonly timed?: boolean
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
  /** Groups that went by while nobody got them. */
  readonly missed = new Set<number>()
  #group = 0
  #handedAt: Milliseconds | null = null

  /** @throws Fault "usage", definite: a canary that does not fit. */
  constructor(options: LensOptions) {
    if (Buffer.byteLength(options.canary) > CANARY_BYTES_MAX)
      throw new Fault("usage", `a canary of more than ${CANARY_BYTES_MAX} bytes`)
    this.#options = options
  }

  /** How many groups of pictures have been taken, given or not. */
  get groups(): number {
    return this.#group
  }

  /** Which moment of the footage, in seconds, the camera sees at `at`: counted on from the end of its latest group. */
  positionAt(at: Milliseconds): Seconds {
    const { footage } = this.#options
    const { group } = momentOf(this.#options, this.#group)
    const since = this.#handedAt === null ? 0 : Math.max(0, at - this.#handedAt)
    return ((millisecondsOf(group.start) + since) % millisecondsOf(footage.duration)) / 1_000
  }

  async *pieces(signal: AbortSignal): AsyncIterable<Piece> {
    const { clock, random, rest, pace = "real" } = this.#options
    let due: Milliseconds = clock.monotonic()
    while (!signal.aborted) {
      let moment = momentOf(this.#options, this.#group)
      if (pace === "real" || this.faults.stalled) {
        due = await this.#waitFor(due + millisecondsOf(moment.group.duration), signal)
        moment = momentOf(this.#options, this.#group)
      } else await setImmediate()
      if (signal.aborted) return
      if (this.faults.dead)
        throw new Fault("unavailable", "the virtual lens gives nothing", { definite: false })
      const at = rest ? Math.min(together(due), clock.monotonic()) : clock.monotonic()
      const ordinal = this.#group++
      this.#handedAt = at
      if (this.faults.stalled) {
        this.missed.add(ordinal)
        continue
      }
      const pieces = piecesOf(this.#options, ordinal, moment, at)
      const split = this.#options.split ?? (this.faults.split && random ? { random, timed: true } : null)
      if (split) yield* awkward(pieces, moment, split)
      else yield* pieces
    }
  }

  /** Waits for the next group, due at `due`. Returns when the group is due that is next then: later, after a long rest. */
  async #waitFor(due: Milliseconds, signal: AbortSignal): Promise<Milliseconds> {
    const { clock, rest, footage } = this.#options
    let next = due
    if (rest && together(next) > clock.monotonic()) {
      await rest.untilWatched(signal)
      // Left out by whole loops of the footage.
      const loops = (clock.monotonic() - rest.lookBack - next) / millisecondsOf(footage.duration)
      if (loops >= 1) {
        this.#group += Math.floor(loops) * footage.groups.length
        next += Math.floor(loops) * millisecondsOf(footage.duration)
      }
    }
    if (!rest || together(next) > clock.monotonic())
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

/** An access unit exactly as camera and footage make it. */
export interface ExpectedUnit {
  /** Without start codes. */
  readonly nals: readonly Uint8Array[]
  readonly keyFrame: boolean
  readonly pts: Ticks90k
  readonly dts: Ticks90k
}

/**
 * What a camera gave as its groups `from` (included) to `to` (not included), those left out that it `missed`: the
 * source, for a judge who found the number of a group in an opened clip's mark. Made anew from the footage, not
 * remembered.
 */
export function* expectedUnits(
  shot: Shot,
  from: number,
  to: number,
  missed: ReadonlySet<number> = NONE,
): Generator<ExpectedUnit> {
  for (let ordinal = from; ordinal < to; ordinal++) {
    if (missed.has(ordinal)) continue
    const { group, base } = momentOf(shot, ordinal)
    const mark = withoutStartCode(markOf(shot, ordinal))
    for (const [index, { nals }] of unitsOf(group).entries()) {
      const { pts, dts } = timeAt(group, index, base)
      yield { nals: index === 0 ? withMark(nals, mark, group) : nals, keyFrame: index === 0, pts, dts }
    }
  }
}

const NONE: ReadonlySet<number> = new Set()

interface Moment {
  readonly group: GroupOfPictures
  /** When the group begins in the camera's own time. */
  readonly base: Ticks90k
}

function momentOf({ footage: { groups, duration }, offset = 0 }: Shot, ordinal: number): Moment {
  const first = ((offset % groups.length) + groups.length) % groups.length
  const position = first + ordinal
  const group = groups[position % groups.length]
  const start = groups[first]?.start
  if (!group || start === undefined) throw new Fault("broken", "a footage without groups of pictures")
  return { group, base: Math.floor(position / groups.length) * duration + group.start - start }
}

function piecesOf(shot: Shot, ordinal: number, moment: Moment, at: Milliseconds): [Piece, Piece] {
  return [new MarkOfGroup(shot, ordinal, moment, at), new RestOfGroup(moment, at)]
}

// Most groups leave the pre-roll ring unread, so a piece holds what its bytes and times can be worked out from.

/** What the camera puts before a group: the mark, behind the delimiter. */
class MarkOfGroup implements Piece {
  readonly at: Milliseconds
  readonly #shot: Shot
  readonly #ordinal: number
  readonly #moment: Moment

  constructor(shot: Shot, ordinal: number, moment: Moment, at: Milliseconds) {
    this.#shot = shot
    this.#ordinal = ordinal
    this.#moment = moment
    this.at = at
  }

  get bytes(): Uint8Array {
    const { bytes, delimiterBytes } = this.#moment.group
    // An access unit delimiter comes before everything else of its unit (ISO/IEC 14496-10 §7.4.1.2.3).
    return markOf(this.#shot, this.#ordinal, bytes.subarray(0, delimiterBytes))
  }

  get timing(): readonly PictureTime[] {
    return [timeAt(this.#moment.group, 0, this.#moment.base)]
  }

  get startsKeyFrame(): boolean {
    return true
  }

  get endsUnit(): boolean {
    return false
  }
}

/** The bytes that are shared. */
class RestOfGroup implements Piece {
  readonly at: Milliseconds
  readonly #moment: Moment

  constructor(moment: Moment, at: Milliseconds) {
    this.#moment = moment
    this.at = at
  }

  get bytes(): Uint8Array {
    const { bytes, delimiterBytes } = this.#moment.group
    return delimiterBytes === 0 ? bytes : bytes.subarray(delimiterBytes)
  }

  /** Of the units after the first, which began with the mark. */
  get timing(): readonly PictureTime[] {
    const { group, base } = this.#moment
    return group.timing.slice(1).map((_, index) => timeAt(group, index + 1, base))
  }

  get startsKeyFrame(): boolean {
    return false
  }

  get endsUnit(): boolean {
    return true
  }
}

function timeAt(group: GroupOfPictures, index: number, base: Ticks90k): PictureTime {
  const time = group.timing[index]
  if (!time) throw new Fault("broken", "a group of pictures with fewer times than units")
  return { pts: time.pts + base, dts: time.dts + base }
}

function markOf({ camera, canary }: Shot, group: number, before?: Uint8Array): Uint8Array {
  return writeSei({ camera, group, canary }, before)
}

function withMark(nals: readonly Uint8Array[], mark: Uint8Array, group: GroupOfPictures): Uint8Array[] {
  const at = group.delimiterBytes > 0 ? 1 : 0
  return [...nals.slice(0, at), mark, ...nals.slice(at)]
}

/** Mostly reads of a few KiB, now and then of a few bytes, so that start codes and headers are cut too. */
function* awkward(whole: readonly [Piece, Piece], { group, base }: Moment, { random, timed }: Split) {
  const bytes = Buffer.concat(whole.map((piece) => piece.bytes))
  const added = bytes.length - group.bytes.length
  const starts = timed ? unitsOf(group).map(({ start }, index) => (index === 0 ? 0 : start + added)) : []
  let unit = 0
  for (let from = 0; from < bytes.length; ) {
    const most = random.next() < 0.2 ? 8 : 16_384
    const to = Math.min(bytes.length, from + 1 + Math.floor(random.next() ** 3 * most))
    const piece = { bytes: bytes.subarray(from, to), at: whole[0].at }
    const timing: PictureTime[] = []
    for (; (starts[unit] ?? Infinity) < to; unit++) timing.push(timeAt(group, unit, base))
    yield timed ? { ...piece, timing } : piece
    from = to
  }
}
