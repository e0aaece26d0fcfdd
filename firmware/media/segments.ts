import type { Segment } from "../clip.ts"
import type { MediaFlaw } from "../log.ts"
import { type Bytes, MiB, type Milliseconds, millisecondsOf, type Ticks90k, ticksOf } from "../units.ts"
import type { DecodableUnit } from "./annexb.ts"
import { Muxer, type Pad, sampleBytes } from "./muxer.ts"

export interface SegmentOptions {
  /** A segment ends at the first key frame after this. */
  readonly segmentMin: Milliseconds
  /** By decoding time, from the first unit. */
  readonly clipMax: Milliseconds
  readonly pad: Pad
  /** The clip ends before the first unit for which this is true. */
  readonly until: (unit: DecodableUnit) => boolean
  /** Key frames lie so far apart that segments are much longer than asked for; told once a clip. */
  readonly onLongGroup?: (duration: Milliseconds) => void
  readonly onFlaw?: (flaw: MediaFlaw) => void
  /** Media bytes after which a segment ends without a key frame, so that memory and objects stay bounded. */
  readonly segmentBytesMax?: Bytes
}

const SEGMENT_BYTES_MAX: Bytes = 16 * MiB
/** Times `segmentMin`: where GOPs are no longer than it, no segment is longer than this. */
const LONG_GROUP = 2

/**
 * Cuts one clip into segments, each yielded as soon as the unit after it is seen. The clip ends where `until` says so,
 * at `clipMax`, where the units end, or where the parameter sets change (flaw "changed picture size": one movie box
 * describes one decoder); its last segment says so. With B-frames, the pictures shown before the last one come first.
 * No key frame gives no segment.
 */
export async function* segmentsOf(
  source: AsyncIterable<DecodableUnit>,
  options: SegmentOptions,
): AsyncGenerator<Segment, void, undefined> {
  const { segmentMin, clipMax, pad, until, onLongGroup, onFlaw } = options
  const { segmentBytesMax = SEGMENT_BYTES_MAX } = options
  let clip: { readonly first: DecodableUnit; readonly muxer: Muxer } | null = null
  let segment: DecodableUnit[] = []
  let bytes: Bytes = 0
  let group: Ticks90k = 0
  let newestPicture: Ticks90k = Number.NEGATIVE_INFINITY
  let ending = false
  let end: Ticks90k | null = null
  let warn = onLongGroup
  for await (const unit of source) {
    if (clip === null) {
      if (until(unit)) return
      if (!unit.keyFrame) continue
      clip = { first: unit, muxer: new Muxer(unit, pad) }
      group = unit.dts
    } else {
      const changed = unit.sets !== clip.first.sets
      if (changed) onFlaw?.("changed picture size")
      ending ||= until(unit) || unit.dts - clip.first.dts >= ticksOf(clipMax)
      if (changed || (ending && unit.pts > newestPicture)) {
        end = unit.dts
        break
      }
      const age = unit.dts - (segment[0]?.dts ?? unit.dts)
      if ((unit.keyFrame && age >= ticksOf(segmentMin)) || bytes + sampleBytes(unit) > segmentBytesMax) {
        yield clip.muxer.segment(segment, unit.dts, false)
        segment = []
        bytes = 0
      }
      if (unit.keyFrame) {
        const length = millisecondsOf(unit.dts - group)
        if (length > LONG_GROUP * segmentMin) {
          warn?.(length)
          warn = undefined
        }
        group = unit.dts
      }
    }
    segment.push(unit)
    bytes += sampleBytes(unit)
    newestPicture = Math.max(newestPicture, unit.pts)
  }
  if (clip !== null) yield clip.muxer.segment(segment, end, true)
}
