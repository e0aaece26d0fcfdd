import { type PublicKey, type SigningKey, signWith, verifies } from "../../../firmware/control/keys.ts"
import { Fault } from "../../../firmware/errors.ts"
import type { Seconds } from "../../../firmware/units.ts"
import { keyIdOf, type Note, type NoteSignature, SIGNATURE_TYPE, signaturesBy } from "./note.ts"

/**
 * A witness's signature beside a log's (c2sp.org/tlog-cosignature, Ed25519): "of this log, the largest consistent tree
 * that I have seen at this time is this one". In the note it is timestamp u64 big-endian · Ed25519 signature over
 *
 *   cosignature/v1
 *   time <Unix seconds>
 *   <the checkpoint's text>
 *
 * The message does not name the witness, so a witness's key must serve no other.
 */
export interface Cosignature {
  readonly witness: string
  /** Unix time, by the witness's clock. */
  readonly at: Seconds
}

const TIME_BYTES = 8

export function cosign(text: string, witness: string, key: SigningKey, at: Seconds): NoteSignature {
  const time = Buffer.alloc(TIME_BYTES)
  time.writeBigUInt64BE(BigInt(at))
  const signature = Buffer.concat([time, signWith(key, cosignedMessage(text, BigInt(at)))])
  return {
    name: witness,
    keyId: keyIdOf({ name: witness, type: SIGNATURE_TYPE.cosignature, key }),
    signature,
  }
}

/** @throws Fault "tampered", definite: `witness` has not signed this note, or its signature does not hold. */
export function verifyCosignature(note: Note, witness: string, key: PublicKey): Cosignature {
  let latest = 0
  for (const { signature } of signaturesBy(note, { name: witness, type: SIGNATURE_TYPE.cosignature, key })) {
    const bytes = Buffer.from(signature)
    const at = bytes.length > TIME_BYTES ? bytes.readBigUInt64BE() : null
    const holds =
      at !== null &&
      at <= BigInt(Number.MAX_SAFE_INTEGER) &&
      verifies(key, cosignedMessage(note.text, at), bytes.subarray(TIME_BYTES))
    if (!holds) throw new Fault("tampered", `checkpoint: the cosignature by ${witness} does not hold`)
    latest = Math.max(latest, Number(at))
  }
  return { witness, at: latest }
}

export function cosignedMessage(text: string, at: bigint): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${at}\n${text}`)
}
