import { sha256Hex } from "../../firmware/control/keys.ts"
import type { ObjectEntry } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes, Milliseconds } from "../../firmware/units.ts"
import type { BucketRecord, WritableBucket } from "../cloud/bucket.ts"
import {
  type BucketChange,
  BucketIndex,
  idTaken,
  type StoredManifest,
  type StoredObject,
} from "../cloud/bucket-index.ts"
import type { Departure, DepartureCause, Listed, RemovalOrder } from "../cloud/departures.ts"

export interface MemoryBucketOptions {
  /** Whose bytes are kept; of the others only sizes and hashes, which the ingest has checked. Absent: all. */
  readonly keeps?: (device: string, entry: ObjectEntry) => boolean
  /** How long a write and its sync take. */
  readonly writeTakes?: Milliseconds
}

/** A bucket without a disk: a real one answers when it likes, and so would change the order of events. */
export class MemoryBucket implements WritableBucket {
  readonly directory = "memory"
  readonly #options: MemoryBucketOptions
  readonly #index = new BucketIndex()
  readonly #bytes = new Map<string, Uint8Array>()
  readonly #envelopes = new Map<string, Uint8Array>()
  /** Whose each object id is. */
  readonly #cameras = new Map<string, string>()
  /** Of objects that are kept. */
  keptBytes: Bytes = 0

  constructor(options: MemoryBucketOptions = {}) {
    this.#options = options
  }

  async store({ device, objects, manifest }: BucketRecord): Promise<void> {
    for (const { entry } of objects) {
      if ((this.#cameras.get(entry.id) ?? device) !== device) throw idTaken(device, entry.id)
      this.#cameras.set(entry.id, device)
    }
    // Now, for the bytes are only lent.
    for (const { entry, parts } of objects) {
      if (this.#bytes.has(entry.id) || this.#options.keeps?.(device, entry) === false) continue
      if (this.#index.departures.bars(device, entry)) continue
      const bytes = Buffer.concat(parts)
      this.#bytes.set(entry.id, bytes)
      this.keptBytes += bytes.length
    }
    await new Promise((resolve) => setTimeout(resolve, this.#options.writeTakes ?? 5))
    for (const { entry } of objects)
      if (!this.#index.departures.bars(device, entry))
        this.#index.addObject({ ...entry, device, arrived: Date.now(), ...NOWHERE })
    if (manifest === null) return
    this.#envelopes.set(manifest.hash, manifest.envelope)
    this.#index.addManifest(manifest.body, manifest.hash, { ...NOWHERE, bytes: manifest.envelope.length })
  }

  async remove(order: RemovalOrder): Promise<Departure> {
    const before = order.request === null ? null : this.#index.departures.byRequest(order.request)
    const departure = before ?? this.#index.departureOf(order, Date.now())
    if (before === null) this.#index.depart(departure)
    for (const id of departure.objects) {
      this.keptBytes -= this.#bytes.get(id)?.length ?? 0
      this.#bytes.delete(id)
    }
    await new Promise((resolve) => setTimeout(resolve, this.#options.writeTakes ?? 5))
    return departure
  }

  watch(listener: (change: BucketChange) => void): void {
    this.#index.watch(listener)
  }

  /** Null also for what is there and was not kept. Fault "tampered" as the bucket on disk. */
  async objectBytes(id: string): Promise<Uint8Array | null> {
    const bytes = this.#bytes.get(id)
    const stored = this.#index.object(id)
    if (bytes === undefined || stored === null) return null
    if (sha256Hex(bytes.subarray(stored.headerBytes)) !== stored.payloadHash)
      throw new Fault("tampered", `object ${id} is damaged`)
    return bytes
  }

  async envelopeBytes({ hash }: StoredManifest): Promise<Uint8Array> {
    const envelope = this.#envelopes.get(hash)
    if (envelope === undefined) throw new Fault("broken", `no manifest ${hash}`)
    return envelope
  }

  /** Nothing in memory is written to a file. */
  extract(): Promise<void> {
    return Promise.reject(new Fault("unsupported", "this bucket is in memory: read objectBytes"))
  }

  async close(): Promise<void> {
    // Nothing to let go of.
  }

  get damage(): readonly string[] {
    return this.#index.damage
  }

  get objectCount(): number {
    return this.#index.objectCount
  }

  object(id: string): StoredObject | null {
    return this.#index.object(id)
  }

  manifests(device: string): readonly StoredManifest[] {
    return this.#index.manifests(device)
  }

  manifest(hash: string): StoredManifest | null {
    return this.#index.manifest(hash)
  }

  isForked(manifest: StoredManifest): boolean {
    return this.#index.isForked(manifest)
  }

  isDropped(device: string, sequence: number): boolean {
    return this.#index.isDropped(device, sequence)
  }

  departureOf(device: string, listed: Listed): DepartureCause | null {
    return this.#index.departures.causeOf(device, listed)
  }

  isDeleted(device: string, listed: Pick<Listed, "id" | "clip">): boolean {
    return this.#index.departures.bars(device, listed)
  }

  objectsOf(device: string): Iterable<StoredObject> {
    return this.#index.objectsOf(device)
  }

  mailboxes(): Iterable<string> {
    return this.#index.mailboxes()
  }

  bytesOf(device: string): Bytes {
    return this.#index.bytesOf(device)
  }

  newest(device: string): StoredManifest | null {
    return this.#index.manifests(device).at(-1) ?? null
  }

  devices(): readonly string[] {
    return this.#index.devices()
  }
}

const NOWHERE = { volume: 0, at: 0 }

/** Keeps the bytes of every `every`-th clip of each camera, by the order in which the clips come. */
export function everyNthClip(every: number): NonNullable<MemoryBucketOptions["keeps"]> {
  const clips = new Map<string, Map<string, boolean>>()
  return (device, { clip }) => {
    const known = clips.get(device) ?? new Map<string, boolean>()
    clips.set(device, known)
    const kept = known.get(clip) ?? known.size % every === 0
    known.set(clip, kept)
    return kept
  }
}
