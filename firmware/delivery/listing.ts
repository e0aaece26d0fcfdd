import { type DropEntry, type Entry, MANIFEST_ENTRIES_MAX, NO_MANIFEST } from "../control/protocol.ts"
import { Fault } from "../errors.ts"
import type { Clock, Log } from "../ports.ts"
import type { Chain } from "./manifest.ts"
import { type Item, manifestName, newParcel, sequenceOf } from "./parcel.ts"
import type { Shelf } from "./shelf.ts"

/** Signing and verifying cost as much as sealing some 100 KB, so a camera that is behind lists several objects at once. */
const LISTED_TOGETHER = 8
/** What may wait in memory while not even a manifest fits on the disk: hours of recording. */
const WAITING_ENTRIES_MAX = 16_384

/**
 * What is to stand in the chain, and the one writer that puts it there: the chain has one order, and whoever comes while
 * a link is written shares the next signature.
 */
export class Listing {
  readonly #parts: { readonly clock: Clock; readonly log: Log }
  readonly #chain: Chain
  readonly #shelf: Shelf
  readonly #onListed: () => void
  readonly #items: Item[] = []
  readonly #says: Entry[] = []
  #writing: Promise<unknown> | null = null
  #roomless = false

  constructor(
    parts: { readonly clock: Clock; readonly log: Log },
    chain: Chain,
    shelf: Shelf,
    onListed: () => void,
  ) {
    this.#parts = parts
    this.#chain = chain
    this.#shelf = shelf
    this.#onListed = onListed
  }

  /** The last attempt found no room even for a manifest: what is to be listed waits in memory, and recording goes on. */
  get roomless(): boolean {
    return this.#roomless
  }

  get waits(): boolean {
    return this.#items.length > 0 || this.#says.length > 0 || this.#writing !== null
  }

  /** As many as one signature is for, or something of which a payload has left already: its record does not wait. */
  get isUrgent(): boolean {
    const many = this.#items.length >= LISTED_TOGETHER
    return many || this.#says.length > 0 || this.#items.some(({ gone }) => gone)
  }

  add(item: Item): void {
    this.#items.push(item)
  }

  say(entry: Entry): void {
    this.#says.push(entry)
  }

  /** Of two neighbours with one cause one record is made. */
  sayDropped(drop: Omit<DropEntry, "kind">): void {
    this.#parts.log.write({ event: "dropped", ...drop })
    const last = this.#says.at(-1)
    if (last?.kind === "drop" && last.to === drop.from - 1 && last.cause === drop.cause)
      this.#says[this.#says.length - 1] = { ...last, to: drop.to }
    else this.#says.push({ kind: "drop", ...drop })
  }

  /** Lists all that waits, or as much as there is room for. Durable when it resolves. */
  async list(): Promise<void> {
    this.#roomless = false
    while (!this.#roomless && (this.#items.length > 0 || this.#says.length > 0))
      await (this.#writing ?? this.alone(() => this.#listOnce()))
    await this.#writing
  }

  /** Runs `task` while nothing is listed. */
  async alone<T>(task: () => Promise<T>): Promise<T> {
    while (this.#writing) await this.#writing
    const running = task()
    const settled = running.finally(() => {
      this.#writing = null
    })
    this.#writing = settled
    return settled
  }

  async #listOnce(): Promise<void> {
    const items = this.#items.splice(0, batchLength(this.#items))
    const says = this.#says.splice(0, MANIFEST_ENTRIES_MAX - items.length)
    const newest = this.#shelf.parcels.at(-1)?.link.manifest
    const { epoch, recipients } = items[0] ?? newest ?? { epoch: 0, recipients: NO_MANIFEST }
    const facts = items.map((item) => item.facts)
    const link = this.#chain.propose([...facts, ...says], { epoch, hash: recipients })
    while (!(await this.#shelf.write(manifestName(link.manifest.sequence), [link.envelope]))) {
      // A record matters more than one payload of its own.
      const item = items.find(({ gone }) => !gone)
      if (!item) return this.#putBack(items, says)
      await this.#shelf.remove(item)
    }
    this.#chain.advance(link)
    const parcel = newParcel(link, items, this.#parts.clock.monotonic())
    for (const item of items.filter(({ gone }) => gone)) {
      const sequence = sequenceOf(parcel, item)
      this.sayDropped({ from: sequence, to: sequence, cause: "refused newest" })
    }
    // Only now: what a power cut could take back must not be on the wire.
    this.#shelf.insert(parcel)
    this.#onListed()
    await this.#shelf.removeFolded(says)
  }

  #putBack(items: readonly Item[], says: readonly Entry[]): void {
    this.#items.unshift(...items)
    this.#says.unshift(...says)
    this.#roomless = true
    if (this.#items.length + this.#says.length > WAITING_ENTRIES_MAX)
      throw new Fault("full", "the disk has had no room for a manifest for too long")
  }
}

/** How many from the front may share a manifest: those sealed for the same recipients. */
function batchLength(items: readonly Item[]): number {
  const other = items.findIndex(({ epoch }) => epoch !== items[0]?.epoch)
  return Math.min(other === -1 ? items.length : other, MANIFEST_ENTRIES_MAX)
}
