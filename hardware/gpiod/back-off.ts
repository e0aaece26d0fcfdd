import type { Clock, Log } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"

const FIRST: Milliseconds = 50
const LONGEST: Milliseconds = 5_000
/** A tool that lived this long was good: the next wait is the first again. */
const GOOD_AFTER: Milliseconds = 10_000

/** The wait before a tool that ended is started again: it doubles. Each is reported. */
export class BackOff {
  readonly #tool: string
  readonly #clock: Clock
  readonly #log: Log
  #next = FIRST
  #startedAt: Milliseconds

  constructor(tool: string, clock: Clock, log: Log) {
    this.#tool = tool
    this.#clock = clock
    this.#log = log
    this.#startedAt = clock.monotonic()
  }

  started(): void {
    this.#startedAt = this.#clock.monotonic()
  }

  /** Reports why it ended; resolves when it may be started, or earlier when `signal` aborts. */
  async wait(reason: string, signal: AbortSignal): Promise<void> {
    if (this.#clock.monotonic() - this.#startedAt >= GOOD_AFTER) this.#next = FIRST
    const againIn = this.#next
    this.#next = Math.min(againIn * 2, LONGEST)
    this.#log.write({ event: "helper restarted", helper: this.#tool, reason, againIn })
    await this.#clock.sleep(againIn, signal)
  }
}
