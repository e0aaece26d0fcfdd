import { Fault } from "../firmware/errors.ts"
import type { FramesPerSecond } from "../firmware/units.ts"

/**
 * What the simulator must know of a sequence parameter set (ISO/IEC 14496-10 §7.3.2.1.1) to tell a raw film's size,
 * frame rate and the order of its pictures. Its own reader, for the reason given in `nals.ts`.
 */
export interface SequenceParameters {
  readonly width: number
  readonly height: number
  /** null: the stream does not say. */
  readonly framesPerSecond: FramesPerSecond | null
  readonly frameNumBits: number
  /** Bits of pic_order_cnt_lsb; null: pictures are shown in the order in which they come (types 1 and 2). */
  readonly orderBits: number | null
  readonly separatePlanes: boolean
  readonly interlaced: boolean
}

/** @throws Fault "malformed", definite. */
export function parseSps(nal: Uint8Array): SequenceParameters {
  const bits = new BitReader(withoutEmulation(nal.subarray(1)))
  const profile = bits.fixed(8)
  bits.fixed(16)
  bits.golomb()
  const { chroma, separatePlanes } = HIGH_PROFILES.has(profile)
    ? chromaOf(bits)
    : { chroma: 1, separatePlanes: false }
  const frameNumBits = bits.golomb() + 4
  const orderType = bits.golomb()
  const orderBits = orderType === 0 ? bits.golomb() + 4 : null
  if (orderType === 1) skipOrderCycle(bits)
  bits.golomb()
  bits.fixed(1)
  const columns = bits.golomb() + 1
  const rows = bits.golomb() + 1
  const interlaced = bits.fixed(1) === 0
  if (interlaced) bits.fixed(1)
  bits.fixed(1)
  const crop = bits.fixed(1) ? [bits.golomb(), bits.golomb(), bits.golomb(), bits.golomb()] : [0, 0, 0, 0]
  const [left = 0, right = 0, top = 0, bottom = 0] = crop
  // Table 6-1: how many luma samples one cropping unit is.
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1
  const unitY = (chroma === 1 ? 2 : 1) * (interlaced ? 2 : 1)
  return {
    width: columns * 16 - unitX * (left + right),
    height: rows * 16 * (interlaced ? 2 : 1) - unitY * (top + bottom),
    framesPerSecond: bits.fixed(1) ? rateOf(bits) : null,
    frameNumBits,
    orderBits,
    separatePlanes,
    interlaced,
  }
}

const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])

function chromaOf(bits: BitReader): { chroma: number; separatePlanes: boolean } {
  const chroma = bits.golomb()
  const separatePlanes = chroma === 3 && bits.fixed(1) === 1
  bits.golomb()
  bits.golomb()
  bits.fixed(1)
  const lists = bits.fixed(1) === 0 ? 0 : chroma === 3 ? 12 : 8
  for (let list = 0; list < lists; list++) if (bits.fixed(1)) skipScalingList(bits, list < 6 ? 16 : 64)
  return { chroma, separatePlanes }
}

/** §7.3.2.1.1.1 */
function skipScalingList(bits: BitReader, size: number): void {
  let last = 8
  let next = 8
  for (let i = 0; i < size; i++) {
    if (next !== 0) next = (last + bits.signedGolomb() + 256) % 256
    if (next !== 0) last = next
  }
}

function skipOrderCycle(bits: BitReader): void {
  bits.fixed(1)
  bits.golomb()
  bits.golomb()
  const cycle = bits.golomb()
  if (cycle > 255)
    throw new Fault("malformed", "a sequence parameter set with too long a picture order cycle")
  for (let i = 0; i < cycle; i++) bits.golomb()
}

/** VUI up to timing_info (§E.1.1). A frame is two ticks. */
function rateOf(bits: BitReader): FramesPerSecond | null {
  if (bits.fixed(1) && bits.fixed(8) === 255) bits.fixed(32)
  if (bits.fixed(1)) bits.fixed(1)
  if (bits.fixed(1)) {
    bits.fixed(4)
    if (bits.fixed(1)) bits.fixed(24)
  }
  if (bits.fixed(1)) {
    bits.golomb()
    bits.golomb()
  }
  if (!bits.fixed(1)) return null
  const ticks = bits.fixed(32)
  const scale = bits.fixed(32)
  const rate = scale / (2 * ticks)
  return rate >= 1 && rate <= 240 ? rate : null
}

/** Takes emulation prevention bytes out (§7.4.1.1). */
export function withoutEmulation(bytes: Uint8Array): Uint8Array {
  const plain = new Uint8Array(bytes.length)
  let length = 0
  let zeros = 0
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0
      continue
    }
    zeros = byte === 0 ? zeros + 1 : 0
    plain[length++] = byte
  }
  return plain.subarray(0, length)
}

/** Fixed-length and Exp-Golomb codes (§9.1). Throws Fault "malformed" past the end. */
export class BitReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** u(n), n up to 32. */
  fixed(count: number): number {
    let value = 0
    for (let i = 0; i < count; i++) {
      const byte = this.#bytes[this.#at >> 3]
      if (byte === undefined)
        throw new Fault("malformed", "a parameter set or slice header that ends too soon")
      value = value * 2 + ((byte >> (7 - (this.#at & 7))) & 1)
      this.#at++
    }
    return value
  }

  /** ue(v) */
  golomb(): number {
    let zeros = 0
    while (this.fixed(1) === 0)
      if (++zeros > 31) throw new Fault("malformed", "an Exp-Golomb code that is too long")
    return 2 ** zeros - 1 + this.fixed(zeros)
  }

  /** se(v) */
  signedGolomb(): number {
    const code = this.golomb()
    return code % 2 ? (code + 1) / 2 : -code / 2
  }
}
