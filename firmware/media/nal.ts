import { Buffer } from "node:buffer"
import type { NalUnit } from "../clip.ts"
import type { PictureTime, Piece } from "../ports.ts"
import { type Bytes, KiB, type Milliseconds } from "../units.ts"

/**
 * The byte stream format (ISO/IEC 14496-10 Annex B):
 *
 *   { leading_zero_8bits* · [zero_byte] · 00 00 01 · NAL unit · trailing_zero_8bits* }*
 *
 * A NAL unit never ends in 00 and never holds 00 00 01 (§7.4.1), so a search for 00 00 01 finds every start code.
 */

/** NAL unit types (§7.4.1, table 7-1). */
export const NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, delimiter: 9 } as const
export const START_CODE = Buffer.from([0, 0, 1])

export const nalType = (nal: Uint8Array): number => (nal[0] ?? 0) & 31

/** First slices, and all that may stand before one: after a slice, they begin the next access unit (§7.4.1.2.3). */
export const precedesPicture = (type: number): boolean =>
  (type >= NAL.sei && type <= NAL.delimiter) || (type >= 14 && type <= 18)

/** Of the slice whose header byte is at `at`: first_mb_in_slice, which comes first, is 0, as ue(v) a single 1 bit (§7.3.3, §9.1). */
export function beginsPicture(bytes: Uint8Array, at = 0): boolean {
  return ((bytes[at + 1] ?? 0) & 0x80) !== 0
}

/** The piece in which a start code began. */
export interface Origin {
  readonly at: Milliseconds
  readonly timing: readonly PictureTime[] | undefined
  /** How many access units began in it so far. */
  begun: number
}

export function nalBytes(nal: NalUnit): Bytes {
  let size = 0
  for (const part of nal) size += part.length
  return size
}

/** In one piece of memory, which is a copy where there are several parts. */
export function joined(nal: NalUnit): Uint8Array {
  return nal.length === 1 ? nal[0] : Buffer.concat(nal)
}

export interface NalSink {
  /** `tooLarge`: only the first bytes of it. */
  nal(nal: NalUnit, origin: Origin, tooLarge: boolean): void
  /** Bytes that belong to no NAL unit. */
  stray(): void
}

/** Kept of a NAL unit that is too large, and in one part of any other: enough to see what it is. */
const HEAD_BYTES = 64
/** So many parts of one NAL unit become one: a pipe that gives single bytes must not cost an object for each. */
const PARTS_MAX = 256
/** Parts that are smaller in the mean are joined: to keep them apart costs more than to copy them. */
const PART_BYTES_MIN: Bytes = 4 * KiB

/** Pieces, split anywhere, to NAL units: views of the pieces, or a copy where the views would be many and small. */
export class NalSplitter {
  readonly #sink: NalSink
  readonly #bytesMax: Bytes
  /** Where the open NAL unit's start code began; null: none is open. */
  #open: Origin | null = null
  #parts: Uint8Array[] = []
  #mergedParts = 0
  #partsBytes: Bytes = 0
  /** How many 00 the stream ends with, 3 at most. */
  #zeros = 0
  /** The newest pieces, as many as hold the stream's last 3 bytes. */
  #recent: { readonly origin: Origin; readonly length: number }[] = []

  constructor(sink: NalSink, bytesMax: Bytes) {
    this.#sink = sink
    this.#bytesMax = bytesMax
  }

  push(piece: Piece): void {
    const { buffer, byteOffset, length } = piece.bytes
    const bytes = Buffer.from(buffer, byteOffset, length)
    const origin: Origin = { at: piece.at, timing: piece.timing, begun: 0 }
    let from = this.#seam(bytes, origin)
    for (let code = bytes.indexOf(START_CODE, from); code >= 0; code = bytes.indexOf(START_CODE, from)) {
      this.#close(bytes, from, code)
      this.#open = code === 0 && this.#zeros > 0 ? this.#originBack(1, origin) : origin
      from = code + 3
    }
    if (piece.endsUnit === true) {
      this.#close(bytes, from, length)
      this.forget()
    } else this.#carry(bytes, from, origin)
  }

  /** The first bytes of the NAL unit that is not whole yet; null: fewer than two came. */
  get openHead(): Uint8Array | null {
    const [head] = this.#parts
    return head !== undefined && head.length >= 2 ? head : null
  }

