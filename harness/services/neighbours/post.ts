import { z } from "zod"
import { sign, verifySelfSigned } from "../../../firmware/control/dsse.ts"
import {
  type PublicKey,
  publicKeyFromHex,
  type SigningKey,
  sha256Hex,
} from "../../../firmware/control/keys.ts"
import { objectId, sha256 } from "../../../firmware/control/protocol.ts"
import { type Bytes, MiB, type Milliseconds, minutes } from "../../../firmware/units.ts"

/** Of the object. */
export const POST_BYTES_MAX: Bytes = 256 * MiB
export const POST_FOR_MAX: Milliseconds = 31 * 24 * 60 * minutes(1)

/**
 * The owner's word that one object may lie on the board until a day, for whoever has its link. It is a kind of its own:
 * nothing that asks for consent, or for a grant, takes it for one.
 */
export const postShape = z.strictObject({
  object: objectId,
  /** SHA-256 of the object, an age file. */
  file: sha256,
  /** Ed25519, for this object alone; its id is the post's mailbox in the access log. */
  key: sha256,
  /** Unix milliseconds. */
  expires: z.int().min(0),
})
export type Post = z.infer<typeof postShape>

const unpostShape = z.strictObject({ object: objectId, key: sha256 })

export const signPost = (post: Omit<Post, "key">, key: SigningKey): Uint8Array =>
  sign("post", { ...post, key: key.hex }, key)

export const signUnpost = (object: string, key: SigningKey): Uint8Array =>
  sign("unpost", { object, key: key.hex }, key)

/** @throws Fault "malformed", "tampered" or "refused" (a weak key), definite: no post, or a forged one. */
export function readPost(envelope: Uint8Array): Post & Signed {
  const read = verifySelfSigned("post", envelope, postShape, ({ key }) => publicKeyFromHex(key))
  return { ...read.body, signer: read.key, hash: sha256Hex(envelope) }
}

/** @throws as `readPost`. */
export function readUnpost(envelope: Uint8Array): z.infer<typeof unpostShape> & Signed {
  const read = verifySelfSigned("unpost", envelope, unpostShape, ({ key }) => publicKeyFromHex(key))
  return { ...read.body, signer: read.key, hash: sha256Hex(envelope) }
}

interface Signed {
  readonly signer: PublicKey
  /** SHA-256 of the envelope. */
  readonly hash: string
}
