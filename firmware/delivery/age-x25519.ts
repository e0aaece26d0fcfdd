import {
  createCipheriv,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
} from "node:crypto"
import { Fault } from "../errors.ts"
import type { Bytes } from "../units.ts"
import { base64, encodeHeader, FILE_KEY_BYTES, type Stanza } from "./age-header.ts"
import { hkdf } from "./age-hkdf.ts"
import { CIPHER, TAG_BYTES } from "./age-payload.ts"
import type { Recipient } from "./recipient.ts"

/**
 * The X25519 recipient (C2SP age, "The X25519 recipient type"):
 *
 *   -> X25519 SP base64(ephemeral share, 32) LF
 *   base64( ChaCha20-Poly1305(wrap key, nonce = 0, file key) ) LF      32 bytes: 16 and a tag
 *
 *   wrap key = HKDF-SHA-256(X25519(ephemeral, recipient), salt = share · recipient, info = the label)
 */
export const X25519_BYTES: Bytes = 32
export const ZERO_NONCE = new Uint8Array(12)

/** @throws Fault "malformed", definite: `point` is not 32 bytes, or of low order. */
export function x25519Recipient(text: string, point: Uint8Array): Recipient {
  const recipient = x25519PublicKey(point)
  refuseLowOrder(recipient)
  return {
    text,
    wrapNewFileKey: () => {
      const fileKey = randomBytes(FILE_KEY_BYTES)
      return { fileKey, header: encodeHeader([wrap(fileKey, recipient, point)], fileKey) }
    },
  }
}

/** @throws Fault "malformed", definite: `point` is not 32 bytes. */
export function x25519PublicKey(point: Uint8Array): KeyObject {
  if (point.length !== X25519_BYTES)
    throw new Fault("malformed", `an X25519 public key has 32 bytes, not ${point.length}`)
  const x = Buffer.from(point).toString("base64url")
  return createPublicKey({ key: { kty: "OKP", crv: "X25519", x }, format: "jwk" })
}

/** Tries the key out. @throws Fault "malformed", definite: it is of low order, so every secret with it would be zero. */
export function refuseLowOrder(key: KeyObject): void {
  sharedSecret(generateKeyPairSync("x25519").privateKey, key).fill(0)
}

/** RFC 7748 §6.1. @throws Fault "malformed", definite: the public key is of low order. */
export function sharedSecret(privateKey: KeyObject, publicKey: KeyObject): Buffer {
  try {
    return diffieHellman({ privateKey, publicKey })
  } catch (cause) {
    // OpenSSL derives nothing where the result would be all zeros, and has no other reason to fail here.
    throw new Fault("malformed", "an X25519 public key of low order", { cause })
  }
}

export function wrapKeyOf(secret: Buffer, share: Uint8Array, recipient: Uint8Array): Buffer {
  const key = hkdf(secret, Buffer.concat([share, recipient]), "age-encryption.org/v1/X25519")
  secret.fill(0)
  return key
}

/** The 32 bytes of a key pair's public half. */
export function x25519Point(key: KeyObject): Buffer {
  // As JWK: exporting DER takes a hundred times as long.
  return pointOf(key.export({ format: "jwk" }))
}

function pointOf(key: unknown): Buffer {
  if (typeof key !== "object" || key === null || !("x" in key) || typeof key.x !== "string")
    throw new Fault("broken", "an X25519 key without its point")
  return Buffer.from(key.x, "base64url")
}

/**
 * The public half leaves with the making of the pair. A later `export` can stop the process for ever: node 20 makes
 * strings while it holds the key's lock, and what collects garbage meanwhile waits for that lock to forget the making.
 */
function newKeyPair(): { readonly privateKey: KeyObject; readonly share: Buffer } {
  // Node's typings leave out that one half alone may be encoded.
  const options: object = { publicKeyEncoding: { format: "jwk" } }
  const { privateKey, publicKey } = generateKeyPairSync("x25519", options)
  return { privateKey, share: pointOf(publicKey) }
}

function wrap(fileKey: Uint8Array, recipient: KeyObject, point: Uint8Array): Stanza {
  const { privateKey, share } = newKeyPair()
  const key = wrapKeyOf(sharedSecret(privateKey, recipient), share, point)
  const cipher = createCipheriv(CIPHER, key, ZERO_NONCE, { authTagLength: TAG_BYTES })
  const sealed = cipher.update(fileKey)
  cipher.final()
  key.fill(0)
  return { args: ["X25519", base64(share)], body: Buffer.concat([sealed, cipher.getAuthTag()]) }
}
