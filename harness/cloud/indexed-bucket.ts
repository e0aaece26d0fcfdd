import { open } from "node:fs/promises"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"
import type { BucketIndex, StoredManifest, StoredObject } from "./bucket-index.ts"
import type { Bucket } from "./bucket-reader.ts"
import type { DepartureCause, Listed } from "./departures.ts"

/** A bucket that knows from its index what it holds, wherever the bytes lie. */
export abstract class IndexedBucket implements Bucket {
  readonly directory: string
  protected readonly index: BucketIndex

  constructor(directory: string, index: BucketIndex) {
    this.directory = directory
    this.index = index
  }

  /** As they are, unchecked. */
  protected abstract fileOf(object: StoredObject): Promise<Buffer>
  abstract envelopeBytes(manifest: StoredManifest): Promise<Uint8Array>

  /** Where the place of what has left holds something that is no age file. */
  protected isErased(_bytes: Buffer): boolean {
    return false
  }

  get damage(): readonly string[] {
    return this.index.damage
  }

  get objectCount(): number {
    return this.index.objectCount
  }

  object(id: string): StoredObject | null {
    return this.index.object(id)
  }

  manifests(device: string): readonly StoredManifest[] {
    return this.index.manifests(device)
  }

  manifest(hash: string): StoredManifest | null {
    return this.index.manifest(hash)
  }

  isDropped(device: string, sequence: number): boolean {
    return this.index.isDropped(device, sequence)
  }

  departureOf(device: string, listed: Listed): DepartureCause | null {
    return this.index.departures.causeOf(device, listed)
  }

  isDeleted(device: string, listed: Pick<Listed, "id" | "clip">): boolean {
    return this.index.departures.bars(device, listed)
  }

  objectsOf(device: string): Iterable<StoredObject> {
    return this.index.objectsOf(device)
  }

  mailboxes(): Iterable<string> {
    return this.index.mailboxes()
  }

  bytesOf(device: string): Bytes {
    return this.index.bytesOf(device)
  }

  isForked(manifest: StoredManifest): boolean {
    return this.index.isForked(manifest)
  }

  newest(device: string): StoredManifest | null {
    return this.index.manifests(device).at(-1) ?? null
  }

  devices(): readonly string[] {
    return this.index.devices()
  }

  async objectBytes(id: string): Promise<Uint8Array | null> {
    const found = this.index.object(id)
    if (found === null) return null
    const bytes = await this.fileOf(found)
    if (isObject(bytes, found)) return bytes
    // It left while the bytes were read, or since this index was.
    if (this.index.object(id) === null || this.isErased(bytes)) return null
    throw new Fault("tampered", `bucket ${this.directory}: object ${id} is damaged where it is stored`)
  }

  async extract(id: string, path: string): Promise<void> {
    const bytes = await this.objectBytes(id)
    if (bytes === null) throw new Fault("usage", `bucket ${this.directory}: no object ${id}`)
    try {
      const file = await open(path, "wx", 0o600)
      try {
        await file.writeFile(bytes)
      } finally {
        await file.close()
      }
    } catch (cause) {
      throw new Fault("usage", `${path}: cannot be written; choose a new file name`, { cause })
    }
  }
}

type Hashes = Pick<StoredObject, "headerBytes" | "payloadBytes" | "headerHash" | "payloadHash">

/** Whether `bytes` are what the hashes say. */
export function isObject(
  bytes: Buffer,
  { headerBytes, payloadBytes, headerHash, payloadHash }: Hashes,
): boolean {
  return (
    bytes.length === headerBytes + payloadBytes &&
    sha256Hex(bytes.subarray(0, headerBytes)) === headerHash &&
    sha256Hex(bytes.subarray(headerBytes)) === payloadHash
  )
}
