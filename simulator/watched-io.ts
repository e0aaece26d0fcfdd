import { setImmediate } from "node:timers/promises"
import type { Clock } from "../firmware/ports.ts"
import { type Milliseconds, seconds } from "../firmware/units.ts"
import type { Rest } from "./lens.ts"
import { VirtualIo } from "./virtual-io.ts"

/** Longer than any debouncing: what a pin has told, the firmware has acted upon by then. */
const QUIET_AFTER: Milliseconds = seconds(2)

/**
 * Pins that know when somebody may look at the camera's pictures: while a pin is high, motion, bell or light, and a
 * little after. No frame leaves the ring without the light, and a light that has just been lit is not reported as driven
 * before the lens has caught up.
 */
export class WatchedIo extends VirtualIo implements Rest {
  readonly lookBack: Milliseconds
  readonly #clock: Clock
  readonly #high = new Set<number>()
  #changedAt: Milliseconds = Number.NEGATIVE_INFINITY
  #resting: (() => void) | null = null

  /** `lookBack`: longer than the pre-roll and a group of pictures. */
  constructor(clock: Clock, lookBack: Milliseconds) {
    super()
    this.#clock = clock
    this.lookBack = lookBack
  }

  get watched(): boolean {
    return this.#high.size > 0 || this.#clock.monotonic() - this.#changedAt < QUIET_AFTER
  }

  untilWatched(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.watched) return resolve()
      const wake = () => {
        this.#resting = null
        signal.removeEventListener("abort", wake)
        resolve()
      }
      this.#resting = wake
      signal.addEventListener("abort", wake, { once: true })
    })
  }

  override set(pin: number, value: 0 | 1): void {
    this.#changed(pin, value)
    super.set(pin, value)
  }

  override digitalWrite(pin: number, value: number): void {
    this.#changed(pin, value)
    super.digitalWrite(pin, value)
  }

  override async driven(pin: number): Promise<void> {
    await setImmediate()
    await super.driven(pin)
  }

  override reset(): void {
    super.reset()
    this.#high.clear()
  }

  #changed(pin: number, value: number): void {
    const high = value !== 0
    if (high === this.#high.has(pin)) return
    if (high) this.#high.add(pin)
    else this.#high.delete(pin)
    this.#changedAt = this.#clock.monotonic()
    this.#resting?.()
  }
}
