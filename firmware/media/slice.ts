import { Fault } from "../errors.ts"
import { BitReader } from "./bits.ts"
import type { Sps } from "./sps.ts"

/** The beginning of a slice header (ISO/IEC 14496-10 §7.3.3). */
export interface Slice {
  readonly firstMacroblock: number
  /** Of an IDR picture: decoding may start here. */
  readonly idr: boolean
  /** Other pictures may be predicted from it. */
  readonly reference: boolean
  readonly ppsId: number
  readonly frameNumber: number
  /** null: a whole frame. */
  readonly field: "top" | "bottom" | null
  /** pic_order_cnt_lsb; 0 where the stream has none. */
  readonly pictureOrder: number
  readonly sps: Sps
}

/** Longer than the elements read here can be, emulation prevention included. */
const SLICE_HEADER_BYTES_MAX = 48
const IDR = 5

/** Finds the SPS behind a PPS id. */
export interface SpsFinder {
  spsOf(ppsId: number): Sps | undefined
}

/**
 * Of one stream. The bit reader is kept: made anew for each slice, none is left when the collector comes by, and then V8
 * drops the code that was compiled for it.
 */
export class SliceReader {
  readonly #seen: SpsFinder
  readonly #bits = new BitReader()

  constructor(seen: SpsFinder) {
    this.#seen = seen
  }

  /** null: its parameter sets were never seen, so it cannot be read. @throws Fault "malformed" */
  read(nal: Uint8Array): Slice | null {
    const header = nal[0] ?? 0
    const idr = (header & 31) === IDR
    const reference = (header & 0x60) !== 0
    if (idr && !reference) throw new Fault("malformed", "an IDR slice with nal_ref_idc 0")
    const bits = this.#bits.open(nal, SLICE_HEADER_BYTES_MAX)
    const firstMacroblock = bits.exponential(2 ** 20)
    const type = bits.exponential(9)
    if (idr && type % 5 !== 2 && type % 5 !== 4)
      throw new Fault("malformed", "an IDR picture with inter prediction")
    const ppsId = bits.exponential(255)
    const sps = this.#seen.spsOf(ppsId)
    if (sps === undefined) return null
    if (sps.separateColourPlanes) bits.skip(2)
    const frameNumber = bits.unsigned(sps.frameNumberBits)
    const field = !sps.frameMacroblocksOnly && bits.flag() ? (bits.flag() ? "bottom" : "top") : null
    if (idr) bits.exponential(65_535) // idr_pic_id
    const pictureOrder = bits.unsigned(sps.pictureOrderBits)
    if (firstMacroblock >= sps.macroblocks) throw new Fault("malformed", "a slice begins outside the picture")
    return { firstMacroblock, idr, reference, ppsId, frameNumber, field, pictureOrder, sps }
  }
}
