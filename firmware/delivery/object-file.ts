import { z } from "zod"
import type { ObjectFacts } from "../clip.ts"
import { fromJson, toJson } from "../control/json.ts"
import { sha256Hex } from "../control/keys.ts"
import { objectEntryShape, sha256 } from "../control/protocol.ts"
import { Fault } from "../errors.ts"
import type { SealedObject } from "./sealer.ts"

// length of the facts u32 big-endian · facts, JSON · age header · age payload
//
// The facts travel with the bytes, for `commit` cannot be had again: the camera forgets the file key once it has sealed.
// So one put makes an object whole, and a power cut leaves either all of it or nothing.

const FACTS_BYTES_MAX = 2_048

const factsShape = z.strictObject({
  facts: objectEntryShape,
  epoch: z.int().min(0),
  recipients: sha256,
})

export interface StoredObject {
  readonly facts: ObjectFacts
  readonly epoch: number
  readonly recipients: string
  /** The age file: a view. */
  readonly age: Uint8Array
}

export function objectFile({ facts, epoch, recipients, parts }: SealedObject): readonly Uint8Array[] {
  const json = toJson({ facts, epoch, recipients })
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  return [Buffer.concat([length, json]), ...parts]
}

/** @throws Fault "malformed", definite; "tampered", definite: the bytes are not those that were sealed. */
export function readObjectFile(bytes: Uint8Array): StoredObject {
  const age = ageFileOf(bytes)
  const stored = fromJson(
    bytes.subarray(4, bytes.length - age.length),
    factsShape,
    "spooled object",
    FACTS_BYTES_MAX,
  )
  if (!isWhole(stored.facts, [age])) throw new Fault("tampered", "spooled object: its hash does not hold")
  return { ...stored, age }
}

/** The age file in an object file whose facts are known from elsewhere. @throws Fault "malformed", definite. */
export function ageFileOf(bytes: Uint8Array): Uint8Array {
  const length = bytes.length < 4 ? 0 : Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32BE()
  if (length < 2 || length > FACTS_BYTES_MAX || bytes.length < 4 + length)
    throw new Fault("malformed", "spooled object: no facts")
  return bytes.subarray(4 + length)
}

/** Do these bytes have the sizes and hashes that `facts` promise? */
export function isWhole(facts: ObjectFacts, parts: readonly Uint8Array[]): boolean {
  const age = parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
  return (
    age.length === facts.headerBytes + facts.payloadBytes &&
    sha256Hex(age.subarray(0, facts.headerBytes)) === facts.headerHash &&
    sha256Hex(age.subarray(facts.headerBytes)) === facts.payloadHash
  )
}
