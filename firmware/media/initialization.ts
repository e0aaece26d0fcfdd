import { Buffer } from "node:buffer"
import type { Ticks90k } from "../units.ts"
import { TIMESCALE, TRACK_ID } from "./boxes.ts"
import type { ParameterSets } from "./parameter-sets.ts"
import { hasHighFields } from "./sps.ts"

/**
 * What comes before the first fragment (ISO/IEC 14496-12; avc1 and avcC: ISO/IEC 14496-15 §5.3.3, §5.4.2).
 *
 *   ftyp
 *   moov
 *   ├─ mvhd
 *   ├─ trak
 *   │  ├─ tkhd
 *   │  ├─ edts(elst)                              where pictures wait between decoding and output
 *   │  └─ mdia
 *   │     ├─ mdhd  hdlr
 *   │     └─ minf
 *   │        ├─ vmhd  dinf(dref(url ))
 *   │        └─ stbl
 *   │           ├─ stsd(avc1(avcC))
 *   │           └─ stts  stsc  stsz  stco    empty: all samples are in fragments
 *   └─ mvex(trex)
 *
 * `delay`: composition time of the first picture, which the edit list moves to 0 (§8.6.6).
 * No dates, names or durations: they would tell, and are not known when the first segment is sealed.
 */
export function initialization(sets: ParameterSets, delay: Ticks90k): Buffer {
  return Buffer.concat([ftyp(), box("moov", mvhd(), trak(sets, delay), box("mvex", trex()))])
}

/** What `MediaSource.addSourceBuffer` and players call this stream (RFC 6381 §3.3): profile, constraints, level. */
export function codecOf({ picture: { profile, constraints, level } }: ParameterSets): string {
  return `avc1.${Buffer.from([profile, constraints, level]).toString("hex")}`
}

/** §4.3. iso6 knows default-base-is-moof and signed composition offsets in fragments. */
function ftyp(): Buffer {
  return box("ftyp", ascii("iso6"), u32(0), ascii("iso6isomavc1mp41"))
}

/** §8.2.2 */
function mvhd(): Buffer {
  const rateAndVolume = [u32(0x00010000), u16(0x0100), zeros(10)]
  return fullBox("mvhd", 0, u32(0, 0, TIMESCALE, 0), ...rateAndVolume, MATRIX, zeros(24), u32(TRACK_ID + 1))
}

function trak(sets: ParameterSets, delay: Ticks90k): Buffer {
  const { width, height } = sets.picture
  // Enabled, in the movie and in its preview (§8.3.2)
  const tkhd = fullBox(
    "tkhd",
    7,
    u32(0, 0, TRACK_ID, 0, 0),
    zeros(16),
    MATRIX,
    u32(width * 0x10000, height * 0x10000),
  )
  return delay > 0 ? box("trak", tkhd, edts(delay), mdia(sets)) : box("trak", tkhd, mdia(sets))
}

/** One edit from `delay` on; its duration 0 covers all fragments, at rate 1 (§8.6.6). */
function edts(delay: Ticks90k): Buffer {
  return box("edts", fullBox("elst", 0, u32(1, 0, delay, 0x00010000)))
}

function mdia(sets: ParameterSets): Buffer {
  const undetermined = u16(0x55c4) // "und" (§8.4.2)
  const mdhd = fullBox("mdhd", 0, u32(0, 0, TIMESCALE, 0), undetermined, zeros(2))
  const hdlr = fullBox("hdlr", 0, u32(0), ascii("vide"), zeros(12), zeros(1))
  const inThisFile = fullBox("url ", 1)
  const dinf = box("dinf", fullBox("dref", 0, u32(1), inThisFile))
  return box("mdia", mdhd, hdlr, box("minf", fullBox("vmhd", 1, zeros(8)), dinf, stbl(sets)))
}

function stbl(sets: ParameterSets): Buffer {
  const stsd = fullBox("stsd", 0, u32(1), avc1(sets))
  const none = (type: string) => fullBox(type, 0, u32(0))
  return box("stbl", stsd, none("stts"), none("stsc"), fullBox("stsz", 0, u32(0, 0)), none("stco"))
}

/** VisualSampleEntry (§12.1.3): 72 dpi, one frame a sample, no compressor name, depth 24. */
function avc1(sets: ParameterSets): Buffer {
  const { width, height } = sets.picture
  return box(
    "avc1",
    zeros(6),
    u16(1), // data_reference_index
    zeros(16),
    u16(width, height),
    u32(0x00480000, 0x00480000, 0),
    u16(1),
    zeros(32),
    u16(0x0018, 0xffff),
    avcC(sets),
  )
}

/** AVCDecoderConfigurationRecord (ISO/IEC 14496-15 §5.3.3.1): 4-byte NAL unit lengths. */
function avcC({ sps, pps, picture }: ParameterSets): Buffer {
  const { profile, constraints, level, chromaFormat, bitDepthLuma, bitDepthChroma } = picture
  const withLength = (set: Uint8Array) => Buffer.concat([u16(set.length), set])
  const high = [0xfc | chromaFormat, 0xf8 | (bitDepthLuma - 8), 0xf8 | (bitDepthChroma - 8), 0]
  return box(
    "avcC",
    Buffer.from([1, profile, constraints, level, 0xff, 0xe1]),
    withLength(sps),
    Buffer.from([pps.length]),
    ...pps.map(withLength),
    Buffer.from(hasHighFields(profile) ? high : []),
  )
}

/** §8.8.3: every fragment says all of this itself. */
function trex(): Buffer {
  return fullBox("trex", 0, u32(TRACK_ID, 1, 0, 0, 0))
}

/** Identity (§8.2.2.2). */
const MATRIX = u32(0x00010000, 0, 0, 0, 0x00010000, 0, 0, 0, 0x40000000)

function box(type: string, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([u32(8 + body.length), ascii(type), body])
}

/** Version 0 (§4.2). */
function fullBox(type: string, flags: number, ...content: readonly Uint8Array[]): Buffer {
  return box(type, u32(flags), ...content)
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  values.forEach((value, i) => {
    bytes.writeUInt32BE(value, 4 * i)
  })
  return bytes
}

function u16(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length)
  values.forEach((value, i) => {
    bytes.writeUInt16BE(value, 2 * i)
  })
  return bytes
}

function ascii(text: string): Buffer {
  return Buffer.from(text, "latin1")
}

function zeros(count: number): Buffer {
  return Buffer.alloc(count)
}
