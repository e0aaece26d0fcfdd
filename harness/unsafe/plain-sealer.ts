import { randomBytes } from "node:crypto"
import type { ObjectFacts } from "../../firmware/clip.ts"
import { sha256Hex } from "../../firmware/control/keys.ts"
import type { SealedObject, SealFor } from "../../firmware/delivery/sealer.ts"

/**
 * The historical mistake: the plaintext itself, under facts that a cloud accepts. A cloud wants a header of at least a
 * byte; all else of a sealed object is there, SHA-256 included, so that what differs is cipher and age header alone.
 */
export const plainSealFor: SealFor = (recipients) => async (plain) => {
  const { epoch, hash } = recipients()
  const { kind, clip, index, last, bytes } = plain
  const facts: ObjectFacts = {
    ...{ id: randomBytes(16).toString("hex"), kind, clip, index, last },
    headerBytes: PLAIN_HEADER.length,
    payloadBytes: bytes.length,
    headerHash: PLAIN_HEADER_HASH,
    payloadHash: sha256Hex(bytes),
    commit: NO_COMMITMENT,
  }
  // A cast, for nothing but the sealer makes one of these by right.
  return { facts, epoch, recipients: hash, parts: [PLAIN_HEADER, bytes] } as unknown as SealedObject
}

export const PLAIN_HEADER = Buffer.from("-")
const PLAIN_HEADER_HASH = sha256Hex(PLAIN_HEADER)
const NO_COMMITMENT = "0".repeat(64)
