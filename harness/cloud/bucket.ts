import { sha256Hex } from "../../firmware/control/keys.ts"
import type { Manifest, ObjectEntry } from "../../firmware/control/protocol.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, MiB, type UnixMilliseconds } from "../../firmware/units.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { addTo, compact, type Holes, mostlyDead } from "./bucket-compaction.ts"
import { diskFault } from "./bucket-disk.ts"
import { type Extent, erase, wipe } from "./bucket-erase.ts"
import { type BucketChange, idTaken } from "./bucket-index.ts"
import { lockFolder, type Unlock } from "./bucket-lock.ts"
import { type Bucket, extentOf, FolderBucket, type Opening, scanFolder } from "./bucket-reader.ts"
import { alignedStaging, OpenVolume } from "./bucket-volume.ts"
import { BucketWriter, type NewRecord, type Place } from "./bucket-writer.ts"
import { type Departure, encodeDeparture, type RemovalOrder } from "./departures.ts"

export type { Bucket } from "./bucket-reader.ts"

/**
 * Sealed objects and signed manifests on disk, appended to volumes and synced in groups: everything that waits when a
 * write begins shares that write and its sync. Nothing is ever changed; what leaves is written over with zeros
 * (`bucket-erase.ts`), and a volume of which little is left is moved together (`bucket-compaction.ts`).
 *
 * The bucket takes what it is given: signatures and hashes are the ingest's business, and a scan's after a crash.
 */
export interface WritableBucket extends Bucket {
  /**
   * Resolves only when everything in `record` survives a power cut; what is there already is not written again, and what
   * its owner has deleted is not written at all.
   * Rejects with Fault "full" or "usage", definite: none of it will be listed; "refused", definite: another camera's
   * object has one of its ids; "unavailable", indefinite.
   * The caller gives the bytes away and must not change them before that.
   */
  store(record: BucketRecord): Promise<void>
  /**
   * Lets go of what is here of `order`, for good. Resolves when that is durable and every copy is written over; a request
   * that was carried out before is not carried out again.
   * Rejects with Fault as `store`: if not definite, it has left, and bytes may still be there until the next removal or
   * opening goes on with them.
   */
  remove(order: RemovalOrder): Promise<Departure>
  /** Tells of every manifest and departure from now on. A listener must not throw. */
  watch(listener: (change: BucketChange) => void): void
  /** Waits for what was stored, then lets the folder go. */
  close(): Promise<void>
}

export interface BucketRecord {
  readonly device: string
  /** The age files, each as the parts it came in. */
  readonly objects: readonly { readonly entry: ObjectEntry; readonly parts: readonly Uint8Array[] }[]
  readonly manifest: {
    readonly envelope: Uint8Array
    readonly hash: string
    readonly body: Manifest
  } | null
}

export interface BucketOptions {
  /** A volume that has grown past this is closed and a new one begun. */
  readonly volumeBytes?: Bytes
  /** The wall clock, for when things arrived. */
  readonly now?: () => UnixMilliseconds
}

/**
 * @throws Fault "usage", definite: the folder cannot be made or written, or another process has it.
 */
export async function openBucket(directory: string, options: BucketOptions = {}): Promise<WritableBucket> {
  let unlock: Unlock | null = null
  try {
    await makeFolder(directory)
    unlock = await lockFolder(directory)
    const opening = await scanFolder(directory)
    await erase(directory, opening.unerased)
    for (const volume of opening.abandoned) await wipe(directory, volume)
    const writer = await writerFor(directory, opening, options.volumeBytes ?? 256 * MiB)
    return new VolumeBucket(directory, opening, writer, options.now ?? Date.now, unlock)
  } catch (error) {
    await unlock?.()
    throw diskFault(error, directory)
  }
}

async function writerFor(
  directory: string,
  { newest, resume }: Opening,
  volumeBytes: Bytes,
): Promise<BucketWriter> {
  const staging = alignedStaging()
  const volume = resume
    ? await OpenVolume.resume(directory, resume.head, resume.end, staging)
    : await OpenVolume.create(directory, newest + 1, staging)
  return new BucketWriter(directory, volumeBytes, volume, staging)
}

/**
 * The bucket in `directory` as it is now, for reading alone; the process that writes it may go on.
 * @throws Fault "usage", definite: no such folder, or it cannot be read.
 */
export async function readBucket(directory: string): Promise<Bucket> {
  try {
    return new FolderBucket(directory, (await scanFolder(directory)).index)
  } catch (error) {
    throw diskFault(error, directory)
  }
}

/** What waits for its turn at the disk. */
type Job =
  | {
      readonly kind: "store"
      readonly record: BucketRecord
      readonly done: () => void
      readonly failed: Failed
    }
  | {
      readonly kind: "removal"
      readonly order: RemovalOrder
      readonly done: (departure: Departure) => void
      readonly failed: Failed
    }
type StoreJob = Job & { readonly kind: "store" }
type Failed = (fault: Fault) => void

class VolumeBucket extends FolderBucket implements WritableBucket {
  readonly #writer: BucketWriter
  readonly #now: () => UnixMilliseconds
  readonly #unlock: Unlock
  #queue: Job[] = []
  #writing: Promise<void> | null = null
  #closed = false
  /** Of what has left: an error came while it was written over. */
  #unerased: readonly Extent[] = []
  /** Nobody can say whose bytes these are, so the first removal takes them along. */
  #strays: readonly Extent[]
  readonly #holes: Holes

