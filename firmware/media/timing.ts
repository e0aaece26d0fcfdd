import type { PictureTime } from "../ports.ts"
import { type FramesPerSecond, type Ticks90k, ticksOf } from "../units.ts"
import type { Origin } from "./nal.ts"
import type { PicturePlace } from "./picture-order.ts"

/** A silence longer than this is a gap and stays one; a shorter one is a late read. */
const GAP: Ticks90k = 90_000
/** A second-order control loop, critically damped: the gain of the rate is a quarter of the square of the phase's. */
const PHASE_GAIN = 1 / 8
const RATE_GAIN = PHASE_GAIN ** 2 / 4

/**
 * The times of access units, in decoding order: the lens's own where it gives them, else the nominal frame rate,
 * steered by when the pieces came, so that a wrong rate still gives the right duration. dts strictly increases.
 *
 * A piece came when its last byte did, so its time is that of the last access unit that begins in it. Steering
 * happens at pictures that no earlier one is shown after: between those, B-frames stay evenly spaced and in order.
 */
export class UnitTiming {
  readonly #nominal: Ticks90k
  #period: Ticks90k
  #dts: Ticks90k | null = null
  #given: Ticks90k = Number.NEGATIVE_INFINITY
  /** Added to the lens's times, for its clock may start anew. */
  #shift: Ticks90k = 0
  #origin: Origin | null = null
  #unitsOfOrigin = 0
  /** By how much pieces come later than the clock says when nothing is wrong; null: not yet known. */
  #bias: Ticks90k | null = null
  #error: Ticks90k = 0
  #unitsSinceSteering = 0

  constructor(framesPerSecond: FramesPerSecond) {
    this.#nominal = ticksOf(1_000) / framesPerSecond
    this.#period = this.#nominal
  }

  /** `ordinal`: how many access units began before this one in `origin`. */
  next(origin: Origin, ordinal: number, place: PicturePlace): PictureTime {
    const time = origin.timing?.[ordinal]
    return time === undefined ? this.#steered(origin, place) : this.#timed(origin, time)
  }

  #timed(origin: Origin, { pts, dts }: PictureTime): PictureTime {
    if (dts + this.#shift <= this.#given) {
      const waited = this.#origin === null ? 0 : ticksOf(origin.at - this.#origin.at)
      this.#shift = this.#given + Math.max(Math.round(this.#period), Math.round(waited)) - dts
    }
    this.#bias = null
    this.#begin(origin)
    this.#dts = dts + this.#shift
    return this.#give(this.#dts, pts + this.#shift)
  }

  #steered(origin: Origin, { waits, newest }: PicturePlace): PictureTime {
    const now = ticksOf(origin.at)
    if (this.#dts === null || this.#origin === null) this.#dts = now
    else {
      const silence = now - ticksOf(this.#origin.at)
      const gap = silence > GAP + this.#unitsOfOrigin * this.#period
      if (origin !== this.#origin) this.#measure(this.#origin, this.#dts)
      if (gap && newest) this.#bias = null
      this.#dts += gap && newest ? silence : this.#period + (newest ? this.#steer() : 0)
    }
    this.#begin(origin)
    return this.#give(this.#dts, this.#dts + waits * this.#period)
  }

  /** `dts` is of the last access unit that began in `origin`. */
  #measure(origin: Origin, dts: Ticks90k): void {
    const late = ticksOf(origin.at) - dts
    this.#bias ??= late
    this.#error = late - this.#bias
  }

  #steer(): Ticks90k {
    const error = this.#error
    const rate = this.#period + (error * RATE_GAIN) / Math.max(1, this.#unitsSinceSteering)
    this.#period = clamp(rate, this.#nominal / 4, this.#nominal * 4)
    this.#unitsSinceSteering = 0
    this.#error = 0
    return clamp(error * PHASE_GAIN, -this.#period / 2, this.#period / 2)
  }

  #begin(origin: Origin): void {
    this.#unitsOfOrigin = origin === this.#origin ? this.#unitsOfOrigin + 1 : 1
    this.#unitsSinceSteering++
    this.#origin = origin
  }

  #give(dts: Ticks90k, pts: Ticks90k): PictureTime {
    this.#given = Math.max(Math.round(dts), this.#given + 1)
    return { dts: this.#given, pts: Math.round(pts) }
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}
