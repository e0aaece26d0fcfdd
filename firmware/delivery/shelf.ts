import type { CameraConfig } from "../config.ts"
import type { DropEntry, Entry } from "../control/protocol.ts"
import { isFault } from "../errors.ts"
import type { Disk } from "../ports.ts"
import { type Bytes, MiB } from "../units.ts"
import { lastSequence } from "./manifest.ts"
import { type Item, manifestName, objectName, type Parcel, receivedName, sequenceOf } from "./parcel.ts"

/** How many records without any payload may wait for the cloud one by one. */
const RECORDS_MAX = 512

/** How much of what was just sealed stays in memory for the upload, per camera. */
const WARM_BYTES_MAX = 2 * MiB

/** Tells the spool which sequences will never come, so that it says so in the chain. */
export type OnDrop = (drop: Omit<DropEntry, "kind">) => void

/**
 * The room that the spool has: what lies in it, and what leaves when there is none. Received payloads leave first, the
 * oldest of them before the others; then, if the configuration says so, the oldest that still wait.
 */
export class Shelf {
  readonly #disk: Disk
  readonly #options: CameraConfig["spool"]
  readonly #onDrop: OnDrop
  /** By sequence, oldest first. */
  #parcels: Parcel[] = []
  #bytes: Bytes = 0
  #receivedBytes: Bytes = 0
  #warmBytes: Bytes = 0
  /** Records that one record will stand for, once that is in the chain; until then they stay. */
  #folding: { readonly from: number; readonly to: number; readonly parcels: ReadonlySet<Parcel> } | null =
    null

  constructor(disk: Disk, options: CameraConfig["spool"], onDrop: OnDrop) {
    this.#disk = disk
    this.#options = options
    this.#onDrop = onDrop
  }

  get parcels(): readonly Parcel[] {
    return this.#parcels
  }

  /** Of payloads on the disk, listed or not. */
  get bytes(): Bytes {
    return this.#bytes
  }

  /** Puts a parcel in its place. Its items are counted already unless `countItems`. */
  insert(parcel: Parcel, countItems = false): void {
    const { sequence } = parcel.link.manifest
    const before = this.#parcels.findLastIndex((each) => each.link.manifest.sequence < sequence)
    this.#parcels.splice(before + 1, 0, parcel)
    for (const item of parcel.items) {
      if (countItems && !item.gone) this.#bytes += item.size
      if (parcel.received && !item.gone) this.#receivedBytes += item.size
    }
  }

  /** Counts an item whose file is on the disk already. */
  count(item: Item): void {
    this.#bytes += item.size
  }

