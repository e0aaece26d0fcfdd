import { Fault } from "../../firmware/errors.ts"
import type { Bytes, Ticks90k } from "../../firmware/units.ts"

/**
 * Reads back what cameras record, and nothing else (ISO/IEC 14496-12 §8.8, ISO/IEC 14496-15 §5.3.4.2):
 *
 *   ftyp · moov( … trak( [edts(elst)] … ) … ) · { moof · mdat · [free] }+
 *   moof( mfhd · traf( tfhd · tfdt · trun ) )
 *   mdat: for each sample { NAL unit length u32 · NAL unit }*
 *
 * It is a judge's reader: a box too many, a gap between fragments or a byte left over is an error, not a thing to skip.
 */
export interface Fmp4 {
  /** In decoding order. */
  readonly samples: readonly Fmp4Sample[]
  /** The composition time that is shown first, by the edit list; 0 without one. */
  readonly presentationStart: Ticks90k
  readonly fragments: number
  /** In `free` boxes, headers included. */
  readonly paddingBytes: Bytes
}

export interface Fmp4Sample {
  /** Views, without lengths. */
  readonly nals: readonly Uint8Array[]
  readonly keyFrame: boolean
  /** From the clip's first sample, which has 0. */
  readonly decodeTime: Ticks90k
  readonly duration: Ticks90k
  /** Composition minus decoding time. */
  readonly compositionOffset: Ticks90k
}

/** @throws Fault "malformed", definite: not exactly of this shape. */
export function readFmp4(bytes: Uint8Array): Fmp4 {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const samples: Fmp4Sample[] = []
  let fragments = 0
  let paddingBytes = 0
  let next = 0
  const boxes = boxesOf(file)
  if (boxes.shift()?.type !== "ftyp") throw malformed("does not begin with ftyp")
  const movie = boxes.shift()
  if (movie?.type !== "moov") throw malformed("has no moov after its ftyp")
  const presentationStart = checkMovie(movie)
  for (let box = boxes.shift(); box; box = boxes.shift()) {
    if (box.type === "free" && boxes[0]?.type !== "free") {
      paddingBytes += box.size
      continue
    }
    const data = boxes.shift()
    if (box.type !== "moof" || data?.type !== "mdat")
      throw malformed(`has ${box.type} where a fragment begins`)
    fragments++
    next = readFragment(box, data, { sequence: fragments, decodeTime: next }, samples)
  }
  if (!samples[0]?.keyFrame) throw malformed("does not begin with a key frame")
  return { samples, presentationStart, fragments, paddingBytes }
}

interface Box {
  readonly type: string
  /** Header included. */
  readonly size: Bytes
  readonly body: Buffer
}

const HEADER_BYTES = 8
const TIMESCALE = 90_000
/** duration, size, flags, composition offset, and the data offset: what our trun has (§8.8.8). */
const TRUN_FLAGS = 0x01000f01
const TRUN_SAMPLE_BYTES = 16
const NON_SYNC = 0x00010000

/** Whole boxes that fill `bytes` to the last byte. */
function boxesOf(bytes: Buffer): Box[] {
  const boxes: Box[] = []
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < HEADER_BYTES) throw malformed("ends within a box header")
    const size = bytes.readUInt32BE(at)
    if (size < HEADER_BYTES || size > bytes.length - at) throw malformed("has a box that does not fit")
    const type = bytes.toString("latin1", at + 4, at + 8)
    boxes.push({ type, size, body: bytes.subarray(at + HEADER_BYTES, at + size) })
    at += size
  }
  return boxes
}

function onlyBox(parent: Buffer, type: string): Buffer {
  const [found, ...more] = boxesOf(parent).filter((box) => box.type === type)
  if (!found || more.length > 0) throw malformed(`needs exactly one ${type}`)
  return found.body
}

/**
 * One video track, its time in 90 kHz, its NAL units behind 4-byte lengths; parameter sets that are there.
 * Returns where its presentation starts.
 */
