import { open } from "node:fs/promises"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import type { BucketIndex, StoredManifest, StoredObject } from "./bucket-index.ts"
import type { Bucket } from "./bucket-reader.ts"

/** A bucket that knows from its index what it holds, wherever the bytes lie. */
export abstract class IndexedBucket implements Bucket {
  readonly directory: string
  protected readonly index: BucketIndex

  constructor(directory: string, index: BucketIndex) {
    this.directory = directory
    this.index = index
  }

  /** As they are, unchecked. */
  protected abstract bytesOf(object: StoredObject): Promise<Buffer>
  abstract envelopeBytes(manifest: StoredManifest): Promise<Uint8Array>

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
    const bytes = await this.bytesOf(found)
    if (!isObject(bytes, found))
      throw new Fault("tampered", `bucket ${this.directory}: object ${id} is damaged where it is stored`)
    return bytes
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
