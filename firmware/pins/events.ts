import type { Trigger } from "../clip.ts"
import type { Clock } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { WakeUp } from "../wake.ts"

/** One reason to record: motions and bell presses that overlap, or follow before `close`, are one event. */
export interface MotionEvent {
  /** What came first. */
  readonly trigger: Trigger
  /** Since when all has been quiet, on the monotonic clock; null while motion goes on. A bell press has no duration. */
  quietSince(): Milliseconds | null
  /**
   * The clip is finished: what happens from now on is another event, and a motion that still goes on is one at once.
   * Asking for the next event closes this one too. Closing twice is harmless.
   */
  close(): void
}

/**
 * Merges edges into events. There is at most one open event, handed out or waiting to be, so nothing grows however long
 * nobody asks.
 */
export class MotionEvents {
  readonly #clock: Clock
  readonly #wakeUp = new WakeUp()
  #moving = false
  #open: { readonly trigger: Trigger; quietSince: Milliseconds } | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  motion(moving: boolean, at: Milliseconds): void {
    this.#moving = moving
    if (moving || this.#open) this.#feel({ kind: "motion", at })
  }

  bell(at: Milliseconds): void {
    this.#feel({ kind: "bell", at })
  }

  async *each(signal: AbortSignal): AsyncGenerator<MotionEvent, void, undefined> {
    if (!this.#moving) this.#open = null
    while (!signal.aborted) {
      const event = this.#handOut()
      if (!event) {
        await this.#wakeUp.wait(signal)
        continue
      }
      try {
        yield event
      } finally {
        event.close()
      }
    }
  }

  #feel(trigger: Trigger): void {
    if (this.#open) this.#open.quietSince = trigger.at
    else this.#open = { trigger, quietSince: trigger.at }
    this.#wakeUp.wake()
  }

  #handOut(): MotionEvent | null {
    const open = this.#open
    if (!open) return null
    return {
      trigger: open.trigger,
      quietSince: () => (this.#moving && this.#open === open ? null : open.quietSince),
      close: () => {
        if (this.#open !== open) return
        this.#open = null
        if (!this.#moving) return
        open.quietSince = this.#clock.monotonic()
        this.#feel({ kind: "motion", at: open.quietSince })
      },
    }
  }
}