  /** Writes an item's file within quota and room. false: there is no room and none to be made; the item is gone. */
  async add(item: Item, file: readonly Uint8Array[]): Promise<boolean> {
    this.#bytes += item.size
    while (this.#bytes > this.#options.bytesMax && (await this.#makeRoom()));
    if (this.#bytes <= this.#options.bytesMax && (await this.write(objectName(item.facts.id), file)))
      return true
    this.#bytes -= item.size
    item.gone = true
    return false
  }

  /** Puts, making room as configured until it fits. false: there is none to be made. */
  async write(name: string, parts: readonly Uint8Array[]): Promise<boolean> {
    for (;;) {
      try {
        await this.#disk.put(name, parts)
        return true
      } catch (error) {
        if (!isFault(error, "full")) throw error
        if (!(await this.#makeRoom())) return false
      }
    }
  }

  /** Removes an item's payload, and tells of the drop: its payload never reached the cloud. */
  async lose(parcel: Parcel, item: Item, cause: DropEntry["cause"]): Promise<void> {
    await this.remove(item)
    const sequence = sequenceOf(parcel, item)
    this.#onDrop({ from: sequence, to: sequence, cause })
  }

  /** Keeps the bytes of an item at hand, if there is room for more of that. */
  warm(item: Item, parts: readonly Uint8Array[]): void {
    if (this.#warmBytes + item.size > WARM_BYTES_MAX) return
    item.parts = parts
    this.#warmBytes += item.size
  }

  cool(item: Item): void {
    if (item.parts) this.#warmBytes -= item.size
    item.parts = null
  }

  /** Removes a payload without a word: nobody ever heard of it, or somebody else holds it. */
  async remove(item: Item): Promise<void> {
    this.cool(item)
    if (item.gone) return
    item.gone = true
    this.#bytes -= item.size
    await this.#disk.remove(objectName(item.facts.id))
  }

  /**
   * Notes the receipt, and lets go of what is more than may be kept. The mark is written before anything leaves: with a
   * power cut in between, a payload that has left would look lost at the next boot. Where there is no room even for the
   * mark, received payloads make it; a parcel that could not be marked is sent again after a restart, which is harmless.
   */
  async markReceived(parcel: Parcel, receipt: Uint8Array): Promise<void> {
    parcel.again = 0
    if (!parcel.received) {
      parcel.received = true
      for (const item of parcel.items) this.cool(item)
      this.#receivedBytes += payloadBytes(parcel)
      await this.#writeMark(receivedName(parcel.link.manifest.sequence), receipt)
    }
    while (this.#receivedBytes > this.#options.keepReceivedBytes && (await this.#evict()));
    await this.#forget()
  }

  async #writeMark(name: string, receipt: Uint8Array): Promise<void> {
    for (;;) {
      try {
        return await this.#disk.put(name, [receipt])
      } catch (error) {
        if (!isFault(error, "full")) throw error
        if (!(await this.#evict())) return
      }
    }
  }

  async #makeRoom(): Promise<boolean> {
    if (await this.#evict()) return true
    if (this.#options.whenFull === "refuse-newest") return false
    const parcel = this.#parcels.find((each) => !each.received && !each.sending && payloadBytes(each) > 0)
    if (!parcel) return false
    for (const item of parcel.items) if (!item.gone) await this.lose(parcel, item, "full")
    this.#fold()
    return true
  }

  /** Removes the oldest received payload. false: there is none. */
  async #evict(): Promise<boolean> {
    const item = this.#parcels
      .find((each) => each.received && payloadBytes(each) > 0)
      ?.items.find(({ gone }) => !gone)
    if (!item) return false
    this.#receivedBytes -= item.size
    await this.remove(item)
    return true
  }

  /** Received manifests whose payloads have left may leave too; the newest stays, for it is the head of the chain. */
  async #forget(): Promise<void> {
    const newest = this.#parcels.at(-1)
    const done = (each: Parcel) => each !== newest && each.received && payloadBytes(each) === 0
    for (const { link } of this.#parcels.filter(done)) {
      await this.#disk.remove(manifestName(link.manifest.sequence))
      await this.#disk.remove(receivedName(link.manifest.sequence))
    }
    this.#parcels = this.#parcels.filter((each) => !done(each))
  }

  /** Weeks offline would leave more records than payloads: the oldest are to be folded into one. */
  #fold(): void {
    const end = this.#parcels.findIndex((each) => each.received || each.sending || payloadBytes(each) > 0)
    const empty = this.#parcels.slice(0, end)
    const [first, last] = [empty[0], empty.at(-1)]
    if (this.#folding || empty.length < RECORDS_MAX || !first || !last) return
    // What was folded before is folded again: its record is among those that leave now.
    const earlier = empty.flatMap(({ link }) =>
      link.manifest.entries.filter((entry) => entry.kind === "drop"),
    )
    const from = Math.min(first.link.manifest.sequence, ...earlier.map((drop) => drop.from))
    this.#folding = { from, to: lastSequence(last.link.manifest), parcels: new Set(empty) }
    this.#onDrop({ from, to: this.#folding.to, cause: "full" })
  }

  /** `entries` are durable now: with the record that stands for the folded ones among them, those leave. */
  async removeFolded(entries: readonly Entry[]): Promise<void> {
    const folding = this.#folding
    if (!folding || !entries.some((entry) => entry.kind === "drop" && covers(entry, folding))) return
    this.#folding = null
    // One that is on its way by now leaves with its receipt.
    const leaves = (each: Parcel) => folding.parcels.has(each) && !each.sending && !each.received
    const leaving = this.#parcels.filter(leaves)
    this.#parcels = this.#parcels.filter((each) => !leaves(each))
    for (const { link } of leaving) await this.#disk.remove(manifestName(link.manifest.sequence))
  }
}

function covers(drop: DropEntry, { from, to }: { readonly from: number; readonly to: number }): boolean {
  return drop.from <= from && to <= drop.to
}

/** Of what is still here. */
export function payloadBytes(parcel: Parcel): Bytes {
  return parcel.items.reduce((sum, { gone, size }) => sum + (gone ? 0 : size), 0)
}
