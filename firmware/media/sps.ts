import { Fault } from "../errors.ts"
import type { Bytes } from "../units.ts"
import { BitReader } from "./bits.ts"

/** What obscura needs of a sequence parameter set (ISO/IEC 14496-10 §7.3.2.1.1). */
export interface Sps {
  readonly id: number
  readonly profile: number
  /** constraint_set flags, as they stand in the byte after the profile. */
  readonly constraints: number
  readonly level: number
  readonly chromaFormat: number
  readonly bitDepthLuma: number
  readonly bitDepthChroma: number
  readonly separateColourPlanes: boolean
  readonly frameNumberBits: number
  readonly pictureOrderType: number
  /** 0 unless `pictureOrderType` is 0. */
  readonly pictureOrderBits: number
  readonly referenceFramesMax: number
  readonly frameMacroblocksOnly: boolean
  readonly macroblocks: number
  /** Cropped, in luma samples. */
  readonly width: number
  readonly height: number
  /** max_num_reorder_frames; null where the stream does not say. */
  readonly reorderFramesMax: number | null
}

/** Scaling lists and VUI included, an honest one is far smaller. */
const PARAMETER_SET_BYTES_MAX: Bytes = 4_096
/** 16,384 luma samples, beyond any level (§A.3). */
const SIDE_MACROBLOCKS_MAX = 1_024
/** The profiles whose SPS carries chroma format, bit depths and scaling lists (§7.3.2.1.1). */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])
export const BASELINE_PROFILE = 66

export const hasHighFields = (profile: number): boolean => HIGH_PROFILES.has(profile)

/** `nal` with its header byte. @throws Fault "malformed" */
export function parseSps(nal: Uint8Array): Sps {
  if (nal.length > PARAMETER_SET_BYTES_MAX) throw new Fault("malformed", "an SPS is too large")
  const bits = new BitReader().open(nal, PARAMETER_SET_BYTES_MAX)
  const profile = bits.unsigned(8)
  const constraints = bits.unsigned(8)
  const level = bits.unsigned(8)
  const id = bits.exponential(31)
  const colour = hasHighFields(profile) ? parseColour(bits) : MAIN_COLOUR
  const frameNumberBits = bits.exponential(12) + 4
  const pictureOrderType = bits.exponential(2)
  const pictureOrderBits = pictureOrderType === 0 ? bits.exponential(12) + 4 : 0
  if (pictureOrderType === 1) skipPictureOrderCycle(bits)
  const referenceFramesMax = bits.exponential(16)
  bits.skip(1) // gaps_in_frame_num_value_allowed_flag
  const columns = bits.exponential(SIDE_MACROBLOCKS_MAX - 1) + 1
  const mapRows = bits.exponential(SIDE_MACROBLOCKS_MAX - 1) + 1
  const frameMacroblocksOnly = bits.flag()
  const rows = frameMacroblocksOnly ? mapRows : mapRows * 2
  if (!frameMacroblocksOnly) bits.skip(1) // mb_adaptive_frame_field_flag
  bits.skip(1) // direct_8x8_inference_flag
  const [left, right, top, bottom] = bits.flag()
    ? [bits.exponential(16_383), bits.exponential(16_383), bits.exponential(16_383), bits.exponential(16_383)]
    : [0, 0, 0, 0]
  // CropUnitX and CropUnitY (§7.4.2.1.1, equations 7-19 to 7-22)
  const arrayType = colour.separateColourPlanes ? 0 : colour.chromaFormat
  const cropX = arrayType === 1 || arrayType === 2 ? 2 : 1
  const cropY = (arrayType === 1 ? 2 : 1) * (frameMacroblocksOnly ? 1 : 2)
  const width = columns * 16 - cropX * (left + right)
  const height = rows * 16 - cropY * (top + bottom)
  if (width < 1 || height < 1) throw new Fault("malformed", "an SPS crops the whole picture away")
  const reorderFramesMax = bits.flag() ? parseReorder(bits) : null
  if (!bits.flag()) throw new Fault("malformed", "an SPS has no stop bit")
  return {
    id,
    profile,
    constraints,
    level,
    ...colour,
    frameNumberBits,
    pictureOrderType,
    pictureOrderBits,
    referenceFramesMax,
    frameMacroblocksOnly,
    macroblocks: columns * rows,
    width,
    height,
    reorderFramesMax,
  }
}

