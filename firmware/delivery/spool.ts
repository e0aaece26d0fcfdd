import type { CameraConfig } from "../config.ts"
import type { Entry } from "../control/protocol.ts"
import { Fault, isFault } from "../errors.ts"
import type { Clock, Disk, Log } from "../ports.ts"
import { type Bytes, type Milliseconds, seconds } from "../units.ts"
import { WakeUp } from "../wake.ts"
import { Listing } from "./listing.ts"
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
  travelsBefore,
} from "./parcel.ts"
import type { SealedObject } from "./sealer.ts"
import { Shelf } from "./shelf.ts"

/** Attempts at a parcel that the owner asked for again: by then its payload may have been evicted. */
const AGAIN_TRIES = 3
/** How often a disk without room even for a manifest is tried again. */
const ROOM_AGAIN_AFTER: Milliseconds = seconds(5)

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

  readonly #listing: Listing
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
    this.#shelf = new Shelf(parts.disk, options, (drop) => this.#listing.sayDropped(drop))
    this.#listing = new Listing(parts, chain, this.#shelf, () => this.#arrival.wake())
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
    const busy = this.#held.size > 0 || this.#listing.waits
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
   * Lists what was held in the chain; objects released together share one signature. So do, up to eight, those
   * released while a parcel is on its way: nothing else can travel before it has arrived. Until then they stay what
   * they were, held on the disk, and a boot after a power cut lists them. A payload that found no room is on no disk:
   * its record does not wait, nor does the record of any other that had to leave.
   */
  async release(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const item = this.#held.get(id)
      if (!item) throw new Fault("broken", "released an object that is not held")
      this.#held.delete(id)
      this.#listing.add(item)
    }
    const busy = this.#betweenParcels || this.#shelf.parcels.some(({ sending }) => sending)
    if (!busy || this.#listing.isUrgent) await this.#listing.list()
  }

  /**
   * Removes what was held, as if it had never been; the newest first, so that a power cut in between leaves a clip's
   * beginning, which the next boot releases as one that was cut, and never one without it.
   */
  async discard(ids: readonly string[]): Promise<void> {
    for (const id of [...ids].reverse()) {
      const item = this.#held.get(id)
      this.#held.delete(id)
      if (item) await this.#shelf.remove(item)
    }
  }

  /** Signs `entry` (a cut, say) into the chain. Durable when it resolves true; false: it waits until there is room. */
  async say(entry: Entry): Promise<boolean> {
    this.#listing.say(entry)
    await this.#listing.list()
    return !this.#listing.roomless
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
          this.#listing.sayDropped({ from: sequence, to: sequence, cause: "damaged" })
      }
    await this.#listing.list()
  }

  // What the uploader does

  /** The next parcel to send (`travelsBefore`), marked as being sent. Waits for one; null when `signal` aborts. */
  async next(signal: AbortSignal): Promise<Parcel | null> {
    while (!signal.aborted) {
      let next = this.#firstToTravel()
      const lacks = next?.items.some(({ gone }) => gone)
      // While one waits that the cloud will take no other is made: what is still to be listed can grow meanwhile.
      if (next === null || next.refusals > 0 || lacks || this.#listing.isUrgent) {
        this.#betweenParcels = true
        await this.#listing.list()
        next = this.#firstToTravel()
      }
      this.#betweenParcels = false
      if (next) {
        next.sending = true
        return next
      }
      // Room may come from elsewhere: whoever filled the disk may empty it.
      const cancel = this.#listing.roomless
        ? this.#parts.clock.after(ROOM_AGAIN_AFTER, () => this.#arrival.wake())
        : null
      await this.#arrival.wait(signal)
      cancel?.()
    }
    return null
  }

  #firstToTravel(): Parcel | null {
    let first: Parcel | null = null
    for (const parcel of this.#shelf.parcels) {
      if (parcel.received && parcel.again === 0) continue
      if (first === null || travelsBefore(parcel, first)) first = parcel
    }
    return first
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
    return this.#listing.alone(async () => {
      if (lastSequence(link.manifest) <= this.#chain.newest) return null
      await this.#adoptNow(link)
      return lastSequence(link.manifest)
    })
  }

  /** Its mark first: without it, a power cut would leave a link whose objects look lost. */
  async #adoptNow(link: Link): Promise<void> {
    const parcel = newParcel(link, [], this.#parts.clock.monotonic())
    this.#chain.advance(link)
    await this.#shelf.markReceived(parcel, Buffer.from("adopted"))
    await this.#parts.disk.put(manifestName(link.manifest.sequence), [link.envelope])
    this.#shelf.insert(parcel)
  }

  async #giveUp(parcel: Parcel, item: Item): Promise<void> {
    await this.#shelf.lose(parcel, item, "damaged")
    await this.#listing.list()
  }
}
