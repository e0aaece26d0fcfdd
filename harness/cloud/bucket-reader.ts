import { open, readdir } from "node:fs/promises"
import { join } from "node:path"
import { unverified } from "../../firmware/control/dsse.ts"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { manifestShape } from "../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"
import { addTo, type Holes } from "./bucket-compaction.ts"
import { diskFault } from "./bucket-disk.ts"
import type { Extent } from "./bucket-erase.ts"
import { BucketIndex, type StoredManifest, type StoredObject } from "./bucket-index.ts"
import { BLOCK_BYTES, inBlocks, type VolumeHead } from "./bucket-record.ts"
import { type Damage, scanVolume } from "./bucket-scan.ts"
import { volumeName, volumeNumber } from "./bucket-volume.ts"
import { type DepartureCause, decodeDeparture, type Listed } from "./departures.ts"
import { IndexedBucket } from "./indexed-bucket.ts"

/** What a cloud has: sealed objects and signed manifests. */
export interface Bucket {
  /** Where it lies: a folder, or the name of a place that is none. */
  readonly directory: string
  /** What the opening scan found broken, in words that name volume and position. */
  readonly damage: readonly string[]
  object(id: string): StoredObject | null
  /** The plain age file, checked against its hashes; null if there is no such object. Fault "tampered" if it is damaged. */
  objectBytes(id: string): Promise<Uint8Array | null>
  /** Durable manifests of `device` by rising sequence; two with one sequence are a fork and stay both. */
  manifests(device: string): readonly StoredManifest[]
  manifest(hash: string): StoredManifest | null
  /** Another durable manifest of the same camera claims some of the same sequences. */
  isForked(manifest: StoredManifest): boolean
  /** The camera has said, durably, that the payload of this sequence will never come. */
  isDropped(device: string, sequence: number): boolean
  /** Why an object that a manifest lists has left for good; null: it has not. */
  departureOf(device: string, listed: Listed): DepartureCause | null
  /** Its owner deleted it, or its clip: it is not taken in again. */
  isDeleted(device: string, listed: Pick<Listed, "id" | "clip">): boolean
  /** What is here of one camera, in a manifest or not. */
  objectsOf(device: string): Iterable<StoredObject>
  /** Cameras of which there are objects. */
  mailboxes(): Iterable<string>
  /** Of the age files of one camera that are here. */
  bytesOf(device: string): Bytes
  /** The one with the highest sequence. */
  newest(device: string): StoredManifest | null
  /** The exact bytes that were signed and enveloped. */
  envelopeBytes(manifest: StoredManifest): Promise<Uint8Array>
  devices(): readonly string[]
  readonly objectCount: number
  /** Writes object `id` to a new file at `path`. Fault "usage" if there is no such object or the file exists. */
  extract(id: string, path: string): Promise<void>
}

/** The folder's volumes as they are, and where writing may go on. */
export interface Opening {
  readonly index: BucketIndex
  /** Of the newest volume, 0 if there is none. */
  readonly newest: number
  /** null: begin a new volume. One with a torn end is left as it is, for a person to look at. */
  readonly resume: { readonly head: VolumeHead; readonly end: Bytes } | null
  /** Bytes of objects that have left: a crash came before they were erased. */
  readonly unerased: readonly Extent[]
  readonly holes: Holes
  /** Volumes that were being wiped when a crash came. */
  readonly abandoned: readonly number[]
  /** Damaged and unfinished writes, in which there may be bytes of anything. */
  readonly strays: readonly Extent[]
}

/** Throws the file system's own errors. */
export async function scanFolder(directory: string): Promise<Opening> {
  const index = new BucketIndex()
  const numbers = (await readdir(directory)).map(volumeNumber).filter((number) => number !== null)
  numbers.sort((a, b) => a - b)
  const newest = numbers.at(-1) ?? 0
  let resume: Opening["resume"] = null
  const unerased: Extent[] = []
  const flaws: Flaw[] = []
  const left = new Set<string>()
  const holes: Holes = new Map()
  const abandoned: number[] = []
  for (const number of numbers) {
    const name = volumeName(number)
    const scan = scanVolume(join(directory, name), number === newest)
    const { head, records, end, damaged, torn, isAbandoned } = scan
    if (isAbandoned) {
      abandoned.push(number)
      continue
    }
    if (head?.number !== number) {
      index.damage.push(`${name}: not a volume`)
      continue
    }
    for (const damage of damaged) flaws.push({ ...damage, volume: number, isTorn: false })
    for (const { head, at, body } of records) {
      const place = { volume: number, at }
      if (head.kind === "hole") addTo(holes, { ...place, bytes: head.bodyBytes })
      else if (head.kind === "object") index.addObject({ ...head, ...place })
      else if (head.kind === "manifest" && body) addManifest(index, body, head.device, { ...place, name })
      else if (head.kind === "departure" && body)
        unerased.push(...departed(index, body, left, `${name} at ${at}`))
    }
    if (torn) flaws.push({ ...torn, volume: number, isTorn: true })
    else if (number === newest) resume = { head, end }
  }
  const strays = flaws.filter((flaw) => !isExplained(flaw, left))
  for (const flaw of strays) index.damage.push(describe(flaw))
  for (const flaw of flaws) if (!strays.includes(flaw)) unerased.push(...bodiesIn(flaw))
  return {
    index,
    newest,
    resume,
    abandoned,
    unerased,
    holes,
    strays: strays.map((flaw) => ({ ...flaw, isBody: false })),
  }
}