  constructor(
    directory: string,
    { index, strays, unerased, holes }: Opening,
    writer: BucketWriter,
    now: () => UnixMilliseconds,
    unlock: Unlock,
  ) {
    super(directory, index)
    this.#strays = strays
    this.#holes = holes
    for (const extent of unerased) addTo(holes, extent)
    this.#writer = writer
    this.#now = now
    this.#unlock = unlock
  }

  store(record: BucketRecord): Promise<void> {
    return new Promise((done, failed) => this.#enqueue({ kind: "store", record, done, failed }))
  }

  remove(order: RemovalOrder): Promise<Departure> {
    return new Promise((done, failed) => this.#enqueue({ kind: "removal", order, done, failed }))
  }

  watch(listener: (change: BucketChange) => void): void {
    this.index.watch(listener)
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
    await this.#writer.close()
    await this.#unlock()
  }

  #enqueue(job: Job): void {
    if (this.#closed) {
      job.failed(new Fault("unavailable", `bucket ${this.directory}: closed`))
      return
    }
    this.#queue.push(job)
    this.#writing ??= this.#workAll()
  }

  async #workAll(): Promise<void> {
    // One turn later, so that all that came with one read of the network shares the first write too.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const jobs = this.#queue
      this.#queue = []
      while (jobs.length > 0) {
        const next = jobs[0]
        if (next?.kind === "removal") {
          jobs.shift()
          await this.#settle([next], async () => next.done(await this.#remove(next.order)))
          continue
        }
        const removal = jobs.findIndex(({ kind }) => kind === "removal")
        const stores = jobs.splice(0, removal === -1 ? jobs.length : removal) as StoreJob[]
        await this.#settle(stores, async () => {
          await this.#write(stores)
          for (const job of stores) job.done()
        })
      }
    }
    this.#writing = null
  }

  async #settle(jobs: readonly Job[], work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      const fault = diskFault(error, this.directory)
      for (const job of jobs) job.failed(fault)
    }
  }

  async #write(jobs: readonly StoreJob[]): Promise<void> {
    /** The camera of each object id and manifest hash. */
    const seen = new Map<string, string>()
    const records: NewRecord[] = []
    const additions: ((place: Place) => void)[] = []
    const again: string[] = []
    const arrived = this.#now()
    for (const { record, failed } of jobs) {
      const { device, objects, manifest } = record
      const ids = objects.map(({ entry }) => entry.id)
      const taken = ids.find((id) => (this.object(id)?.device ?? seen.get(id) ?? device) !== device)
      if (taken !== undefined) {
        failed(idTaken(device, taken)) // what comes for this job later is not heard
        continue
      }
      for (const { entry, parts } of objects) {
        if (this.index.object(entry.id) !== null || seen.has(entry.id)) continue
        if (this.index.departures.bars(device, entry)) continue
        seen.set(entry.id, device)
        const { id, headerBytes, payloadBytes, headerHash, payloadHash } = entry
        const facts = { device, id, headerBytes, payloadBytes, headerHash, payloadHash, arrived }
        records.push({ head: { kind: "object", ...facts }, body: parts })
        additions.push((place) => this.index.addObject({ ...facts, ...place }))
      }
      if (manifest === null || seen.has(manifest.hash)) continue
      if (this.manifest(manifest.hash) !== null) {
        if (objects.length > 0) again.push(manifest.hash)
        continue
      }
      seen.set(manifest.hash, device)
      const { envelope, hash, body } = manifest
      const bytes = envelope.length
      records.push({ head: { kind: "manifest", device, bodyBytes: bytes, hash }, body: [envelope] })
      additions.push((place) => this.index.addManifest(body, hash, { ...place, bytes }))
    }
    const places = await this.#writer.append(records)
    for (const [position, place] of places.entries()) additions[position]?.(place)
    for (const hash of again) this.index.announce(hash)
  }

  async #remove(order: RemovalOrder): Promise<Departure> {
    const before = order.request === null ? null : this.index.departures.byRequest(order.request)
    const departure = before ?? this.index.departureOf(order, this.#now())
    if (before === null) {
      const { device } = departure
      const body = encodeDeparture(departure)
      const head = { kind: "departure", device, bodyBytes: body.length, hash: sha256Hex(body) } as const
      await this.#writer.append([{ head, body: [body] }])
      this.#unerased = [...this.#unerased, ...this.index.depart(departure).map(extentOf), ...this.#strays]
      this.#strays = []
    }
    await this.#erase()
    return departure
  }

  /** It has left, whatever happens here, so no error of it is definite. */
  async #erase(): Promise<void> {
    try {
      await erase(this.directory, this.#unerased)
      for (const extent of this.#unerased) if (extent.isBody) addTo(this.#holes, extent)
      this.#unerased = []
    } catch (cause) {
      const reason = `what has left is not all written over yet (${messageOf(cause)})`
      throw new Fault("unavailable", `bucket ${this.directory}: ${reason}`, { definite: false, cause })
    }
    await this.#compact()
  }

  /** Whoever let something go need not know that its room is not back yet. The next removal tries again. */
  async #compact(): Promise<void> {
    try {
      for (const volume of await mostlyDead(this.directory, this.#holes)) {
        await compact(this.directory, volume, this.index, this.#writer)
        this.#holes.delete(volume)
      }
    } catch (error) {
      this.index.fault("compaction", diskFault(error, this.directory))
    }
  }
}
