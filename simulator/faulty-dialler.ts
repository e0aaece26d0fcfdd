import { Fault } from "../firmware/errors.ts"
import type { Clock, Connection, Dialler, Random } from "../firmware/ports.ts"
import type { Milliseconds } from "../firmware/units.ts"
import { minutes } from "../firmware/units.ts"
import type { LinkFaults } from "./faults.ts"
import { FaultyLink } from "./faulty-link.ts"
import { chance } from "./random.ts"

/** A dialler whose network can be slow, refuse, stall and break. `inner` may be any dialler, over real sockets too. */
export class FaultyDialler implements Dialler {
  readonly #inner: Dialler
  readonly #clock: Clock
  readonly #random: Random
  readonly #links = new Set<FaultyLink>()
  #faults: LinkFaults
  #refusedUntil: Milliseconds = 0

  constructor(inner: Dialler, faults: LinkFaults, clock: Clock, random: Random) {
    this.#inner = inner
    this.#faults = faults
    this.#clock = clock
    this.#random = random
  }

  async dial(pin: string | null, signal: AbortSignal): Promise<Connection> {
    if (this.#clock.monotonic() < this.#refusedUntil || chance(this.#random, this.#faults.refuse))
      throw new Fault("unavailable", "dial: connection refused")
    const { stream, binding } = await this.#inner.dial(pin, signal)
    const link = new FaultyLink(stream, this.#clock, this.#random, () => this.#faults)
    this.#links.add(link)
    const forget = this.#cutAtRandom(link)
    link.once("close", () => {
      this.#links.delete(link)
      forget()
    })
    return { stream: link, binding }
  }

  get faults(): LinkFaults {
    return this.#faults
  }

  /** Open connections notice at once: what was stalled flows on. */
  set faults(faults: LinkFaults) {
    this.#faults = faults
    for (const link of this.#links) link.faultsChanged()
  }

  /** Breaks every connection, both ends, and refuses dials for `cutDuration`. */
  cut(): void {
    this.#refusedUntil = this.#clock.monotonic() + this.#faults.cutDuration
    for (const link of this.#links) link.destroy()
  }

  /** The broker's ends of all connections are gone, and nobody tells the camera: its writes vanish. */
  halfOpen(): void {
    for (const link of this.#links) link.loseFarEnd()
  }

  #cutAtRandom(link: FaultyLink): () => void {
    if (this.#faults.cutsPerHour === 0) return () => undefined
    // Cuts that come independently of each other leave exponential times between them.
    const wait = (-Math.log(1 - this.#random.next()) * minutes(60)) / this.#faults.cutsPerHour
    return this.#clock.after(wait, () => {
      this.#refusedUntil = this.#clock.monotonic() + this.#faults.cutDuration
      link.destroy()
    })
  }
}
