import { open, readdir } from "node:fs/promises"
import { join } from "node:path"
import { unverified } from "../../firmware/control/dsse.ts"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { manifestShape } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"
import { diskFault } from "./bucket-disk.ts"
import { BucketIndex, type StoredManifest, type StoredObject } from "./bucket-index.ts"
import type { VolumeHead } from "./bucket-record.ts"
import { scanVolume } from "./bucket-scan.ts"
import { volumeName, volumeNumber } from "./bucket-volume.ts"
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
}

/** Throws the file system's own errors. */
export async function scanFolder(directory: string): Promise<Opening> {
  const index = new BucketIndex()
  const numbers = (await readdir(directory)).map(volumeNumber).filter((number) => number !== null)
  numbers.sort((a, b) => a - b)
  const newest = numbers.at(-1) ?? 0
  let resume: Opening["resume"] = null
  for (const number of numbers) {
    const name = volumeName(number)
    const { head, records, end, damaged, torn } = scanVolume(join(directory, name), number === newest)
    if (head?.number !== number) {
      index.damage.push(`${name}: not a volume`)
      continue
    }
    for (const { at, bytes } of damaged) index.damage.push(`${name}: ${bytes} bytes at ${at} are damaged`)
    for (const { head, at, envelope } of records) {
      const place = { volume: number, at }
      if (head.kind === "object") index.addObject({ ...head, ...place })
      else if (envelope !== null) addManifest(index, envelope, head.device, { ...place, name })
    }
    if (torn > 0) index.damage.push(`${name}: ends in ${torn} bytes of an unfinished write, ignored`)
    else if (number === newest) resume = { head, end }
  }
  return { index, newest, resume }
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
  protected bytesOf({ volume, at, headerBytes, payloadBytes }: StoredObject): Promise<Buffer> {
    return this.#read(volume, at, headerBytes + payloadBytes)
  }

  envelopeBytes({ volume, at, bytes }: StoredManifest): Promise<Uint8Array> {
    return this.#read(volume, at, bytes)
  }

  async #read(volume: number, at: Bytes, length: Bytes): Promise<Buffer> {
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
      throw diskFault(error, this.directory)
    }
  }
}
