import { sha256Hex } from "../../firmware/control/keys.ts"
import { isObjectEntry, type Manifest, type ObjectEntry } from "../../firmware/control/protocol.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { BucketRecord, WritableBucket } from "./bucket.ts"
import type { BucketChange, BucketIndex, StoredManifest, StoredObject } from "./bucket-index.ts"
import { type Departure, encodeDeparture, type RemovalOrder } from "./departures.ts"
import { IndexedBucket } from "./indexed-bucket.ts"
import { S3Door, type S3Patience } from "./s3-door.ts"
import { placeName, type S3Place } from "./s3-place.ts"
import { departureKey, factsOf, MARKER, manifestKey, NOWHERE, objectKey, scanS3 } from "./s3-scan.ts"

/**
 * Sealed objects and signed manifests in an S3 service: every object is a plain age file under its id, every manifest the
 * envelope as it was signed (`s3-scan.ts` has the keys). Nothing is ever changed; what leaves is deleted, with every
 * version that the service kept of it.
 *
 * One process writes a place at a time. Nothing enforces that here: S3 has no lock that every service knows, and two
 * writers would put the same bytes under the same keys.
 *
 * @throws Fault "usage", definite: no such bucket, no rights to put, get, list and delete; "unavailable": it does not answer.
 */
export async function openS3Bucket(place: S3Place, patience?: S3Patience): Promise<WritableBucket> {
  const door = new S3Door(place, patience)
  await mark(door)
  const { index, unfinished } = await scanS3(door)
  for (const departure of unfinished) await carryOut(door, index, departure)
  return new S3Bucket(door, index)
}

/**
 * The bucket at `place` as it is now, for reading alone; the process that writes it may go on.
 * @throws Fault "usage", definite: nobody opened a bucket there, or no rights; "unavailable": it does not answer.
 */
export async function readS3Bucket(place: S3Place, patience?: S3Patience): Promise<S3Reader> {
  const door = new S3Door(place, patience)
  if ((await door.get(MARKER)) === null)
    throw new Fault("usage", `bucket ${placeName(place)}: nothing of obscura's there; check the prefix`)
  return new S3Reader(door, (await scanS3(door)).index)
}

/** Puts, gets and lists: what the mark is for. @throws as `openS3Bucket`. */
async function mark(door: S3Door): Promise<void> {
  if ((await door.get(MARKER)) !== null) return
  await door.put(MARKER, Buffer.from("obscura bucket 1\n"))
}

export class S3Reader extends IndexedBucket {
  protected readonly door: S3Door

  constructor(door: S3Door, index: BucketIndex) {
    super(placeName(door.place), index)
    this.door = door
  }

  protected async fileOf(object: StoredObject): Promise<Buffer> {
    return this.#read(objectKey(object.device, object.id))
  }

  envelopeBytes({ device, from, hash }: StoredManifest): Promise<Uint8Array> {
    return this.#read(manifestKey(device, from, hash))
  }

  /** Everything that lies there, ours or not, as it is. */
  async *everything(): AsyncGenerator<{ readonly name: string; readonly bytes: Buffer }> {
    for await (const { key } of this.door.list("")) {
      const found = await this.door.get(key)
      if (found) yield { name: `${this.directory}/${key}`, bytes: found.bytes }
    }
  }

  async close(): Promise<void> {
    this.door.close()
  }

  async #read(key: string): Promise<Buffer> {
    const found = await this.door.get(key)
    if (found === null) throw new Fault("tampered", `bucket ${this.directory}: ${key} is gone`)
    return found.bytes
  }
}

class S3Bucket extends S3Reader implements WritableBucket {
  /** On their way, by key: two cameras may announce one object id, but each has its own bytes. */
  readonly #going = new Map<string, Promise<void>>()
  #closed = false