  /** The stream ends here, or is known to begin anew with the next piece. */
  end(): void {
    this.#close(EMPTY, 0, 0)
    this.forget()
  }

  /** Drops an unfinished NAL unit. */
  forget(): void {
    this.#open = null
    this.#clearParts()
    this.#zeros = 0
    this.#recent = []
  }

  /** Handles a start code that began in earlier pieces and ends in `bytes`. Returns where to go on. */
  #seam(bytes: Buffer, origin: Origin): number {
    const before = this.#zeros
    const here = before >= 2 && bytes[0] === 1 ? 1 : before >= 1 && bytes[0] === 0 && bytes[1] === 1 ? 2 : 0
    if (here === 0) return 0
    this.#close(bytes, 0, 0)
    // 00 00 01, and the zero_byte before it, if there is one, is the start code's first byte (§B.1.1).
    this.#open = this.#originBack(Math.min(before, 4 - here), origin)
    return here
  }

  #originBack(bytesBack: number, current: Origin): Origin {
    let left = bytesBack
    for (const { origin, length } of this.#recent.toReversed()) {
      left -= length
      if (left <= 0) return origin
    }
    return current
  }

  #close(bytes: Buffer, from: number, to: number): void {
    const open = this.#open
    if (open === null) {
      if (hasNonZero(bytes, from, to)) this.#sink.stray()
      return
    }
    this.#append(bytes, from, to)
    const tooLarge = this.#partsBytes > this.#bytesMax
    const nal = nalOf(this.#parts)
    this.#clearParts()
    this.#open = null
    if (nal !== null) this.#sink.nal(nal, open, tooLarge)
  }

  #carry(bytes: Buffer, from: number, origin: Origin): void {
    const { length } = bytes
    if (length === 0) return
    if (this.#open === null) {
      if (hasNonZero(bytes, from, length)) this.#sink.stray()
    } else this.#append(bytes, from, length)
    let zeros = 0
    while (zeros < 3 && length - zeros > from && bytes[length - zeros - 1] === 0) zeros++
    this.#zeros = zeros === length ? Math.min(3, this.#zeros + zeros) : zeros
    if (length >= 3) this.#recent.length = 0
    this.#recent.push({ origin, length })
    if (this.#recent.length > 3) this.#recent.shift()
  }

  #append(bytes: Buffer, from: number, to: number): void {
    if (to <= from) return
    const wasTooLarge = this.#partsBytes > this.#bytesMax
    this.#partsBytes += to - from
    if (wasTooLarge) return
    this.#parts.push(view(bytes, from, to))
    if (this.#partsBytes > this.#bytesMax) {
      this.#parts = [Buffer.concat(this.#parts, Math.min(HEAD_BYTES, this.#partsBytes))]
      this.#mergedParts = 0
    } else if (this.#parts.length - this.#mergedParts >= PARTS_MAX) {
      this.#parts.push(Buffer.concat(this.#parts.splice(this.#mergedParts)))
      this.#mergedParts++
    }
  }

  #clearParts(): void {
    this.#parts = []
    this.#mergedParts = 0
    this.#partsBytes = 0
  }
}

const EMPTY = Buffer.alloc(0)

/** A plain view, which is made twice as fast as a Buffer's. */
function view({ buffer, byteOffset }: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from)
}

/** Takes `parts` over. null: there was nothing but zeros. */
function nalOf(parts: Uint8Array[]): NalUnit | null {
  dropTrailingZeros(parts)
  if (!hasPart(parts)) return null
  const apart = parts[0].length >= HEAD_BYTES && nalBytes(parts) >= parts.length * PART_BYTES_MIN
  return parts.length === 1 || apart ? parts : [joined(parts)]
}

const hasPart = (parts: readonly Uint8Array[]): parts is NalUnit => parts.length > 0

/** trailing_zero_8bits, and the zero_byte of the start code to come, may lie in several parts. */
function dropTrailingZeros(parts: Uint8Array[]): void {
  for (let last = parts.pop(); last !== undefined; last = parts.pop()) {
    let end = last.length
    while (end > 0 && last[end - 1] === 0) end--
    if (end === 0) continue
    parts.push(end === last.length ? last : view(last, 0, end))
    return
  }
}

function hasNonZero(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if (bytes[i] !== 0) return true
  return false
}