function checkMovie({ body }: Box): Ticks90k {
  const track = onlyBox(body, "trak")
  const media = onlyBox(track, "mdia")
  if (u32(onlyBox(media, "mdhd"), 12) !== TIMESCALE) throw malformed("has another timescale")
  const table = onlyBox(onlyBox(media, "minf"), "stbl")
  const entry = onlyBox(onlyBox(table, "stsd").subarray(8), "avc1")
  const avcC = onlyBox(entry.subarray(78), "avcC")
  if (avcC.length < 7 || avcC[0] !== 1 || ((avcC[4] ?? 0) & 3) !== 3) throw malformed("has another avcC")
  onlyBox(onlyBox(body, "mvex"), "trex")
  return boxesOf(track).some(({ type }) => type === "edts") ? editStart(onlyBox(track, "edts")) : 0
}

/** One edit that lasts as long as there are fragments, at rate 1 (§8.6.6). */
function editStart(edts: Buffer): Ticks90k {
  const elst = onlyBox(edts, "elst")
  const [header, count, duration, mediaTime, rate] = [0, 4, 8, 12, 16].map((at) => u32(elst, at))
  if (header !== 0 || count !== 1 || duration !== 0 || rate !== 0x00010000 || elst.length !== 20)
    throw malformed("has another edit list")
  return mediaTime ?? 0
}

/** Appends the fragment's samples; returns when the next one decodes. */
function readFragment(
  moof: Box,
  mdat: Box,
  expected: { readonly sequence: number; readonly decodeTime: Ticks90k },
  samples: Fmp4Sample[],
): Ticks90k {
  if (u32(onlyBox(moof.body, "mfhd"), 4) !== expected.sequence) throw malformed("has fragments out of order")
  const traf = onlyBox(moof.body, "traf")
  if (u32(onlyBox(traf, "tfhd"), 0) !== 0x020000) throw malformed("has another tfhd")
  const tfdt = onlyBox(traf, "tfdt")
  if (u32(tfdt, 0) !== 0x01000000 || tfdt.length !== 12) throw malformed("has another tfdt")
  let decodeTime = expected.decodeTime
  if (tfdt.readBigUInt64BE(4) !== BigInt(decodeTime)) throw malformed("has a gap between its fragments")
  const trun = onlyBox(traf, "trun")
  const count = u32(trun, 4)
  if (u32(trun, 0) !== TRUN_FLAGS || count === 0 || trun.length !== 12 + count * TRUN_SAMPLE_BYTES)
    throw malformed("has another trun")
  if (trun.readInt32BE(8) !== moof.size + HEADER_BYTES) throw malformed("keeps its samples elsewhere")
  let at = 0
  for (let entry = 12; entry < trun.length; entry += TRUN_SAMPLE_BYTES) {
    const duration = trun.readUInt32BE(entry)
    const size = trun.readUInt32BE(entry + 4)
    if (duration === 0) throw malformed("has a picture that lasts no time")
    if (size > mdat.body.length - at) throw malformed("has samples past the end of its mdat")
    samples.push({
      nals: nalsOf(mdat.body.subarray(at, at + size)),
      keyFrame: (trun.readUInt32BE(entry + 8) & NON_SYNC) === 0,
      decodeTime,
      duration,
      compositionOffset: trun.readInt32BE(entry + 12),
    })
    decodeTime += duration
    at += size
  }
  if (at !== mdat.body.length) throw malformed("has bytes in its mdat that belong to no sample")
  return decodeTime
}

function nalsOf(sample: Buffer): Uint8Array[] {
  const nals: Uint8Array[] = []
  for (let at = 0; at < sample.length; ) {
    const length = u32(sample, at)
    at += 4
    if (length === 0 || length > sample.length - at) throw malformed("has a NAL unit that does not fit")
    nals.push(sample.subarray(at, at + length))
    at += length
  }
  if (nals.length === 0) throw malformed("has an empty picture")
  return nals
}

function u32(bytes: Buffer, at: number): number {
  if (bytes.length < at + 4) throw malformed("has a box that ends too soon")
  return bytes.readUInt32BE(at)
}

function malformed(why: string): Fault {
  return new Fault("malformed", `not a clip as cameras make them: it ${why}`)
}
