import { Buffer } from "node:buffer"
import { Fault } from "../../../firmware/errors.ts"
import type { DecodableUnit } from "../../../firmware/media/annexb.ts"
import { TIMESCALE } from "../../../firmware/media/boxes.ts"
import { Muxer } from "../../../firmware/media/muxer.ts"
import { NAL, nalType } from "../../../firmware/media/nal.ts"
import type { ParameterSets } from "../../../firmware/media/parameter-sets.ts"
import { parsePpsIds, parseSps } from "../../../firmware/media/sps.ts"
import { type Bytes, KiB, type Seconds, type Ticks90k } from "../../../firmware/units.ts"
import { readFmp4 } from "../../owner/fmp4.ts"

/** Which stretch of a clip, from its beginning: pictures from the first key frame at or after `from`, up to `to`. */
export interface Stretch {
  readonly from: Seconds
  readonly to: Seconds
}

export const WHOLE: Stretch = { from: 0, to: Number.POSITIVE_INFINITY }

export interface FilmCopy {
  /** One fragmented MP4 of one fragment, padded: ready to be sealed. */
  readonly bytes: Uint8Array
  readonly pictures: number
  readonly duration: Seconds
}

const SIZE_MIN: Bytes = 256 * KiB

/**
 * Powers of two from 256 KiB: what a copy weighs says next to nothing of the segments it was made of, whose padded sizes
 * the cloud knows.
 */
export function copySize(bytes: Bytes): Bytes {
  let size = SIZE_MIN
  while (size < bytes) size *= 2
  return size
}

/**
 * A film that holds the pictures of a clip and nothing else of it: slices alone, without SEI, delimiters or filler, muxed
 * anew from time 0. The pictures themselves are the camera's, bit for bit: no encoder is asked.
 *
 * @throws Fault "malformed", definite: not a clip as cameras make them; "usage": nothing of it is in the stretch.
 */
export function filmCopy(clip: Uint8Array, stretch: Stretch = WHOLE): FilmCopy {
  return filmOfUnits(unitsOf(clip, stretch))
}

/** @throws Fault "usage", definite: there are none. */
export function filmOfUnits(units: readonly DecodableUnit[]): FilmCopy {
  const [first] = units
  if (first === undefined)
    throw new Fault("usage", "nothing of the clip is left: choose another stretch of it")
  const { bytes, duration } = new Muxer(first, copySize).segment(units, null, true)
  return { bytes, pictures: units.length, duration: duration / TIMESCALE }
}

function unitsOf(clip: Uint8Array, { from, to }: Stretch): readonly DecodableUnit[] {
  const { samples, presentationStart } = readFmp4(clip)
  const sets = setsOf(clip)
  const at = (ticks: Ticks90k): Seconds => ticks / TIMESCALE
  const begins = samples.findIndex(({ keyFrame, decodeTime }) => keyFrame && at(decodeTime) >= from)
  const chosen = samples.filter(({ decodeTime }, n) => begins >= 0 && n >= begins && at(decodeTime) < to)
  return chosen.map(({ nals, keyFrame, decodeTime, compositionOffset }) => ({
    ...{ nals: nals.filter(isPicture).map((nal) => [nal] as const), keyFrame, sets, at: 0 },
    ...{ dts: decodeTime, pts: decodeTime + compositionOffset - presentationStart },
  }))
}

const isPicture = (nal: Uint8Array): boolean => nalType(nal) === NAL.slice || nalType(nal) === NAL.idr

/** In pixels. @throws Fault "malformed", definite: not a clip as cameras make them. */
export function pictureSize(clip: Uint8Array): { readonly width: number; readonly height: number } {
  return setsOf(clip).picture
}

/** Out of avcC (ISO/IEC 14496-15 §5.3.3.1), which `readFmp4` has found to be there, once. */
function setsOf(clip: Uint8Array): ParameterSets {
  const bytes = Buffer.from(clip.buffer, clip.byteOffset, clip.length)
  const box = bytes.indexOf("avcC", 0, "latin1")
  let at = box + 4 + 5
  const next = (): Buffer => {
    const length = at + 2 <= bytes.length ? bytes.readUInt16BE(at) : bytes.length
    const set = bytes.subarray(at + 2, at + 2 + length)
    at += 2 + length
    if (set.length !== length) throw new Fault("malformed", "parameter sets that are cut short")
    return Buffer.from(set)
  }
  const count = (mask: number): number => (bytes[at++] ?? 0) & mask
  const [sps, ...others] = Array.from({ length: count(31) }, next)
  const pps = Array.from({ length: count(255) }, next)
  if (sps === undefined || others.length > 0 || pps.length === 0)
    throw new Fault("malformed", "not the parameter sets of one stream")
  for (const set of pps) parsePpsIds(set)
  return { sps, pps, picture: parseSps(sps) }
}

/** The first picture at or after `second` that needs no other, as a film of its own. @throws as `filmCopy`. */
export function stillOf(clip: Uint8Array, second: Seconds): FilmCopy {
  return filmOfUnits(unitsOf(clip, { from: second, to: Number.POSITIVE_INFINITY }).slice(0, 1))
}
