import { createHash } from "node:crypto"
import type { Bytes, UnixMilliseconds } from "../../firmware/units.ts"

/**
 * A volume is a file of 512-byte blocks. Numbers are big-endian; everything not named is zero.
 *
 *   volume := volume block · { record | zero block }
 *
 *   volume block   0 "obscura volume 1"  16 · volume number u32 · 20 salt 32 random bytes · 52 zeros
 *                  or 0 "obscura removed!" 16 zeros: a volume that was moved away, and is being wiped
 *   record         record block · body, filled up with zeros to a whole block
 *   record block   0 "obscura\1"  8 · kind u8 (1 object, 2 manifest, 3 hole, 4 departure) · 12 header bytes u32
 *                  16 body bytes u32 · 20 device 20 · 40 object id 16 · 56 first hash 32 · 88 second hash 32
 *                  120 arrival u48 · 480 SHA-256 of salt · volume number u32 · position u64 · bytes 0 to 480
 *
 * An object's body is its age file; header bytes says where its header ends; the hashes are of header and payload.
 * Arrival is in Unix milliseconds, 0 if not known.
 * A manifest's body is its envelope, a departure's its JSON; the first hash is of that, the rest is zero.
 * A hole is where an object was: its body is zeros, and its block tells the length alone.
 *
 * The salt is why a camera cannot plant a record inside an object for a scan to find after damage: it would have to
 * know 32 random bytes that never leave the file.
 */

export const BLOCK_BYTES = 512
const CHECKED_BYTES = 480
const VOLUME_MAGIC = "obscura volume 1"
const RECORD_MAGIC = Buffer.from("obscura\u0001", "latin1")
/** Instead of a volume block: nothing in this file counts, and it goes. */
const REMOVED_MAGIC = "obscura removed!"

export interface VolumeHead {
  readonly number: number
  readonly salt: Buffer
}

/** Hashes, device and id in lower-case hex, as in a manifest. */
export type RecordHead =
  | {
      readonly kind: "object"
      readonly device: string
      readonly id: string
      readonly headerBytes: Bytes
      readonly payloadBytes: Bytes
      readonly headerHash: string
      readonly payloadHash: string
      readonly arrived: UnixMilliseconds
    }
  | {
      readonly kind: "manifest" | "departure"
      readonly device: string
      readonly bodyBytes: Bytes
      readonly hash: string
    }
  | { readonly kind: "hole"; readonly bodyBytes: Bytes }

const KINDS = { object: 1, manifest: 2, hole: 3, departure: 4 } as const

export function bodyBytesOf(head: RecordHead): Bytes {
  return head.kind === "object" ? head.headerBytes + head.payloadBytes : head.bodyBytes
}

export function inBlocks(bytes: Bytes): Bytes {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}

export function encodeVolumeHead({ number, salt }: VolumeHead): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  block.write(VOLUME_MAGIC, 0, "latin1")
  block.writeUInt32BE(number, 16)
  salt.copy(block, 20)
  return block
}

export function encodeRemovedHead(): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  block.write(REMOVED_MAGIC, 0, "latin1")
  return block
}

export function isRemovedHead(block: Buffer): boolean {
  return block.equals(encodeRemovedHead())
}

/** null: not the first block of a volume. */
export function decodeVolumeHead(block: Buffer): VolumeHead | null {
  if (block.length < BLOCK_BYTES || block.toString("latin1", 0, 16) !== VOLUME_MAGIC) return null
  return { number: block.readUInt32BE(16), salt: Buffer.from(block.subarray(20, 52)) }
}

export function encodeRecordHead(head: RecordHead, volume: VolumeHead, position: Bytes): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES)
  RECORD_MAGIC.copy(block)
  block.writeUInt32BE(bodyBytesOf(head), 16)
  block[8] = KINDS[head.kind]
  if (head.kind !== "hole") block.write(head.device, 20, "hex")
  if (head.kind === "object") {
    block.writeUInt32BE(head.headerBytes, 12)
    block.write(head.id, 40, "hex")
    block.write(head.headerHash, 56, "hex")
    block.write(head.payloadHash, 88, "hex")
    block.writeUIntBE(head.arrived, 120, 6)
  } else if (head.kind !== "hole") {
    block.write(head.hash, 56, "hex")
  }
  checkOf(block, volume, position).copy(block, CHECKED_BYTES)
  return block
}

/** null: no record begins here, or its block is damaged. */
export function decodeRecordHead(block: Buffer, volume: VolumeHead, position: Bytes): RecordHead | null {
  if (block.length < BLOCK_BYTES || !block.subarray(0, 8).equals(RECORD_MAGIC)) return null
  if (!checkOf(block, volume, position).equals(block.subarray(CHECKED_BYTES, BLOCK_BYTES))) return null
  const headerBytes = block.readUInt32BE(12)
  const bodyBytes = block.readUInt32BE(16)
  const device = block.toString("hex", 20, 40)
  const first = block.toString("hex", 56, 88)
  if (block[8] === KINDS.manifest) return { kind: "manifest", device, bodyBytes, hash: first }
  if (block[8] === KINDS.departure) return { kind: "departure", device, bodyBytes, hash: first }
  if (block[8] === KINDS.hole) return { kind: "hole", bodyBytes }
  if (block[8] !== KINDS.object || headerBytes > bodyBytes) return null
  return {
    kind: "object",
    device,
    id: block.toString("hex", 40, 56),
    headerBytes,
    payloadBytes: bodyBytes - headerBytes,
    headerHash: first,
    payloadHash: block.toString("hex", 88, 120),
    arrived: block.readUIntBE(120, 6),
  }
}

function checkOf(block: Buffer, volume: VolumeHead, position: Bytes): Buffer {
  const place = Buffer.allocUnsafe(12)
  place.writeUInt32BE(volume.number, 0)
  place.writeBigUInt64BE(BigInt(position), 4)
  return createHash("sha256")
    .update(volume.salt)
    .update(place)
    .update(block.subarray(0, CHECKED_BYTES))
    .digest()
}
