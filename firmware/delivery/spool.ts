import type { CameraConfig } from "../config.ts"
import { type DropEntry, type Entry, MANIFEST_ENTRIES_MAX, NO_MANIFEST } from "../control/protocol.ts"
import { Fault, isFault } from "../errors.ts"
import type { Clock, Disk, Log } from "../ports.ts"
import type { Bytes } from "../units.ts"
import { WakeUp } from "../wake.ts"
import { type Chain, type Link, lastSequence } from "./manifest.ts"
import { ageFileOf, isWhole, objectFile } from "./object-file.ts"
import {
  type Item,
  manifestName,
  newParcel,
  objectName,
  overlaps,
  type Parcel,
  sequenceOf,
} from "./parcel.ts"
import type { SealedObject } from "./sealer.ts"
import { Shelf } from "./shelf.ts"

/** Attempts at a parcel that the owner asked for again: by then its payload may have been evicted. */
const AGAIN_TRIES = 3
/** Signing and verifying cost as much as sealing some 100 KB, so a camera that is behind lists several objects at once. */
const LISTED_TOGETHER = 8

export interface SpoolParts {
  readonly disk: Disk
  readonly clock: Clock
  readonly log: Log
}

/**
 * Sealed objects between camera and cloud, on disk.
 *
 *   hold      durable, but in no manifest: nobody has heard of it
 *   release   listed in a signed link of the chain: it travels
 *   discard   gone, without a number, so without a gap
 *   received  the cloud's receipt is here: it leaves when room is wanted
 *
 * When there is no room, `Shelf` decides what leaves or is refused, and that is said in the chain. Objects are opaque
 * here: the spool holds no key that opens one.
 */
export class Spool {
  readonly #parts: SpoolParts
  readonly #chain: Chain
  readonly #shelf: Shelf
  readonly #held = new Map<string, Item>()

  readonly #toList: Item[] = []
  readonly #toSay: Entry[] = []
  #listing: Promise<void> | null = null
  /** A parcel has arrived, and the uploader is about to ask for the next. */
  #betweenParcels = false
  readonly #arrival = new WakeUp()

  /** From what `openSpool` has read: manifests with their items, and items that are in no manifest. */
  constructor(
    parts: SpoolParts,
    options: CameraConfig["spool"],
    chain: Chain,
    parcels: readonly Parcel[],
    held: readonly Item[],
  ) {
    this.#parts = parts
    this.#chain = chain
    this.#shelf = new Shelf(parts.disk, options, (drop) => this.#sayDropped(drop))
    for (const parcel of parcels) this.#shelf.insert(parcel, true)
    for (const item of held) {
      this.#held.set(item.facts.id, item)
      this.#shelf.count(item)
    }
  }

  /** Of sealed payloads on the disk. */
  get bytes(): Bytes {
    return this.#shelf.bytes
  }

  /** Sequence of the newest entry of the chain, -1 before the first. */
  get newest(): number {
    return this.#chain.newest
  }

  get head(): string {
    return this.#chain.head
  }

  /** Nothing waits for the cloud. */
  get empty(): boolean {
    const busy =
      this.#held.size > 0 || this.#toList.length > 0 || this.#toSay.length > 0 || this.#listing !== null
    return !busy && this.#shelf.parcels.every(({ received }) => received)
  }

  // What the recorder does