  /**
   * The manifest goes when all of its objects are there, also those that came with earlier records and are still on
   * their way; if one of them fails, it does not go.
   */
  async store({ device, objects, manifest }: BucketRecord): Promise<void> {
    if (this.#closed) throw new Fault("unavailable", `bucket ${this.directory}: closed`)
    const own = objects.map(({ entry, parts }) => this.#object(device, entry, parts))
    const earlier = manifest === null ? [] : this.#goingOf(device, manifest.body)
    await all([...own, ...earlier])
    if (manifest === null) return
    if (this.index.manifest(manifest.hash) !== null && objects.length > 0) this.index.announce(manifest.hash)
    await this.#manifest(device, manifest)
  }

  async remove(order: RemovalOrder): Promise<Departure> {
    if (this.#closed) throw new Fault("unavailable", `bucket ${this.directory}: closed`)
    const before = order.request === null ? null : this.index.departures.byRequest(order.request)
    const departure = before ?? this.index.departureOf(order, Date.now())
    if (before === null) {
      await this.door.put(intentKey(departure), encodeDeparture(departure))
      this.index.depart(departure)
    }
    try {
      await carryOut(this.door, this.index, departure)
    } catch (cause) {
      const reason = `what has left is not all deleted yet (${messageOf(cause)})`
      throw new Fault("unavailable", reason, { definite: false, cause })
    }
    return departure
  }

  watch(listener: (change: BucketChange) => void): void {
    this.index.watch(listener)
  }

  override async close(): Promise<void> {
    this.#closed = true
    await Promise.allSettled(this.#going.values())
    await super.close()
  }

  async #object(device: string, entry: ObjectEntry, parts: readonly Uint8Array[]): Promise<void> {
    const { id } = entry
    if (this.index.has(device, id) || this.index.departures.bars(device, entry)) return
    const key = objectKey(device, id)
    await this.#once(key, async () => {
      await this.door.put(key, Buffer.concat(parts), factsOf(entry))
      // Its owner may have deleted it while it was on its way.
      if (this.index.departures.bars(device, entry)) return this.door.delete(key)
      this.index.addObject({ ...entry, device, arrived: Date.now(), ...NOWHERE })
      this.index.has(device, id) // throws if another camera was faster
    })
  }

  #manifest(device: string, { envelope, hash, body }: NonNullable<BucketRecord["manifest"]>): Promise<void> {
    if (this.index.manifest(hash) !== null) return Promise.resolve()
    const key = manifestKey(device, body.sequence, hash)
    return this.#once(key, async () => {
      await this.door.put(key, envelope)
      this.index.addManifest(body, hash, { ...NOWHERE, bytes: envelope.length })
    })
  }

  #goingOf(device: string, { entries }: Manifest): readonly Promise<void>[] {
    return entries.flatMap((entry) =>
      isObjectEntry(entry) ? (this.#going.get(objectKey(device, entry.id)) ?? []) : [],
    )
  }

  #once(key: string, put: () => Promise<void>): Promise<void> {
    const going = this.#going.get(key) ?? put().finally(() => this.#going.delete(key))
    this.#going.set(key, going)
    return going
  }
}

function intentKey(departure: Departure): string {
  return departureKey(departure.device, sha256Hex(encodeDeparture(departure)))
}

/**
 * Deletes what has left. What its owner deleted is barred by name for ever, so that departure stays as it is. Of what left
 * by this cloud's rules only the places in the chain are kept, all in one, for it may come back under a new number.
 */
async function carryOut(door: S3Door, index: BucketIndex, departure: Departure): Promise<void> {
  const { device, cause, objects } = departure
  await all(objects.map((id) => door.delete(objectKey(device, id))))
  if (cause === "deleted") return
  const kept = { ...departure, objects: [], ranges: index.departures.rangesOf(device, cause) }
  await door.put(departureKey(device, cause), encodeDeparture(kept))
  await door.delete(intentKey(departure))
}

/** Waits for all, for the bytes are the caller's again afterwards; then rejects with the first that failed. */
async function all(promises: readonly Promise<void>[]): Promise<void> {
  for (const settled of await Promise.allSettled(promises))
    if (settled.status === "rejected") throw settled.reason
}
