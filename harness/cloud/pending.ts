import { createHash, type Hash } from "node:crypto"
import { isObjectEntry, type Manifest, type ObjectEntry } from "../../firmware/control/protocol.ts"
import type { Bytes, Milliseconds } from "../../firmware/units.ts"

/** More parts than any object of 65,000-byte chunks has. */
const LOOSE_PARTS_MAX = 1_024

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
  parts: Uint8Array[]
  /** How many of `parts`, from the first, are joined ones. */
  joined: number
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
    parts: [],
    joined: 0,
    headerHash: null,
    payloadHash: null,
  }
}

/** Adds the next bytes: a view is kept, not a copy. Header and payload are hashed apart, while the bytes are warm. */
export function addPart(object: PendingObject, data: Uint8Array): void {
  const headerLeft = object.entry.headerBytes - object.held
  if (headerLeft > 0) {
    object.headerHash ??= createHash("sha256")
    object.headerHash.update(headerLeft < data.length ? data.subarray(0, headerLeft) : data)
  }
  if (headerLeft < data.length) {
    object.payloadHash ??= createHash("sha256")
    object.payloadHash.update(headerLeft > 0 ? data.subarray(headerLeft) : data)
  }
  object.parts.push(data)
  object.held += data.length
  // A camera may choose to send single bytes; a view of each would weigh a hundred times as much.
  if (object.parts.length - object.joined >= LOOSE_PARTS_MAX)
    object.parts.push(Buffer.concat(object.parts.splice(object.joined++)))
}

/** Of an object with all its bytes; can be asked once. */
export function hashesHold({ entry, headerHash, payloadHash }: PendingObject): boolean {
  return headerHash?.digest("hex") === entry.headerHash && payloadHash?.digest("hex") === entry.payloadHash
}

/** Forgets the bytes, so that the camera begins again. */
export function resetObject(object: PendingObject): void {
  object.state = "filling"
  object.held = 0
  object.parts = []
  object.joined = 0
  object.headerHash = null
  object.payloadHash = null
}
