import { Fault } from "../firmware/errors.ts"
import type { PictureTime, Piece, Random } from "../firmware/ports.ts"
import type { Milliseconds, Ticks90k } from "../firmware/units.ts"
import { type Footage, type GroupOfPictures, unitsOf } from "./footage.ts"
import { withoutStartCode } from "./nals.ts"
import { writeMark, writeSei } from "./sei.ts"

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

/** An access unit exactly as camera and footage make it. */
export interface ExpectedUnit {
  /** Without start codes. */
  readonly nals: readonly Uint8Array[]
  readonly keyFrame: boolean
  readonly pts: Ticks90k
  readonly dts: Ticks90k
}

/**
 * What a camera gave as its groups `from` (included) to `to` (not included), those left out that are `missed`: the
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
    const mark = withoutStartCode(writeSei({ camera: shot.camera, group: ordinal, canary: shot.canary }))
    for (const [index, { nals }] of unitsOf(group).entries()) {
      const { pts, dts } = timeAt(group, index, base)
      yield { nals: index === 0 ? withMark(nals, mark, group) : nals, keyFrame: index === 0, pts, dts }
    }
  }
}

const NONE: ReadonlySet<number> = new Set()
const NOTHING = new Uint8Array()

/** Groups of pictures that a lens did not give as it should. */
export interface Gaps {
  /** They went by, and nobody got them. */
  readonly missed: ReadonlySet<number>
  /** The lens died after them: who gets its bytes in pieces cannot know whether the last picture is whole. */
  readonly torn: ReadonlySet<number>
}
export const noGaps: Gaps = { missed: NONE, torn: NONE }

export interface Moment {
  readonly group: GroupOfPictures
  /** When the group begins in the camera's own time. */
  readonly base: Ticks90k
}

export function momentOf({ footage: { groups, duration }, offset = 0 }: Shot, ordinal: number): Moment {
  const first = ((offset % groups.length) + groups.length) % groups.length
  const position = first + ordinal
  const group = groups[position % groups.length]
  const start = groups[first]?.start
  if (!group || start === undefined) throw new Fault("broken", "a footage without groups of pictures")
  return { group, base: Math.floor(position / groups.length) * duration + group.start - start }
}

/** `template`: the camera's, as `markTemplate` makes it. */
export function piecesOf(
  template: Uint8Array,
  ordinal: number,
  moment: Moment,
  at: Milliseconds,
): [Piece, Piece] {
  return [new MarkOfGroup(template, ordinal, moment, at), new RestOfGroup(moment, at)]
}

// Most groups leave the pre-roll ring unread, so a piece holds what its bytes and times can be worked out from.

/** What the camera puts before a group: the mark, behind the delimiter. */
class MarkOfGroup implements Piece {
  readonly at: Milliseconds
  readonly #template: Uint8Array
  readonly #ordinal: number
  readonly #moment: Moment

  constructor(template: Uint8Array, ordinal: number, moment: Moment, at: Milliseconds) {
    this.#template = template
    this.#ordinal = ordinal
    this.#moment = moment
    this.at = at
  }

  get bytes(): Uint8Array {
    const { bytes, delimiterBytes } = this.#moment.group
    // An access unit delimiter comes before everything else of its unit (ISO/IEC 14496-10 §7.4.1.2.3).
    const delimiter = delimiterBytes === 0 ? NOTHING : bytes.subarray(0, delimiterBytes)
    return writeMark(this.#template, this.#ordinal, delimiter)
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

function withMark(nals: readonly Uint8Array[], mark: Uint8Array, group: GroupOfPictures): Uint8Array[] {
  const at = group.delimiterBytes > 0 ? 1 : 0
  return [...nals.slice(0, at), mark, ...nals.slice(at)]
}

/** Mostly reads of a few KiB, now and then of a few bytes, so that start codes and headers are cut too. */
export function* awkward(whole: readonly [Piece, Piece], { group, base }: Moment, { random, timed }: Split) {
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
