import type { Slice } from "./slice.ts"
import { BASELINE_PROFILE, type Sps } from "./sps.ts"

/** Where a picture stands in output order, counted in pictures. */
export interface PicturePlace {
  /** How many pictures' time lies between its decoding and its output; at least 0. */
  readonly waits: number
  /** No picture before it in decoding order is shown after it. */
  readonly newest: boolean
}

/** Where the stream does not say: what encoders do in practice, two levels of B-frames. */
const USUAL_REORDER_FRAMES = 2

/**
 * Output order from the picture order count (ISO/IEC 14496-10 §8.2.1), for streams that come without timestamps.
 * Every picture waits the stream's reorder delay, constant unless the stream breaks its own promise: then it grows.
 */
export class PictureOrder {
  #delay = 0
  #sps: Sps | null = null
  /** A frame is two fields (§8.2.1), so frames count by 2; some encoders count by 1, which an odd count gives away. */
  #step = 2
  #decoded = 0
  #newest = 0
  #referenceMsb = 0
  #referenceLsb = 0

  place(slice: Slice): PicturePlace {
    const { sps } = slice
    if (sps !== this.#sps) {
      this.#sps = sps
      this.#delay = Math.max(this.#delay, reorderDelayOf(sps))
    }
    if (slice.idr) this.#restart()
    const decoded = this.#decoded++
    if (sps.pictureOrderType !== 0) return { waits: this.#delay, newest: true }
    const count = this.#count(slice)
    if (count % 2 !== 0 && slice.field === null) this.#step = 1
    const ahead = Math.round(count / this.#step) - decoded
    if (ahead + this.#delay < 0) this.#delay = Math.min(-ahead, 16)
    const newest = count >= this.#newest
    if (newest) this.#newest = count
    return { waits: Math.max(0, ahead + this.#delay), newest }
  }

  /** After pictures were lost the counts mean nothing until the next IDR picture. */
  #restart(): void {
    this.#decoded = 0
    this.#newest = 0
    this.#referenceMsb = 0
    this.#referenceLsb = 0
  }

  /** TopFieldOrderCnt for picture order count type 0 (§8.2.1.1). */
  #count({ pictureOrder: lsb, reference, sps }: Slice): number {
    const range = 2 ** sps.pictureOrderBits
    const rise = lsb - this.#referenceLsb
    const msb =
      rise <= -range / 2
        ? this.#referenceMsb + range
        : rise > range / 2
          ? this.#referenceMsb - range
          : this.#referenceMsb
    if (reference) {
      this.#referenceMsb = msb
      this.#referenceLsb = lsb
    }
    return msb + lsb
  }
}

function reorderDelayOf(sps: Sps): number {
  if (sps.pictureOrderType !== 0 || sps.profile === BASELINE_PROFILE || sps.referenceFramesMax < 2) return 0
  return sps.reorderFramesMax ?? USUAL_REORDER_FRAMES
}
