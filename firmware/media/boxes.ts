import type { Buffer } from "node:buffer"
import type { Bytes, Ticks90k } from "../units.ts"

/**
 * The boxes of one fragment (ISO/IEC 14496-12 §8.8); `initialization.ts` has what comes before the first.
 *
 *   moof
 *   ├─ mfhd
 *   └─ traf
 *      ├─ tfhd  tfdt
 *      └─ trun    for each sample: duration u32 · size u32 · flags u32 · composition offset i32
 *   mdat          for each sample: { NAL unit length u32 · NAL unit }*
 *   free          zeros, where there is padding
 */

export const TIMESCALE: Ticks90k = 90_000
export const TRACK_ID = 1
/** Of box size and type (§4.2). */
export const BOX_HEADER_BYTES = 8
/** lengthSizeMinusOne is 3. */
export const NAL_LENGTH_BYTES = 4
export const TRUN_SAMPLE_BYTES = 16
const TRUN_HEADER_BYTES = 20
/** mfhd, tfhd, tfdt and the headers of moof and traf. */
const MOOF_FIXED_BYTES = BOX_HEADER_BYTES + 16 + BOX_HEADER_BYTES + 16 + 20

/** sample_depends_on 2: on none (§8.8.3.1). */
const SYNC_SAMPLE = 0x02000000
/** sample_depends_on 1: on others; sample_is_non_sync_sample. */
const OTHER_SAMPLE = 0x01010000

export interface Sample {
  readonly duration: Ticks90k
  readonly size: Bytes
  readonly sync: boolean
  /** Composition minus decoding time; may be negative. */
  readonly compositionOffset: Ticks90k
}

export function moofBytes(samples: number): Bytes {
  return MOOF_FIXED_BYTES + TRUN_HEADER_BYTES + samples * TRUN_SAMPLE_BYTES
}

/** Writes `moof` and the header of `mdat` at `at`. Returns where the first sample goes. */
export function writeFragmentHeader(
  out: Buffer,
  at: number,
  fragment: { readonly sequence: number; readonly decodeTime: Ticks90k; readonly samples: readonly Sample[] },
): number {
  const { sequence, decodeTime, samples } = fragment
  const moof = moofBytes(samples.length)
  let p = header(out, at, moof, "moof")
  p = header(out, p, 16, "mfhd")
  p = u32(out, p, 0)
  p = u32(out, p, sequence)
  p = header(out, p, at + moof - p, "traf")
  p = header(out, p, 16, "tfhd")
  p = u32(out, p, 0x020000) // default-base-is-moof (§8.8.7)
  p = u32(out, p, TRACK_ID)
  p = header(out, p, 20, "tfdt")
  p = u32(out, p, 0x01000000) // version 1: 64 bits (§8.8.12)
  p = out.writeBigUInt64BE(BigInt(decodeTime), p)
  p = header(out, p, at + moof - p, "trun")
  // version 1: signed composition offsets; data offset, duration, size, flags, composition offset (§8.8.8)
  p = u32(out, p, 0x01000f01)
  p = u32(out, p, samples.length)
  p = out.writeInt32BE(moof + BOX_HEADER_BYTES, p)
  let mdat = BOX_HEADER_BYTES
  for (const { duration, size, sync, compositionOffset } of samples) {
    p = u32(out, p, duration)
    p = u32(out, p, size)
    p = u32(out, p, sync ? SYNC_SAMPLE : OTHER_SAMPLE)
    p = out.writeInt32BE(compositionOffset, p)
    mdat += size
  }
  return header(out, p, mdat, "mdat")
}

/** A `free` box of `size` bytes, at least 8, its content zeros (§8.1.2). */
export function writeFree(out: Buffer, at: number, size: Bytes): void {
  out.fill(0, header(out, at, size, "free"), at + size)
}

function header(out: Buffer, at: number, size: Bytes, type: string): number {
  out.writeUInt32BE(size, at)
  out.write(type, at + 4, "latin1")
  return at + BOX_HEADER_BYTES
}

function u32(out: Buffer, at: number, value: number): number {
  return out.writeUInt32BE(value, at)
}
