import { Fault } from "../firmware/errors.ts"
import {
  beginsPicture,
  beginsUnitAfterSlice,
  isSlice,
  NAL,
  type NalSpan,
  nalSpans,
  nalType,
  START_CODE,
} from "./nals.ts"
import { BitReader, parseSps, type SequenceParameters, withoutEmulation } from "./sps.ts"

/** Where an access unit lies in a byte stream: whole, from its first start code to the next unit's. */
export interface UnitSpan {
  readonly start: number
  readonly end: number
  /** It holds an IDR picture: decoding may start here. */
  readonly keyFrame: boolean
  /** The access unit delimiter in front, start code included; 0: none. */
  readonly delimiterBytes: number
  /** Its first slice. */
  readonly slice: NalSpan
}

/**
 * Cuts a whole stream into access units (ISO/IEC 14496-10 §7.4.1.2.3). What comes before the first key frame is left
 * out, since nobody could decode it.
 *
 * @throws Fault "malformed", definite: no key frame.
 */
export function cutUnits(bytes: Uint8Array): readonly UnitSpan[] {
  const all: UnitSpan[] = []
  let head: NalSpan | undefined
  let slice: NalSpan | undefined
  let keyFrame = false
  const finish = (end: number) => {
    if (head && slice) {
      const delimiter = nalType(bytes.subarray(head.begin, head.end)) === NAL.delimiter
      const delimiterBytes = delimiter ? head.end - head.start : 0
      all.push({ start: head.start, end, keyFrame, delimiterBytes, slice })
    }
    head = undefined
    slice = undefined
    keyFrame = false
  }
  for (const span of nalSpans(bytes)) {
    const nal = bytes.subarray(span.begin, span.end)
    const type = nalType(nal)
    if (slice && (isSlice(type) ? beginsPicture(nal) : beginsUnitAfterSlice(type))) finish(span.start)
    head ??= span
    if (!isSlice(type)) continue
    slice ??= span
    keyFrame ||= type === NAL.idr
  }
  finish(bytes.length)
  const first = all.findIndex((unit) => unit.keyFrame)
  if (first < 0) throw new Fault("malformed", "holds no key frame")
  return all.slice(first)
}

/** @throws Fault "malformed": no parameter sets that parse; "unsupported": interlaced. Definite. */
export function parametersOf(bytes: Uint8Array): SequenceParameters {
  for (const { begin, end } of nalSpans(bytes)) {
    const nal = bytes.subarray(begin, end)
    if (nalType(nal) !== NAL.sps) continue
    const parameters = parseSps(nal)
    if (parameters.interlaced) throw new Fault("unsupported", "is interlaced")
    return parameters
  }
  throw new Fault("malformed", "holds no parameter sets")
}

/**
 * The same stream with parameter sets in every key frame's unit, as a camera sends them: where they are missing, those
 * of the last unit that had some. The very bytes, if none are missing.
 */
export function withInlineSets(bytes: Uint8Array): Uint8Array {
  let sets: readonly Uint8Array[] = []
  let added = false
  const parts: Uint8Array[] = []
  for (const { start, end, keyFrame, delimiterBytes } of cutUnits(bytes)) {
    const unit = bytes.subarray(start, end)
    const own = nalSpans(unit)
      .map((nal) => unit.subarray(nal.begin, nal.end))
      .filter((nal) => nalType(nal) === NAL.sps || nalType(nal) === NAL.pps)
    if (own.length > 0) sets = own
    const missing = keyFrame && own.length === 0 ? sets : []
    added ||= missing.length > 0
    parts.push(unit.subarray(0, delimiterBytes), ...missing.flatMap((nal) => [START_CODE, nal]))
    parts.push(unit.subarray(delimiterBytes))
  }
  return added ? Buffer.concat(parts) : bytes
}

/**
 * Each unit's place in the order of showing (§8.2.1): the picture order count restarts at every IDR picture and is sent
 * without its upper bits, so those are counted along (§8.2.1.1).
 */
export function pictureOrder(
  bytes: Uint8Array,
  units: readonly UnitSpan[],
  parameters: SequenceParameters,
): readonly number[] {
  if (parameters.orderBits === null) return units.map((_, index) => index)
  const range = 2 ** parameters.orderBits
  let previousLow = 0
  let previousHigh = 0
  let group = -1
  const counts = units.map(({ keyFrame, slice }, index) => {
    if (keyFrame) {
      group++
      previousLow = 0
      previousHigh = 0
    }
    const nal = bytes.subarray(slice.begin, slice.end)
    const low = orderLow(nal, parameters)
    let high = previousHigh
    if (low < previousLow && previousLow - low >= range / 2) high += range
    else if (low > previousLow && low - previousLow > range / 2) high -= range
    // Only pictures that others refer to (nal_ref_idc) carry the count on.
    if (((nal[0] ?? 0) & 0x60) !== 0) {
      previousLow = low
      previousHigh = high
    }
    return { index, group, count: high + low }
  })
  const ranks = new Array<number>(units.length).fill(0)
  counts
    .sort((a, b) => a.group - b.group || a.count - b.count)
    .forEach(({ index }, rank) => {
      ranks[index] = rank
    })
  return ranks
}

/** pic_order_cnt_lsb of a slice header (§7.3.3), of frames. */
function orderLow(nal: Uint8Array, { separatePlanes, frameNumBits, orderBits }: SequenceParameters): number {
  const bits = new BitReader(withoutEmulation(nal.subarray(1, 64)))
  bits.golomb()
  bits.golomb()
  bits.golomb()
  if (separatePlanes) bits.fixed(2)
  bits.fixed(frameNumBits)
  if (nalType(nal) === NAL.idr) bits.golomb()
  return bits.fixed(orderBits ?? 0)
}
