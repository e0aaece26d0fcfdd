import { createCipheriv, createHash, createSecretKey, type KeyObject, randomBytes } from "node:crypto"
import { Fault } from "../errors.ts"
import { type Bytes, KiB } from "../units.ts"
import { hkdf } from "./age-hkdf.ts"
import { type ByteSource, rechunk } from "./age-rechunk.ts"

/**
 * The payload of an age v1 file (C2SP age, "Payload"; STREAM after Hoang, Reyhanitabar, Rogaway, Vizár):
 *
 *   nonce 16 · { ciphertext 65,536 · tag 16 }* · ciphertext 0…65,536 · tag 16
 *
 * Key: HKDF-SHA-256(file key, salt = nonce, info = "payload"). Each chunk is ChaCha20-Poly1305 under
 * counter 11, big-endian, from 0 · last 1 (0x01 on the last chunk alone).
 * The last chunk is empty only where the whole plaintext is.
 */
export const CHUNK_BYTES: Bytes = 64 * KiB
export const TAG_BYTES: Bytes = 16
export const PAYLOAD_NONCE_BYTES: Bytes = 16
export const CIPHER = "chacha20-poly1305"

export interface SealedPayload {
  /** Nonce, then of each chunk the ciphertext and the tag, as they came: joining them would cost more than sealing. */
  readonly parts: readonly Uint8Array[]
  readonly bytes: Bytes
  /** SHA-256 over all of `parts`, lower-case hex. */
  readonly sha256: string
}

/** Seals a whole object. `plain` is neither copied nor changed. */
export function sealPayload(plain: Uint8Array, fileKey: Uint8Array): SealedPayload {
  const sealer = new PayloadSealer(fileKey)
  const hash = createHash("sha256").update(sealer.nonce)
  const parts: Uint8Array[] = [sealer.nonce]
  let bytes = sealer.nonce.length
  let at = 0
  do {
    const end = Math.min(at + CHUNK_BYTES, plain.length)
    for (const part of sealer.seal([plain.subarray(at, end)], end === plain.length)) {
      // Now, while the chunk is still in the processor's cache.
      hash.update(part)
      parts.push(part)
      bytes += part.length
    }
    at = end
  } while (at < plain.length)
  return { parts, bytes, sha256: hash.digest("hex") }
}

/** Seals a stream, holding at most a chunk and the source's newest piece. Yields nonce, ciphertexts and tags in order. */
export async function* sealPayloadStream(
  source: ByteSource,
  fileKey: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const sealer = new PayloadSealer(fileKey)
  yield sealer.nonce
  for await (const { parts, last } of rechunk(source, CHUNK_BYTES)) yield* sealer.seal(parts, last)
}

/** Chunk by chunk. A sealer draws its own payload nonce, so even under one file key no two share a chunk's key. */
export class PayloadSealer {
  readonly nonce: Uint8Array = randomBytes(PAYLOAD_NONCE_BYTES)
  readonly #key: KeyObject
  readonly #chunkNonce = new ChunkNonce()
  #sealed = 0
  #ended = false

  constructor(fileKey: Uint8Array) {
    this.#key = payloadKey(fileKey, this.nonce)
  }

  /**
   * Seals the next chunk, given as views: CHUNK_BYTES in all, or any number up to it if it is the last.
   * Returns the ciphertext, view by view, and then the tag.
   * @throws Fault "broken": a chunk of another size, or one after the last.
   */
  seal(chunk: readonly Uint8Array[], last: boolean): Uint8Array[] {
    if (this.#ended) throw new Fault("broken", "a chunk after the last")
    this.#ended = last
    const nonce = this.#chunkNonce.of(this.#sealed++, last)
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES })
    const sealed: Uint8Array[] = []
    let bytes = 0
    for (const view of chunk) {
      bytes += view.length
      sealed.push(cipher.update(view))
    }
    if (last ? bytes > CHUNK_BYTES : bytes !== CHUNK_BYTES)
      throw new Fault("broken", `a chunk of ${bytes} bytes`)
    cipher.final()
    sealed.push(cipher.getAuthTag())
    return sealed
  }
}

/** As a key object, for node takes it faster than bytes. */
export function payloadKey(fileKey: Uint8Array, nonce: Uint8Array): KeyObject {
  const bytes = hkdf(fileKey, nonce, "payload")
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

/** The nonce of chunk `index`. The 12 bytes are overwritten by the next call. */
export class ChunkNonce {
  readonly #bytes = Buffer.alloc(12)

  of(index: number, last: boolean): Uint8Array {
    // Of the counter's 11 bytes 6 suffice for 2^48 chunks, 16 exabytes.
    this.#bytes.writeUIntBE(index, 5, 6)
    this.#bytes[11] = last ? 1 : 0
    return this.#bytes
  }
}

/** The size of a payload, nonce and tags included, over `plainBytes` of plaintext. */
export function payloadBytesOf(plainBytes: Bytes): Bytes {
  const chunks = Math.max(1, Math.ceil(plainBytes / CHUNK_BYTES))
  return PAYLOAD_NONCE_BYTES + plainBytes + chunks * TAG_BYTES
}