type Flaw = Damage & { readonly volume: number; readonly isTorn: boolean }

/** All of it is objects that have left, of which a crash erased a part. */
function isExplained({ bytes, broken, isTorn }: Flaw, left: ReadonlySet<string>): boolean {
  const known = broken.reduce((sum, object) => sum + BLOCK_BYTES + inBlocks(object.bytes), 0)
  return !isTorn && known === bytes && broken.every(({ id }) => left.has(id))
}

function bodiesIn({ volume, broken }: Flaw): readonly Extent[] {
  return broken.map(({ at, bytes }) => ({ volume, at, bytes, isBody: true }))
}

function describe({ volume, at, bytes, isTorn }: Flaw): string {
  const name = volumeName(volume)
  if (isTorn) return `${name}: ends in ${bytes} bytes of an unfinished write, ignored`
  return `${name}: ${bytes} bytes at ${at} are damaged`
}

/** Takes what has left out of the index, and notes its ids; returns where it lies. */
function departed(index: BucketIndex, body: Buffer, left: Set<string>, where: string): readonly Extent[] {
  try {
    const departure = decodeDeparture(body)
    for (const id of departure.objects) left.add(id)
    return index.depart(departure).map(extentOf)
  } catch (error) {
    if (!isFault(error, "malformed")) throw error
    index.damage.push(`${where}: the departure does not parse`)
    return []
  }
}

/** Of an object's body. */
export function extentOf({ volume, at, headerBytes, payloadBytes }: StoredObject): Extent {
  return { volume, at, bytes: headerBytes + payloadBytes, isBody: true }
}

function addManifest(
  index: BucketIndex,
  envelope: Buffer,
  device: string,
  { volume, at, name }: { volume: number; at: Bytes; name: string },
): void {
  // The signature was verified before it was stored, and whoever reads it back for use verifies it again.
  const body = unverified(envelope, manifestShape)
  if (body?.device !== device) index.damage.push(`${name}: the manifest at ${at} does not parse`)
  else index.addManifest(body, sha256Hex(envelope), { volume, at, bytes: envelope.length })
}

/** Reads what `index` knows of from the folder's volumes. */
export class FolderBucket extends IndexedBucket {
  protected fileOf(object: StoredObject): Promise<Buffer> {
    return this.#readWhereItIs(object, object.headerBytes + object.payloadBytes)
  }

  envelopeBytes(manifest: StoredManifest): Promise<Uint8Array> {
    return this.#readWhereItIs(manifest, manifest.bytes)
  }

  /** Where its place is changed meanwhile, by this very process, it is read again. */
  async #readWhereItIs(
    what: { readonly volume: number; readonly at: Bytes },
    length: Bytes,
  ): Promise<Buffer> {
    const { volume, at } = what
    try {
      return await this.read(volume, at, length)
    } catch (error) {
      if (what.volume === volume && what.at === at) throw error
      return this.#readWhereItIs(what, length)
    }
  }

  protected override isErased(bytes: Buffer): boolean {
    return bytes.every((byte) => byte === 0)
  }

  protected async read(volume: number, at: Bytes, length: Bytes): Promise<Buffer> {
    try {
      const file = await open(join(this.directory, volumeName(volume)), "r")
      try {
        const bytes = Buffer.allocUnsafe(length)
        const { bytesRead } = await file.read(bytes, 0, length, at)
        if (bytesRead < length) throw new Fault("tampered", `bucket ${this.directory}: cut short on disk`)
        return bytes
      } finally {
        await file.close()
      }
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT")
        throw new Fault("unavailable", `bucket ${this.directory}: moved meanwhile; look again`, {
          definite: false,
          cause: error,
        })
      throw diskFault(error, this.directory)
    }
  }
}
