import { Buffer } from "node:buffer"
import type { Segment } from "../clip.ts"
import { Fault } from "../errors.ts"
import type { Bytes, Ticks90k } from "../units.ts"
import type { DecodableUnit } from "./annexb.ts"
import {
  BOX_HEADER_BYTES,
  moofBytes,
  NAL_LENGTH_BYTES,
  type Sample,
  TIMESCALE,
  writeFragmentHeader,
  writeFree,
} from "./boxes.ts"
import { initialization } from "./initialization.ts"
import { nalBytes } from "./nal.ts"
import type { ParameterSets } from "./parameter-sets.ts"

/** The total size to fill up to, at least the one given. */
export type Pad = (bytes: Bytes) => Bytes

/** What a picture lasts of which nothing is known: it is the only one. */
const LONE_PICTURE: Ticks90k = TIMESCALE

/**
 * Access units to the segments of one clip (box tree: `boxes.ts`). Joined in order they are one playable fragmented
 * MP4 whose samples hold the access units bit for bit, each NAL unit behind its length.
 *
 * The clip begins at time 0, in decoding and, by an edit list where pictures wait for their output, in presentation.
 */
export class Muxer {
  readonly #sets: ParameterSets
  readonly #pad: Pad
  readonly #start: Ticks90k
  /** How long the first picture waits for its output; negative where dts was given too late for that. */
  readonly #delay: Ticks90k
  #index = 0
  #lastDuration: Ticks90k = LONE_PICTURE

  /** `first`: the clip's first unit, a key frame. All others must have its parameter sets. */
  constructor(first: DecodableUnit, pad: Pad) {
    this.#sets = first.sets
    this.#pad = pad
    this.#start = first.dts
    this.#delay = first.pts - first.dts
  }

  /**
   * `next`: dts of the unit after these, which ends the last one; null: unknown, it lasts as long as the one before.
   * @throws Fault "broken": no units, units of another clip, or dts that does not rise.
   */
  segment(units: readonly DecodableUnit[], next: Ticks90k | null, last: boolean): Segment {
    const samples = this.#samples(units, next)
    const [first] = units
    if (first === undefined) throw new Fault("broken", "a segment without units")
    const head = this.#index === 0 ? initialization(this.#sets, this.#delay) : NOTHING
    let size = head.length + moofBytes(samples.length) + BOX_HEADER_BYTES
    for (const sample of samples) size += sample.size
    const padding = paddingFor(size, this.#pad)
    // Not from the pool: a segment is as large as it says and alone in its memory.
    const bytes = Buffer.allocUnsafeSlow(size + padding)
    head.copy(bytes)
    const fragment = { sequence: this.#index + 1, decodeTime: first.dts - this.#start, samples }
    let at = writeFragmentHeader(bytes, head.length, fragment)
    for (const unit of units)
      for (const nal of unit.nals) {
        at = bytes.writeUInt32BE(nalBytes(nal), at)
        for (const part of nal) {
          bytes.set(part, at)
          at += part.length
        }
      }
    if (padding > 0) writeFree(bytes, at, padding)
    const duration = samples.reduce((sum, sample) => sum + sample.duration, 0)
    return { index: this.#index++, bytes, padding, units: units.length, duration, last }
  }

  #samples(units: readonly DecodableUnit[], next: Ticks90k | null): Sample[] {
    return units.map((unit, i) => {
      if (unit.sets !== this.#sets)
        throw new Fault("broken", "a unit with other parameter sets than its clip")
      const end = units[i + 1]?.dts ?? next
      const duration = end === null ? this.#lastDuration : end - unit.dts
      if (!(duration > 0)) throw new Fault("broken", "decoding times do not rise")
      this.#lastDuration = duration
      const compositionOffset = unit.pts - unit.dts - Math.min(0, this.#delay)
      return { duration, size: sampleBytes(unit), sync: unit.keyFrame, compositionOffset }
    })
  }
}

/**
 * One key frame as an MP4 of its own that lasts a second: the thumbnail. `note` stands at the beginning of the `free`
 * box that fills it up, where no player looks (ISO/IEC 14496-12 §8.1.2); zeros follow.
 */
export function still(unit: DecodableUnit, pad: Pad, note: Uint8Array): Uint8Array {
  const withRoom: Pad = (size) => pad(size + BOX_HEADER_BYTES + note.length)
  const { bytes, padding } = new Muxer(unit, withRoom).segment([unit], null, true)
  bytes.set(note, bytes.length - padding + BOX_HEADER_BYTES)
  return bytes
}

/** What `unit` takes in `mdat`. */
export function sampleBytes({ nals }: DecodableUnit): Bytes {
  let size = nals.length * NAL_LENGTH_BYTES
  for (const nal of nals) size += nalBytes(nal)
  return size
}

const NOTHING = Buffer.alloc(0)

/** A `free` box has at least 8 bytes: where fewer are left, it goes to the next size. */
function paddingFor(size: Bytes, pad: Pad): Bytes {
  const wanted = pad(size)
  const total = wanted > size && wanted < size + BOX_HEADER_BYTES ? pad(size + BOX_HEADER_BYTES) : wanted
  const padding = total - size
  if (padding !== 0 && !(padding >= BOX_HEADER_BYTES)) throw new Fault("broken", "padding that shrinks")
  return padding
}