  /**
   * Durable when it resolves. When there is no room even after dropping what may be dropped, the object is kept as a
   * record without payload: that, too, will be said.
   */
  async hold(object: SealedObject): Promise<void> {
    const { facts, epoch, recipients, parts } = object
    const file = objectFile(object)
    const size = file.reduce((sum, part) => sum + part.length, 0)
    const item: Item = { facts, epoch, recipients, size, parts: null, gone: false }
    this.#held.set(facts.id, item)
    if (await this.#shelf.add(item, file)) this.#shelf.warm(item, parts)
  }

  /**
   * Lists what was held in the chain; objects released together share one signature. So do, up to LISTED_TOGETHER, those
   * released while a parcel is on its way: nothing else can travel before it has arrived. Until then they stay what
   * they were, held on the disk, and a boot after a power cut lists them. A payload that found no room is on no disk:
   * its record does not wait.
   */
  async release(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const item = this.#held.get(id)
      if (!item) throw new Fault("broken", "released an object that is not held")
      this.#held.delete(id)
      this.#toList.push(item)
    }
    const busy = this.#betweenParcels || this.#shelf.parcels.some(({ sending }) => sending)
    const full = this.#toList.length >= LISTED_TOGETHER || this.#toList.some(({ gone }) => gone)
    if (!busy || full) await this.#list()
  }

