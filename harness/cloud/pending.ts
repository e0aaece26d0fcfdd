import { createHash, type Hash } from "node:crypto"
import { isObjectEntry, type Manifest, type ObjectEntry } from "../../firmware/control/protocol.ts"
import type { Bytes, Milliseconds } from "../../firmware/units.ts"
import type { BlockPool } from "./block-pool.ts"

/** A manifest of which not everything is durable yet. */
export interface PendingManifest {
  readonly device: string
  readonly hash: string
  readonly envelope: Uint8Array
  readonly body: Manifest
  /** In the manifest's order. */
  readonly objects: readonly PendingObject[]
  /** Objects of which bytes are missing. */
  missing: number
  /** Objects not yet durable, those on their way to the disk included. */
  unstored: number
  /** Chunks taken since the camera was last told what the cloud has. */
  unanswered: number
  /** When the last of it came, on the process's monotonic clock. */
  touched: Milliseconds
}

export interface PendingObject {
  readonly entry: ObjectEntry
  readonly sequence: number
  readonly size: Bytes
  manifest: PendingManifest | null
  state: "filling" | "storing" | "stored"
  /** Bytes of the age file, contiguous from 0. */
  held: Bytes
  /** From the pool, and full but for the last. */
  blocks: Buffer[]
  headerHash: Hash | null
  payloadHash: Hash | null
}

export function pendingManifest(
  body: Manifest,
  hash: string,
  envelope: Uint8Array,
  /** Nothing of it need come: it is durable, or was dropped. */
  isSettled: (entry: ObjectEntry, sequence: number) => boolean,
): PendingManifest {
  const objects = body.entries.flatMap((entry, position) => {
    const sequence = body.sequence + position
    return isObjectEntry(entry) ? [pendingObject(entry, sequence, isSettled(entry, sequence))] : []
  })
  const missing = objects.filter((object) => object.state === "filling").length
  const manifest = {
    device: body.device,
    hash,
    envelope,
    body,
    objects,
    missing,
    unstored: missing,
    unanswered: 0,
    touched: 0,
  }
  for (const object of objects) object.manifest = manifest
  return manifest
}

function pendingObject(entry: ObjectEntry, sequence: number, stored: boolean): PendingObject {
  const size = entry.headerBytes + entry.payloadBytes
  return {
    entry,
    sequence,
    size,
    manifest: null,
    state: stored ? "stored" : "filling",
    held: stored ? size : 0,
    blocks: [],
    headerHash: null,
    payloadHash: null,
  }
}

/** Adds a copy of the next bytes, which fit. Header and payload are hashed apart, while the bytes are warm. */
export function addBytes(object: PendingObject, data: Uint8Array, pool: BlockPool): void {
  const headerLeft = object.entry.headerBytes - object.held
  if (headerLeft > 0) {
    object.headerHash ??= createHash("sha256")
    object.headerHash.update(headerLeft < data.length ? data.subarray(0, headerLeft) : data)
  }
  if (headerLeft < data.length) {
    object.payloadHash ??= createHash("sha256")
    object.payloadHash.update(headerLeft > 0 ? data.subarray(headerLeft) : data)
  }
  pool.append(object.blocks, object.size, object.held, data)
  object.held += data.length
}

/** Of an object with all its bytes; can be asked once. */
export function hashesHold({ entry, headerHash, payloadHash }: PendingObject): boolean {
  return headerHash?.digest("hex") === entry.headerHash && payloadHash?.digest("hex") === entry.payloadHash
}

/** The camera begins again; the caller has given the blocks back. */
export function resetObject(object: PendingObject): void {
  object.state = "filling"
  object.held = 0
  object.blocks = []
  object.headerHash = null
  object.payloadHash = null
}