/** The ids with which a picture parameter set begins (§7.3.2.2). @throws Fault "malformed" */
export function parsePpsIds(nal: Uint8Array): { readonly id: number; readonly spsId: number } {
  if (nal.length > PARAMETER_SET_BYTES_MAX) throw new Fault("malformed", "a PPS is too large")
  const bits = new BitReader().open(nal, 16)
  return { id: bits.exponential(255), spsId: bits.exponential(31) }
}

const MAIN_COLOUR = { chromaFormat: 1, separateColourPlanes: false, bitDepthLuma: 8, bitDepthChroma: 8 }

function parseColour(bits: BitReader): typeof MAIN_COLOUR {
  const chromaFormat = bits.exponential(3)
  const separateColourPlanes = chromaFormat === 3 && bits.flag()
  const bitDepthLuma = bits.exponential(6) + 8
  const bitDepthChroma = bits.exponential(6) + 8
  bits.skip(1) // qpprime_y_zero_transform_bypass_flag
  const scalingLists = bits.flag() ? (chromaFormat === 3 ? 12 : 8) : 0
  for (let list = 0; list < scalingLists; list++) if (bits.flag()) skipScalingList(bits, list < 6 ? 16 : 64)
  return { chromaFormat, separateColourPlanes, bitDepthLuma, bitDepthChroma }
}

/** §7.3.2.1.1.1 */
function skipScalingList(bits: BitReader, size: number): void {
  let last = 8
  let next = 8
  for (let j = 0; j < size && next !== 0; j++) {
    next = (last + bits.signedExponential() + 256) & 255
    if (next !== 0) last = next
  }
}

function skipPictureOrderCycle(bits: BitReader): void {
  bits.skip(1) // delta_pic_order_always_zero_flag
  bits.signedExponential()
  bits.signedExponential()
  for (let left = bits.exponential(255); left > 0; left--) bits.signedExponential()
}

/** max_num_reorder_frames, the last but one element of the VUI (§E.1.1). */
function parseReorder(bits: BitReader): number | null {
  if (bits.flag() && bits.unsigned(8) === 255) bits.skip(32) // aspect ratio, Extended_SAR
  if (bits.flag()) bits.skip(1) // overscan
  if (bits.flag()) {
    bits.skip(4) // video_format, video_full_range_flag
    if (bits.flag()) bits.skip(24)
  }
  if (bits.flag()) {
    bits.exponential(5)
    bits.exponential(5)
  }
  if (bits.flag()) bits.skip(65) // num_units_in_tick, time_scale, fixed_frame_rate_flag
  const nalHrd = bits.flag()
  if (nalHrd) skipHrd(bits)
  const vclHrd = bits.flag()
  if (vclHrd) skipHrd(bits)
  if (nalHrd || vclHrd) bits.skip(1) // low_delay_hrd_flag
  bits.skip(1) // pic_struct_present_flag
  if (!bits.flag()) return null
  bits.skip(1) // motion_vectors_over_pic_boundaries_flag
  for (let j = 0; j < 4; j++) bits.exponential(2 ** 16)
  const reorderFramesMax = bits.exponential(16)
  bits.exponential(16) // max_dec_frame_buffering
  return reorderFramesMax
}

/** §E.1.2 */
function skipHrd(bits: BitReader): void {
  const count = bits.exponential(31) + 1
  bits.skip(8)
  for (let j = 0; j < count; j++) {
    bits.exponential(2 ** 32 - 2)
    bits.exponential(2 ** 32 - 2)
    bits.skip(1)
  }
  bits.skip(20)
}