  /** Removes what was held, as if it had never been. */
  async discard(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const item = this.#held.get(id)
      this.#held.delete(id)
      if (item) await this.#shelf.remove(item)
    }
  }

  /** Signs `entry` (a cut, say) into the chain. Durable when it resolves. */
  async say(entry: Entry): Promise<void> {
    this.#toSay.push(entry)
    await this.#list()
  }

  /** A power cut can fall between a payload's removal and its record: what waits without either gets its record now. */
  async healRecords(): Promise<void> {
    const { parcels } = this.#shelf
    const drops = parcels.flatMap(({ link }) =>
      link.manifest.entries.filter((entry) => entry.kind === "drop"),
    )
    for (const parcel of parcels.filter(({ received }) => !received))
      for (const item of parcel.items.filter(({ gone }) => gone)) {
        const sequence = sequenceOf(parcel, item)
        if (!drops.some(({ from, to }) => from <= sequence && sequence <= to))
          this.#sayDropped({ from: sequence, to: sequence, cause: "damaged" })
      }
    await this.#list()
  }

  // What the uploader does

  /** The next parcel to send: records without payloads first, then by age. Waits for one; null when `signal` aborts. */
  async next(signal: AbortSignal): Promise<Parcel | null> {
    while (!signal.aborted) {
      this.#betweenParcels = false
      if (this.#toList.length > 0) await this.#list()
      let oldest: Parcel | null = null
      for (const parcel of this.#shelf.parcels) {
        if (parcel.received && parcel.again === 0) continue
        if (parcel.items.length === 0 && parcel.refusals === 0) return parcel
        if (oldest === null || parcel.refusals < oldest.refusals) oldest = parcel
      }
      if (oldest) return oldest
      await this.#arrival.wait(signal)
    }
    return null
  }

  /** The age file of `item` in pieces, or null if the payload is gone. */
  async read(parcel: Parcel, item: Item): Promise<readonly Uint8Array[] | null> {
    if (item.gone || item.parts) return item.gone ? null : item.parts
    const file = await this.#parts.disk.get(objectName(item.facts.id))
    try {
      if (file) return [ageFileOf(file)]
    } catch (error) {
      if (!isFault(error, "malformed")) throw error
    }
    await this.#giveUp(parcel, item)
    return null
  }

  /** The cloud says that an object does not have its hash. If that is the disk's doing, the object is given up. */
  async doubt(parcel: Parcel, item: Item): Promise<void> {
    const parts = await this.read(parcel, item)
    if (parts && !isWhole(item.facts, parts)) await this.#giveUp(parcel, item)
  }

  /** The receipt for this parcel is here and verified. */
  async received(parcel: Parcel, receipt: Uint8Array): Promise<void> {
    await this.#shelf.markReceived(parcel, receipt)
    this.#betweenParcels = true
  }

  /** Sends again what sequences `from` to `to` list. Says how many objects are still here, and how many are not. */
  async resend(from: number, to: number): Promise<{ here: number; gone: number }> {
    let here = 0
    let gone = 0
    for (const parcel of this.#shelf.parcels.filter((each) => overlaps(each, from, to))) {
      const left = parcel.items.filter((item) => !item.gone).length
      here += left
      gone += parcel.items.length - left
      // Its receipt stays: what the cloud once signed for is never dropped by the camera, only evicted.
      if (left > 0 && parcel.received) parcel.again = AGAIN_TRIES
    }
    if (here > 0) this.#arrival.wake()
    return { here, gone }
  }

  /**
   * The cloud holds a newer link of this camera's own chain: go on from there. Takes its turn with the listing, for the
   * chain has one order. null: it is not newer. @throws as `Chain.read`.
   */
  async adopt(envelope: Uint8Array): Promise<number | null> {
    const link = this.#chain.read(envelope)
    while (this.#listing) await this.#listing
    if (lastSequence(link.manifest) <= this.#chain.newest) return null
    const adopting = this.#adoptNow(link)
    this.#listing = adopting.finally(() => {
      this.#listing = null
    })
    await this.#listing
    return lastSequence(link.manifest)
  }

  /** Its mark first: without it, a power cut would leave a link whose objects look lost. */
  async #adoptNow(link: Link): Promise<void> {
    const parcel = newParcel(link, [], this.#parts.clock.monotonic())
    this.#chain.advance(link)
    await this.#shelf.markReceived(parcel, Buffer.from("adopted"))
    await this.#parts.disk.put(manifestName(link.manifest.sequence), [link.envelope])
    this.#shelf.insert(parcel)
  }

  // Listing: one writer at a time, so the chain has one order; whoever comes meanwhile shares the next signature

  async #list(): Promise<void> {
    while (this.#toList.length > 0 || this.#toSay.length > 0) {
      this.#listing ??= this.#listOnce().finally(() => {
        this.#listing = null
      })
      await this.#listing
    }
    await this.#listing
  }

  async #listOnce(): Promise<void> {
    const items = this.#toList.splice(0, batchLength(this.#toList))
    const says = this.#toSay.splice(0, MANIFEST_ENTRIES_MAX - items.length)
    const newest = this.#shelf.parcels.at(-1)?.link.manifest
    const { epoch, recipients } = items[0] ?? newest ?? { epoch: 0, recipients: NO_MANIFEST }
    const link = this.#chain.extend([...items.map(({ facts }) => facts), ...says], {
      epoch,
      hash: recipients,
    })
    const parcel = newParcel(link, items, this.#parts.clock.monotonic())
    for (const item of items.filter(({ gone }) => gone)) {
      const sequence = sequenceOf(parcel, item)
      this.#sayDropped({ from: sequence, to: sequence, cause: "refused newest" })
    }
    while (!(await this.#shelf.write(manifestName(link.manifest.sequence), [link.envelope]))) {
      // A record matters more than one payload of its own.
      const item = items.find(({ gone }) => !gone)
      if (!item) throw new Fault("full", "the disk has no room left even for a manifest")
      await this.#shelf.lose(parcel, item, "refused newest")
    }
    // Only now: what a power cut could take back must not be on the wire.
    this.#shelf.insert(parcel)
    this.#arrival.wake()
  }

  /** Of two neighbours with one cause one record is made. */
  #sayDropped(drop: Omit<DropEntry, "kind">): void {
    this.#parts.log.write({ event: "dropped", ...drop })
    const last = this.#toSay.at(-1)
    if (last?.kind === "drop" && last.to === drop.from - 1 && last.cause === drop.cause)
      this.#toSay[this.#toSay.length - 1] = { ...last, to: drop.to }
    else this.#toSay.push({ kind: "drop", ...drop })
  }

  async #giveUp(parcel: Parcel, item: Item): Promise<void> {
    await this.#shelf.lose(parcel, item, "damaged")
    await this.#list()
  }
}

/** How many from the front may share a manifest: those sealed for the same recipients. */
function batchLength(items: readonly Item[]): number {
  const other = items.findIndex(({ epoch }) => epoch !== items[0]?.epoch)
  return Math.min(other === -1 ? items.length : other, MANIFEST_ENTRIES_MAX)
}
