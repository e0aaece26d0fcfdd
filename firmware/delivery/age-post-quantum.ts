import { Encrypter } from "age-encryption"
import { Fault } from "../errors.ts"
import type { Bytes } from "../units.ts"
import { PAYLOAD_NONCE_BYTES, TAG_BYTES } from "./age-payload.ts"
import { refuseLowOrder, X25519_BYTES, x25519PublicKey } from "./age-x25519.ts"
import type { Recipient, WrappedFileKey } from "./recipient.ts"

/**
 * The post-quantum recipient mlkem768x25519 (C2SP age, "The hybrid recipient type"), through typage:
 *
 *   -> mlkem768x25519 SP base64(encapsulated key, 1,120) LF
 *   base64(HPKE-sealed file key, 32) LF
 *
 * A recipient is an ML-KEM-768 encapsulation key (FIPS 203), 1,184 bytes, and an X25519 point, 32.
 * Never beside an X25519 stanza: whoever breaks that one would need no quantum computer for the other.
 */
const ML_KEM_KEY_BYTES: Bytes = 1_184
const ML_KEM_COEFFICIENT_BYTES: Bytes = 1_152
const ML_KEM_PRIME = 3_329

/** @throws Fault "malformed", definite: a wrong length, an ML-KEM key out of range, a point of low order. */
export function postQuantumRecipient(text: string, key: Uint8Array): Recipient {
  if (key.length !== ML_KEM_KEY_BYTES + X25519_BYTES)
    throw new Fault("malformed", `a post-quantum age recipient has 1216 bytes, not ${key.length}`)
  // Both are refused here and not at the first clip.
  if (!coefficientsInRange(key)) throw new Fault("malformed", "an ML-KEM key with coefficients out of range")
  refuseLowOrder(x25519PublicKey(key.subarray(ML_KEM_KEY_BYTES)))
  return { text, wrapNewFileKey: () => wrapNewFileKey(text) }
}

/**
 * typage makes the file key and the whole file. An empty file is its header and 32 bytes more, and a second
 * recipient, who adds no stanza, is shown the file key.
 */
async function wrapNewFileKey(text: string): Promise<WrappedFileKey> {
  const encrypter = new Encrypter()
  let fileKey: Uint8Array | undefined
  try {
    encrypter.addRecipient(text)
    encrypter.addRecipient({
      wrapFileKey: (key) => {
        fileKey = key
        return []
      },
    })
    const file = await encrypter.encrypt(new Uint8Array(0))
    if (fileKey !== undefined) return { fileKey, header: file.slice(0, -(PAYLOAD_NONCE_BYTES + TAG_BYTES)) }
  } catch (cause) {
    throw new Fault("broken", "the post-quantum header could not be made", { cause })
  }
  throw new Fault("broken", "the post-quantum header came without its file key")
}

/** FIPS 203 §7.2, the modulus check: 768 coefficients of 12 bits, little-endian, each below the prime. */
function coefficientsInRange(key: Uint8Array): boolean {
  for (let at = 0; at < ML_KEM_COEFFICIENT_BYTES; at += 3) {
    const [low = 0, middle = 0, high = 0] = key.subarray(at, at + 3)
    if ((low | ((middle & 0x0f) << 8)) >= ML_KEM_PRIME || ((middle >> 4) | (high << 4)) >= ML_KEM_PRIME)
      return false
  }
  return true
}
