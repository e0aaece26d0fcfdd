import type { PublicKey } from "../../firmware/control/keys.ts"
import { GRANT_FOR_MAX } from "../../firmware/control/live-messages.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import { type Milliseconds, type Seconds, seconds } from "../../firmware/units.ts"
import { NO_LOG } from "../cloud/log/log-messages.ts"
import { grantFor, renewalOf, revocationOf } from "./grants.ts"
import { OrderLink, type OrderParts } from "./order-link.ts"

interface Lent {
  readonly grant: Uint8Array
  readonly until: Milliseconds
}

/**
 * An owner who lets others look at one camera: signs grants, renews each over every heartbeat that comes, and takes back
 * what is no longer wanted. Whoever stops running this stops renewing, and half a minute later nobody looks any more.
 */
export class Lending {
  readonly #parts: OrderParts
  readonly #link: OrderLink
  #lent: readonly Lent[] = []

  constructor(parts: OrderParts) {
    this.#parts = parts
    this.#link = new OrderLink(parts)
    this.#link.onBeat = () => this.#renewAll()
  }

  /** Ends when `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#link.run(signal)
  }

  /** A grant over the newest heartbeat; waits for one. null when `signal` aborts first. @throws as `grantFor`. */
  async lend(
    receiver: PublicKey,
    reason: string,
    signal: AbortSignal,
    duration: Seconds = GRANT_FOR_MAX / 1_000,
  ): Promise<Uint8Array | null> {
    const { camera, owner, link } = this.#parts
    await this.#link.beats.next(signal)
    const beat = this.#link.beats.quote
    if (beat === null || signal.aborted) return null
    const grant = grantFor({ device: camera.id, receiver, reason, beat, seconds: duration }, owner)
    this.#lent = [...this.#lent, { grant, until: link.clock.monotonic() + seconds(duration) }]
    await this.#link.say(renewalOf(grant, camera.id, beat, owner))
    return grant
  }

  /**
   * Has the cloud record a grant, which its owner keeps already, before it is handed out.
   * "none": this cloud keeps no access log. null when `signal` aborts first.
   * @throws Fault "refused", definite: the cloud cannot record it, and says why.
   */
  async record(grant: Uint8Array, signal: AbortSignal): Promise<"recorded" | "none" | null> {
    const ask = { kind: "grant", grant: Buffer.from(grant).toString("base64") } as const
    const answer = await this.#link.askLog(ask, signal)
    if (answer === null || answer.refused === null) return answer && "recorded"
    if (answer.refused === NO_LOG) return "none"
    throw new Fault("refused", `not lent: ${answer.refused.replace(/\p{Cc}/gu, " ")}`)
  }

  /** Renews it no more, and says so. null: none of what was lent so far. */
  async takeBack(grant: Uint8Array | null): Promise<void> {
    const { camera, owner } = this.#parts
    this.#lent = grant === null ? [] : this.#lent.filter((each) => each.grant !== grant)
    await this.#link.say(revocationOf(grant, camera.id, owner))
  }

  #renewAll(): void {
    const { camera, owner, link } = this.#parts
    const beat = this.#link.beats.quote
    this.#lent = this.#lent.filter(({ until }) => until > link.clock.monotonic())
    if (beat === null) return
    for (const { grant } of this.#lent)
      this.#link.say(renewalOf(grant, camera.id, beat, owner)).catch((error: unknown) => {
        if (!isFault(error)) throw error
      })
  }
}
