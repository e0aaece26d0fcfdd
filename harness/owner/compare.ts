import type { Milliseconds, Ticks90k } from "../../firmware/units.ts"
import { ticksOf } from "../../firmware/units.ts"
import { readSei } from "../../simulator/sei.ts"
import { type ExpectedUnit, expectedUnits, type Gaps, noGaps, type Shot } from "../../simulator/shot.ts"
import type { Fmp4, Fmp4Sample } from "./fmp4.ts"

/** Which of its camera's groups of pictures a clip holds, and how many access units. */
export type Compared =
  | { readonly same: true; readonly span: Span; readonly units: number }
  | { readonly same: false; readonly why: string }

/**
 * Compares a clip with what its virtual camera showed: access unit by access unit, NAL unit by NAL unit, and in time.
 * Where in the source it begins, the mark in its first key frame says; from there on nothing may be missing, added,
 * changed or moved. What its lens did not give as it should, is in `gaps`.
 */
export function compareWithSource(
  { samples, presentationStart }: Fmp4,
  shot: Shot,
  { missed, torn }: Gaps = noGaps,
): Compared {
  const [head] = samples
  const mark = head?.nals.map(readSei).find((found) => found !== null)
  if (!head || !mark) return different("its first picture bears no mark")
  if (mark.camera !== shot.camera) return different(`it shows camera ${mark.camera}`)
  if (mark.canary !== shot.canary) return different("it bears another run's mark")
  const source = expectedUnits(shot, mark.group, Number.POSITIVE_INFINITY, missed)
  let first: ExpectedUnit | undefined
  let group = mark.group - 1
  for (const [index, sample] of samples.entries()) {
    let unit: ExpectedUnit | undefined = source.next().value
    if (unit && !unit.keyFrame && sample.keyFrame && torn.has(group)) unit = source.next().value
    if (!unit) return different("the source ended")
    first ??= unit
    if (unit.keyFrame)
      do group++
      while (missed.has(group))
    const why = differenceOf(sample, unit, { first, presentationStart }) ?? durationDifference(samples, index)
    if (why) return different(`picture ${index} (group ${group} of its camera): ${why}`)
  }
  return { same: true, span: { from: mark.group, to: group + 1 }, units: samples.length }
}

/** Groups of pictures of one camera: `from` included, `to` not. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Does `clip` show the motion that it was made for: from `preRoll` before the group in which the camera was triggered,
 * or the camera's start, to the group in which the motion ended? What `others` of the same camera show without a gap
 * before it need not be shown again.
 */
export function coversMotion(
  clip: Span,
  others: readonly Span[],
  motion: { readonly triggerGroup: number; readonly stillGroup: number },
  shot: Shot,
  limits: { readonly preRoll: Milliseconds; readonly clipMax: Milliseconds },
): boolean {
  const from = joinedFrom(clip, others)
  // A group comes when its last picture was taken, so a pre-roll begins where a group ended in time.
  const inTime = startOf(shot, from + 1) <= startOf(shot, motion.triggerGroup + 1) - ticksOf(limits.preRoll)
  const length = startOf(shot, clip.to) - startOf(shot, clip.from)
  const toItsEnd = clip.to > motion.stillGroup || length >= ticksOf(limits.clipMax)
  return (from === 0 || inTime) && clip.from <= motion.triggerGroup && toItsEnd
}

/** Where a run of spans without a gap begins that leads up to `clip`. */
function joinedFrom(clip: Span, others: readonly Span[]): number {
  let from = clip.from
  for (const other of [...others].sort((a, b) => b.from - a.from))
    if (other.from < from && other.to >= from) from = other.from
  return from
}

function startOf(shot: Shot, group: number): Ticks90k {
  const unit: ExpectedUnit | undefined = expectedUnits(shot, group, group + 1).next().value
  return unit ? unit.dts : 0
}

function differenceOf(
  sample: Fmp4Sample,
  unit: ExpectedUnit,
  { first, presentationStart }: { readonly first: ExpectedUnit; readonly presentationStart: Ticks90k },
): string | null {
  if (sample.nals.length !== unit.nals.length)
    return `${sample.nals.length} NAL units instead of ${unit.nals.length}`
  for (const [index, nal] of sample.nals.entries())
    if (!isSame(nal, unit.nals[index])) return `NAL unit ${index} differs`
  if (sample.keyFrame !== unit.keyFrame) return "wrongly marked as a key frame or none"
  if (sample.decodeTime !== unit.dts - first.dts) return "decoded at another time"
  const shownAt = sample.decodeTime + sample.compositionOffset - presentationStart
  return shownAt === unit.pts - first.pts ? null : "shown at another time"
}

/** Of the last picture nothing is known but that it lasts. */
function durationDifference(samples: readonly Fmp4Sample[], index: number): string | null {
  const sample = samples[index]
  const next = samples[index + 1]
  return sample && next && sample.decodeTime + sample.duration !== next.decodeTime ? "another duration" : null
}

function isSame(nal: Uint8Array, expected: Uint8Array | undefined): boolean {
  return expected !== undefined && Buffer.compare(nal, expected) === 0
}

function different(why: string): Compared {
  return { same: false, why }
}
