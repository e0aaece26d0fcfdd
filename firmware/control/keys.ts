import {
  createHash,
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  sign as signBytes,
  verify as verifyBytes,
} from "node:crypto"
import { Fault } from "../errors.ts"

/**
 * Ed25519 keys (RFC 8032) as 32 raw bytes outside and node key objects inside.
 * A key's id, which is also a camera's device id and mailbox, is the first 160 bits of SHA-256 over the raw public key.
 */

/**
 * Encodings of points of small order, the sign bit cleared. A key among them verifies signatures nobody made.
 * The canonical four, and those non-canonical ones that reduce to them (RFC 8032 §5.1.7; "Taming the many EdDSAs" table 2).
 */
const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
])

export interface PublicKey {
  /** 40 hex digits. */
  readonly id: string
  /** 64 hex digits. */
  readonly hex: string
  readonly key: KeyObject
}

export interface SigningKey extends PublicKey {
  readonly secret: KeyObject
}

/** Node's key object weighs a kilobyte, and most keys never verify anything: it is made when first asked for. */
class LatePublicKey implements PublicKey {
  readonly id: string
  readonly hex: string
  #key: KeyObject | null = null

  constructor(raw: Uint8Array) {
    this.id = keyIdOf(raw)
    this.hex = Buffer.from(raw).toString("hex")
  }

  get key(): KeyObject {
    this.#key ??= createPublicKey({ key: jwkOf(Buffer.from(this.hex, "hex")), format: "jwk" })
    return this.#key
  }
}

class LateSigningKey extends LatePublicKey implements SigningKey {
  readonly secret: KeyObject

  constructor(raw: Uint8Array, secret: KeyObject) {
    super(raw)
    this.secret = secret
  }
}

/** @throws Fault "malformed": not 32 bytes; Fault "refused": a point of small order. */
export function publicKeyOf(raw: Uint8Array): PublicKey {
  if (raw.length !== 32) throw new Fault("malformed", `an Ed25519 public key has 32 bytes, not ${raw.length}`)
  const unsigned = Buffer.from(raw)
  unsigned[31] = (unsigned[31] ?? 0) & 0x7f
  if (SMALL_ORDER.has(unsigned.toString("hex"))) throw new Fault("refused", "an Ed25519 key of small order")
  return new LatePublicKey(raw)
}

/** @throws Fault "malformed" or "refused", as `publicKeyOf`. */
export function publicKeyFromHex(hex: string): PublicKey {
  return publicKeyOf(Buffer.from(hex, "hex"))
}

/** The key whose secret seed (RFC 8032 §5.1.5) is `seed`, 32 bytes. */
export function signingKeyOf(seed: Uint8Array): SigningKey {
  if (seed.length !== 32) throw new Fault("malformed", `an Ed25519 seed has 32 bytes, not ${seed.length}`)
  const d = Buffer.from(seed).toString("base64url")
  // Node takes the public half as a matter of form, and works it out from the secret one.
  const secret = createPrivateKey({ key: { ...jwkOf(new Uint8Array(32)), d }, format: "jwk" })
  const { x } = secret.export({ format: "jwk" })
  return new LateSigningKey(Buffer.from(x ?? "", "base64url"), secret)
}

/** RFC 8037. Reading PKCS #8 or SPKI takes ten times as long: a fleet's start is made of it. */
function jwkOf(raw: Uint8Array): { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string } {
  return { kty: "OKP", crv: "Ed25519", x: Buffer.from(raw).toString("base64url") }
}

function keyIdOf(raw: Uint8Array): string {
  return hash("sha256", raw, "hex").slice(0, 40)
}

export function signWith(key: SigningKey, message: Uint8Array): Uint8Array {
  return signBytes(null, message, key.secret)
}

export function verifies(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verifyBytes(null, message, key.key, signature)
}

export function sha256Hex(...parts: readonly Uint8Array[]): string {
  const [only] = parts
  if (only && parts.length === 1) return hash("sha256", only, "hex")
  const hasher = createHash("sha256")
  for (const part of parts) hasher.update(part)
  return hasher.digest("hex")
}
