import { createHmac, timingSafeEqual } from "node:crypto"
import type { Clock } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { WakeUp } from "../wake.ts"
import type { Identity } from "./identity.ts"
import { GRANT_FOR_MAX } from "./live-messages.ts"
import type { BeatQuote } from "./protocol.ts"

/** When a quoted heartbeat was made, or why it does not count. */
export type BeatTime =
  | { readonly ok: true; readonly at: Milliseconds }
  | { readonly ok: false; readonly reason: "another boot" | "unknown heartbeat" | "expired" }

/**
 * The heartbeats that this boot has made, and when, on the monotonic clock: the camera's only notion of how old somebody
 * else's words are. What quotes a heartbeat is younger than it; no clock on a wall is asked.
 *
 * A nonce is a MAC of the heartbeat's number, so it need not be kept: one number for each heartbeat of the last ten
 * minutes is all that is.
 */
export class OwnBeats {
  readonly #identity: Pick<Identity, "boot" | "markKey">
  readonly #clock: Clock
  /** Of heartbeat number `#first + i`. */
  #times: Milliseconds[] = []
  #first = 0
  readonly #due = new WakeUp()
  #isDue = false

  constructor(identity: Pick<Identity, "boot" | "markKey">, clock: Clock) {
    this.#identity = identity
    this.#clock = clock
  }

  /** One boot's heartbeats are numbered, so an old one cannot stand in for a new one. */
  next(): BeatQuote {
    this.#isDue = false
    const now = this.#clock.monotonic()
    const old = this.#times.findIndex((at) => now - at < GRANT_FOR_MAX)
    const gone = old === -1 ? this.#times.length : old
    this.#first += gone
    this.#times = this.#times.slice(gone)
    const number = this.#first + this.#times.length
    this.#times.push(now)
    return { boot: this.#identity.boot, number, nonce: this.#nonceOf(number) }
  }

  /** Something has changed that the next heartbeat shall say now. */
  hurry(): void {
    this.#isDue = true
    this.#due.wake()
  }

  /** Resolves when the next one is due: after `wait`, or when it is to hurry, or `signal` aborts. */
  async untilDue(wait: Milliseconds, signal: AbortSignal): Promise<void> {
    const cancel = this.#clock.after(wait, () => this.hurry())
    while (!this.#isDue && !signal.aborted) await this.#due.wait(signal)
    cancel()
  }

  timeOf({ boot, number, nonce }: BeatQuote): BeatTime {
    if (boot !== this.#identity.boot) return { ok: false, reason: "another boot" }
    const isOurs = timingSafeEqual(Buffer.from(nonce, "hex"), Buffer.from(this.#nonceOf(number), "hex"))
    if (!isOurs || number >= this.#first + this.#times.length)
      return { ok: false, reason: "unknown heartbeat" }
    const at = this.#times[number - this.#first]
    return at === undefined ? { ok: false, reason: "expired" } : { ok: true, at }
  }

  /** What was quoted from the heartbeats so far counts no more. */
  forget(): void {
    this.#first += this.#times.length
    this.#times = []
  }

  #nonceOf(number: number): string {
    const { boot, markKey } = this.#identity
    return createHmac("sha256", markKey).update(`heartbeat ${boot} ${number}`).digest("hex").slice(0, 32)
  }
}
