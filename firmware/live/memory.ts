import { sha256Hex } from "../control/keys.ts"
import { GRANT_FOR_MAX, RENEWED_FOR } from "../control/live-messages.ts"
import type { Clock } from "../ports.ts"
import type { Milliseconds } from "../units.ts"

/** Of asks, of grants taken back, and so on, each: nobody honest comes near in ten minutes. */
const NOTED_MAX = 256
/** Of one viewer's: a guest must not use up the room of the others. */
const ASKS_MAX = 64

/**
 * What must not count twice, for as long as it could: an ask that was there before, a grant that was taken back, a reason
 * that somebody gave for another grant; and until when the owner lets each grant go on. After ten minutes every grant that it is about has ended by itself.
 */
export class LiveMemory {
  readonly #clock: Clock
  readonly #asks = new Map<string, { readonly viewer: string; readonly at: Milliseconds }>()
  readonly #revoked = new Map<string, Milliseconds>()
  /** By grant: the heartbeat over which the owner renewed it last. */
  readonly #renewed = new Map<string, Milliseconds>()
  /** By what was said and to whom: the grant it was said for. */
  readonly #reasons = new Map<string, { readonly grant: string; readonly at: Milliseconds }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Notes an ask. "full": there is no room for another of this viewer's; guests leave the owner theirs. */
  ask(hash: string, viewer: string, isOwner: boolean): "new" | "replayed" | "full" {
    this.#forgetOld()
    if (this.#asks.has(hash)) return "replayed"
    const before = [...this.#asks.values()].filter((ask) => ask.viewer === viewer).length
    if (before >= ASKS_MAX || (this.#asks.size >= NOTED_MAX && !isOwner)) return "full"
    this.#asks.set(hash, { viewer, at: this.#clock.monotonic() })
    return "new"
  }

  /** false: there is no room to remember one more. */
  revoke(grant: string): boolean {
    this.#forgetOld()
    if (this.#revoked.size >= NOTED_MAX) return false
    this.#revoked.set(grant, this.#clock.monotonic())
    return true
  }

  /** The owner lets this grant go on, by a heartbeat of `at`. false: there is no room to remember one more. */
  renew(grant: string, at: Milliseconds): boolean {
    this.#forgetOld()
    const before = this.#renewed.get(grant) ?? Number.NEGATIVE_INFINITY
    if (!this.#renewed.has(grant) && this.#renewed.size >= NOTED_MAX) return false
    this.#renewed.set(grant, Math.max(at, before))
    return true
  }

  /** Until when that lets it; in the past if it never did. */
  renewedUntil(grant: string): Milliseconds {
    return (this.#renewed.get(grant) ?? Number.NEGATIVE_INFINITY) + RENEWED_FOR
  }

  /** There is a grant that the owner keeps going. */
  get isRenewing(): boolean {
    const now = this.#clock.monotonic()
    return [...this.#renewed.values()].some((at) => now - at < RENEWED_FOR)
  }

  isRevoked(grant: string): boolean {
    return this.#revoked.has(grant)
  }

  /** Notes why `viewer` may look. false: the same was said for another grant of theirs. */
  reason(viewer: string, reason: string, grant: string): boolean {
    const key = `${viewer} ${sha256Hex(Buffer.from(reason.trim().toLowerCase()))}`
    const known = this.#reasons.get(key)
    if (known && known.grant !== grant) return false
    if (this.#reasons.size < NOTED_MAX) this.#reasons.set(key, { grant, at: this.#clock.monotonic() })
    return true
  }

  #forgetOld(): void {
    const now = this.#clock.monotonic()
    for (const noted of [this.#revoked, this.#renewed])
      for (const [hash, at] of noted) if (now - at >= GRANT_FOR_MAX) noted.delete(hash)
    for (const noted of [this.#asks, this.#reasons])
      for (const [key, { at }] of noted) if (now - at >= GRANT_FOR_MAX) noted.delete(key)
  }
}
