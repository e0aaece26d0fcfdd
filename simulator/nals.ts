/**
 * A byte stream's NAL units (ISO/IEC 14496-10 Annex B), for whole films in memory:
 *
 *   { [00] 00 00 01 · NAL unit · trailing zeros }*
 *
 * The simulator has its own splitter on purpose: cut with the parser under test, the source would agree with that
 * parser's mistakes.
 */

/** Where a NAL unit lies: `start` at its start code (a leading zero byte included), `begin`..`end` its own bytes. */
export interface NalSpan {
  readonly start: number
  readonly begin: number
  readonly end: number
}

export const NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, delimiter: 9 } as const

export const START_CODE = Uint8Array.of(0, 0, 0, 1)

export function withoutStartCode(nal: Uint8Array): Uint8Array {
  return nal.subarray(START_CODE.length)
}

/** In order. Bytes before the first start code belong to no NAL unit. */
export function nalSpans(bytes: Uint8Array): readonly NalSpan[] {
  const spans: NalSpan[] = []
  let begin = -1
  let start = -1
  for (let one = bytes.indexOf(1, 2); one >= 0; one = bytes.indexOf(1, one + 1)) {
    if (bytes[one - 1] !== 0 || bytes[one - 2] !== 0) continue
    const code = one > 2 && bytes[one - 3] === 0 ? one - 3 : one - 2
    if (begin >= 0) push(spans, bytes, start, begin, code)
    start = code
    begin = one + 1
  }
  if (begin >= 0) push(spans, bytes, start, begin, bytes.length)
  return spans
}

/** nal_unit_type (§7.3.1). */
export function nalType(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f
}

/** A coded picture's slice (§7.4.1.2.3): one of the primary ones, partition A included. */
export function isSlice(type: number): boolean {
  return type === NAL.slice || type === 2 || type === NAL.idr
}

/** first_mb_in_slice is 0 (§7.3.3): the slice begins a picture. Its ue(v) code for 0 is a single 1 bit. */
export function beginsPicture(slice: Uint8Array): boolean {
  return ((slice[1] ?? 0) & 0x80) !== 0
}

/** Begins the next access unit when it follows a slice (§7.4.1.2.3): 6..9 and 14..18. */
export function beginsUnitAfterSlice(type: number): boolean {
  return (type >= 6 && type <= 9) || (type >= 14 && type <= 18)
}

/** trailing_zero_8bits are not part of a NAL unit, which itself never ends in zero (§7.4.1). */
function push(spans: NalSpan[], bytes: Uint8Array, start: number, begin: number, next: number): void {
  let end = next
  while (end > begin && bytes[end - 1] === 0) end--
  if (end > begin) spans.push({ start, begin, end })
}
