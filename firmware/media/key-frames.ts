import { Buffer } from "node:buffer"
import type { Bytes } from "../units.ts"
import { beginsPicture, NAL, precedesPicture, START_CODE } from "./nal.ts"

/** Where an access unit begins: the first byte of its first start code (ISO/IEC 14496-10 §B.1.1). */
export interface UnitPlace {
  /** The caller's number of the piece. */
  readonly piece: number
  readonly offset: Bytes
  /** How many access units began in that piece before it: its place in the piece's timing. */
  readonly ordinal: number
}

export interface KeyFramePlace extends UnitPlace {
  /** The access unit holds an SPS. */
  readonly withSets: boolean
}

/** Start code, NAL unit header, and the byte whose first bit tells a first slice. */
const WINDOW_BYTES = START_CODE.length + 2
const HEADER = START_CODE.length

/**
 * Finds where key frames' access units begin in pieces that come without a hint, split anywhere. It looks at each byte
 * once and keeps five. An access unit begins with whatever stands before its first slice (ISO/IEC 14496-10
 * §7.4.1.2.3): that place is remembered until it is known which picture follows.
 */
export class KeyFrameSearch {
  /** The stream's last bytes, and where each came: a window that is not yet whole, and a zero_byte before it. */
  #tail: Uint8Array = new Uint8Array(0)
  #tailPlaces: { readonly piece: number; readonly offset: Bytes }[] = []
  /** The access unit whose first slice is still to come. */
  #unit: UnitPlace | null = null
  #withSets = false
  /** The last access unit that began. */
  #latest: UnitPlace = { piece: -1, offset: 0, ordinal: 0 }

  look(bytes: Uint8Array, piece: number): KeyFramePlace[] {
    const found: KeyFramePlace[] = []
    const seam = Buffer.concat([this.#tail, bytes.subarray(0, WINDOW_BYTES)])
    const seen = this.#tail.length
    for (
      let at = Math.max(0, seen + 1 - WINDOW_BYTES);
      at <= seen && at + WINDOW_BYTES <= seam.length;
      at++
    ) {
      if (seam[at] !== 0 || seam[at + 1] !== 0 || seam[at + 2] !== 1) continue
      const first = firstByte(seam, at)
      const { piece: begins, offset } = this.#tailPlaces[first] ?? { piece, offset: first - seen }
      this.#nal(seam, at, begins, offset, found)
    }
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let at = all.indexOf(START_CODE, 1); at > 0; at = all.indexOf(START_CODE, at + HEADER))
      if (at + WINDOW_BYTES <= all.length) this.#nal(all, at, piece, firstByte(all, at), found)
    this.#keepTail(bytes, piece)
    return found
  }

  /** The next piece does not continue the ones before. */
  forget(): void {
    this.#tail = new Uint8Array(0)
    this.#tailPlaces = []
    this.#unit = null
    this.#withSets = false
  }

  /** A NAL unit whose start code's 00 00 01 is at `at` of `bytes`, and began at `offset` of `piece`. */
  #nal(bytes: Buffer, at: number, piece: number, offset: Bytes, found: KeyFramePlace[]): void {
    const type = (bytes[at + HEADER] ?? 0) & 31
    if (precedesPicture(type)) {
      this.#unit ??= this.#begin(piece, offset)
      this.#withSets ||= type === NAL.sps
    } else if (type === NAL.slice || type === NAL.idr) {
      if (beginsPicture(bytes, at + HEADER)) {
        const unit = this.#unit ?? this.#begin(piece, offset)
        if (type === NAL.idr) found.push({ ...unit, withSets: this.#withSets })
      }
      this.#unit = null
      this.#withSets = false
    }
  }

  #begin(piece: number, offset: Bytes): UnitPlace {
    const ordinal = piece === this.#latest.piece ? this.#latest.ordinal + 1 : 0
    this.#latest = { piece, offset, ordinal }
    return this.#latest
  }

  #keepTail(bytes: Uint8Array, piece: number): void {
    const fresh = bytes.subarray(-WINDOW_BYTES)
    const places = Array.from(fresh, (_, i) => ({ piece, offset: bytes.length - fresh.length + i }))
    this.#tailPlaces = [...this.#tailPlaces, ...places].slice(-WINDOW_BYTES)
    this.#tail = Buffer.concat([this.#tail, fresh]).subarray(-WINDOW_BYTES)
  }
}

/** Of the start code whose 00 00 01 is at `at`: a zero_byte may come before (§B.1.1). */
function firstByte(bytes: Uint8Array, at: number): number {
  return at > 0 && bytes[at - 1] === 0 ? at - 1 : at
}
