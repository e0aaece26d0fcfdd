import { Fault } from "../firmware/errors.ts"
import { NAL, nalType, START_CODE } from "./nals.ts"

/**
 * H.264 as MP4 and Matroska hold it (ISO/IEC 14496-15): NAL units behind their lengths, parameter sets apart.
 *
 *   avcC (§5.3.3.1.2): 01 · profile · compatibility · level · 6 bits + lengthSizeMinusOne (2) ·
 *                      3 bits + SPS count (5) · { u16 length · SPS }* · PPS count (8) · { u16 length · PPS }* · …
 *   sample (§5.3.4.2): { length (lengthSize bytes) · NAL unit }*
 */
export interface AvcConfiguration {
  /** 1, 2 or 4. */
  readonly lengthSize: number
  /** SPS and PPS, in that order. */
  readonly sets: readonly Uint8Array[]
}

/** @throws Fault "malformed", definite. */
export function parseAvcConfiguration(box: Uint8Array): AvcConfiguration {
  const lengthSize = ((box[4] ?? 0) & 3) + 1
  const sets: Uint8Array[] = []
  let at = 5
  for (const mask of [0x1f, 0xff]) {
    const count = (box[at++] ?? 0) & mask
    for (let i = 0; i < count; i++) {
      const length = ((box[at] ?? 0) << 8) | (box[at + 1] ?? 0)
      const set = box.subarray(at + 2, at + 2 + length)
      if (length === 0 || set.length < length)
        throw new Fault("malformed", "has a broken avcC box; copy it again")
      sets.push(set)
      at += 2 + length
    }
  }
  return { lengthSize, sets }
}

/**
 * One sample as Annex B, with the parameter sets before an IDR picture that has none of its own.
 *
 * @throws Fault "malformed", definite: lengths that do not add up.
 */
export function annexBFromAvc(
  sample: Uint8Array,
  { lengthSize, sets }: AvcConfiguration,
): { readonly bytes: Uint8Array; readonly keyFrame: boolean } {
  const nals: Uint8Array[] = []
  for (let at = 0; at < sample.length; ) {
    let length = 0
    for (let i = 0; i < lengthSize; i++) length = length * 256 + (sample[at + i] ?? 0)
    at += lengthSize
    if (length > sample.length - at) throw new Fault("malformed", "has a broken picture; copy it again")
    if (length > 0) nals.push(sample.subarray(at, at + length))
    at += length
  }
  const keyFrame = nals.some((nal) => nalType(nal) === NAL.idr)
  if (keyFrame && !nals.some((nal) => nalType(nal) === NAL.sps))
    nals.splice(nals[0] && nalType(nals[0]) === NAL.delimiter ? 1 : 0, 0, ...sets)
  return { bytes: Buffer.concat(nals.flatMap((nal) => [START_CODE, nal])), keyFrame }
}
