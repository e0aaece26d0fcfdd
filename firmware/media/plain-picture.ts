import { Buffer } from "node:buffer"
import type { Frame } from "../ports.ts"
import type { Bytes } from "../units.ts"
import type { DecodableUnit } from "./annexb.ts"
import { parseSps } from "./sps.ts"

/**
 * A small picture as one H.264 key frame that any player shows. Nothing is compressed: each macroblock holds its samples
 * as they are (I_PCM, ISO/IEC 14496-10 §7.3.5), so no encoder is needed. Baseline, one slice, 1.5 bytes a pixel.
 */
export function plainPicture(frame: Frame): DecodableUnit {
  const { at, width, height } = frame
  const sps = nal(SPS, spsBits(width, height))
  const pps = nal(PPS, ppsBits())
  const sets = { sps, pps: [pps], picture: parseSps(sps) }
  return { nals: [[sps], [pps], [nal(IDR, sliceBits(frame))]], keyFrame: true, pts: 0, dts: 0, at, sets }
}

/** About what `plainPicture` makes of so many pixels. */
export function plainBytes(width: number, height: number): Bytes {
  return macroblocks(width) * macroblocks(height) * MACROBLOCK_BYTES + 64
}

/** nal_ref_idc 3, and the type (§7.4.1). */
const [SPS, PPS, IDR] = [0x67, 0x68, 0x65]
/** Luma and both chroma blocks, and mb_type before them. */
const MACROBLOCK_BYTES = 16 * 16 + 2 * 8 * 8 + 2
/** mb_type of I_PCM in an I slice (§7.4.5, table 7-11). */
const I_PCM = 25
const [BLACK, GREY] = [16, 128]

const macroblocks = (samples: number): number => Math.ceil(samples / 16)

/** §7.3.2.1.1 */
function spsBits(width: number, height: number): Bits {
  const bits = new Bits(32)
  bits.put(8, 66).put(8, 0xc0).put(8, 40) // Constrained Baseline, level 4
  bits.exponential(0).exponential(0) // id, log2_max_frame_num_minus4
  bits.exponential(2).exponential(1).put(1, 0) // pic_order_cnt_type, max_num_ref_frames, no gaps
  bits.exponential(macroblocks(width) - 1).exponential(macroblocks(height) - 1)
  bits.put(1, 1).put(1, 1) // frame_mbs_only, direct_8x8_inference
  const [right, bottom] = [macroblocks(width) * 16 - width, macroblocks(height) * 16 - height]
  // Cropped by whole chroma samples: an odd side shows one more.
  const cropping = [0, right >> 1, 0, bottom >> 1]
  bits.put(1, 1)
  for (const units of cropping) bits.exponential(units)
  return bits.put(1, 0).end() // no VUI
}

/** §7.3.2.2: CAVLC, one slice group, and a slice may say that nothing is to be smoothed. */
function ppsBits(): Bits {
  const bits = new Bits(16)
  bits.exponential(0).exponential(0).put(1, 0).put(1, 0).exponential(0)
  bits.exponential(0).exponential(0).put(1, 0).put(2, 0)
  bits.exponential(0).exponential(0).exponential(0) // pic_init_qp, pic_init_qs, chroma_qp_index_offset
  return bits.put(1, 1).put(1, 0).put(1, 0).end()
}

/** §7.3.3, §7.3.4 */
function sliceBits(frame: Frame): Bits {
  const { width, height } = frame
  const [columns, rows] = [macroblocks(width), macroblocks(height)]
  const bits = new Bits(plainBytes(width, height))
  bits.exponential(0).exponential(7).exponential(0).put(4, 0) // first macroblock, I, PPS, frame_num
  bits.exponential(0).put(1, 0).put(1, 0) // idr_pic_id, marking
  bits.exponential(0).exponential(1) // slice_qp_delta, no deblocking
  const [chromaWidth, chromaHeight] = [Math.ceil(width / 2), Math.ceil(height / 2)]
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      bits.exponential(I_PCM).align()
      bits.block(frame.luma, width, height, column * 16, row * 16, 16, BLACK)
      for (const plane of [frame.chroma?.blue, frame.chroma?.red])
        bits.block(plane ?? null, chromaWidth, chromaHeight, column * 8, row * 8, 8, GREY)
    }
  return bits.end()
}

/** Bits from the most significant on. */
class Bits {
  readonly #bytes: Buffer
  #at = 0
  #open = 0
  #count = 0

  constructor(room: Bytes) {
    this.#bytes = Buffer.alloc(room)
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  put(count: number, value: number): this {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#open = (this.#open << 1) | ((value >> bit) & 1)
      if (++this.#count === 8) this.align()
    }
    return this
  }

  /** ue(v); of zero se(v) is the same (§9.1). */
  exponential(value: number): this {
    const length = Math.floor(Math.log2(value + 1))
    return this.put(length, 0).put(length + 1, value + 1)
  }

  /** Zeros up to the next byte. */
  align(): this {
    if (this.#count === 0) return this
    this.#bytes[this.#at++] = (this.#open << (8 - this.#count)) & 0xff
    this.#open = 0
    this.#count = 0
    return this
  }

  /** Samples of a plane; what lies outside repeats its last row or column. null: all are `blank`. */
  block(
    plane: Uint8Array | null,
    width: number,
    height: number,
    left: number,
    top: number,
    side: number,
    blank: number,
  ): void {
    for (let y = top; y < top + side; y++) {
      const row = Math.min(y, height - 1) * width
      for (let x = left; x < left + side; x++)
        // 0 was forbidden in the standard's first edition, and some decoders still mind.
        this.#bytes[this.#at++] = Math.max(1, plane?.[row + Math.min(x, width - 1)] ?? blank)
    }
  }

  /** rbsp_trailing_bits */
  end(): this {
    return this.put(1, 1).align()
  }
}

/** With emulation prevention (§7.4.1.1). */
function nal(header: number, { bytes }: Bits): Uint8Array {
  const safe = Buffer.allocUnsafe(Math.ceil(bytes.length * 1.5) + 2)
  let at = safe.writeUInt8(header)
  let zeros = 0
  for (const byte of bytes) {
    if (zeros === 2 && byte <= 3) {
      at = safe.writeUInt8(3, at)
      zeros = 0
    }
    at = safe.writeUInt8(byte, at)
    zeros = byte === 0 ? zeros + 1 : 0
  }
  return Uint8Array.from(safe.subarray(0, at))
}
