import { createDecipheriv, type KeyObject } from "node:crypto"
import {
  CHUNK_BYTES,
  ChunkNonce,
  CIPHER,
  PAYLOAD_NONCE_BYTES,
  payloadKey,
  TAG_BYTES,
} from "../../firmware/delivery/age-payload.ts"
import { type ByteSource, rechunk } from "../../firmware/delivery/age-rechunk.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"

/**
 * Opens the payload of an age v1 file; the shape is in firmware's half. No byte of a chunk is released before its tag
 * holds, and the last chunk is one that nothing follows: a file cut at a chunk's end fails.
 */
const SEALED_CHUNK_BYTES: Bytes = CHUNK_BYTES + TAG_BYTES

/**
 * Opens a whole payload, nonce and chunks.
 * @throws Fault "tampered", definite: a tag that does not hold, so also another key, a cut or an addition;
 *         Fault "malformed", definite: sizes that no payload has.
 */
export function openPayload(payload: Uint8Array, fileKey: Uint8Array): Uint8Array {
  const opener = new PayloadOpener(fileKey, payload.subarray(0, PAYLOAD_NONCE_BYTES))
  const plain = Buffer.allocUnsafeSlow(plainBytesOf(payload.length))
  let index = 0
  for (let at = PAYLOAD_NONCE_BYTES; at < payload.length; at += SEALED_CHUNK_BYTES) {
    const end = at + SEALED_CHUNK_BYTES
    const chunk = opener.open(payload.subarray(at, end), index, end >= payload.length)
    if (chunk === null) throw tampered("a chunk's tag does not hold")
    plain.set(chunk, index++ * CHUNK_BYTES)
  }
  return plain
}

/**
 * Opens the chunks that follow the nonce, holding at most one and the source's newest piece. Throws as `openPayload`.
 * Where a payload was cut or continued at a chunk's end, that chunk is still released before the throw: it is whole.
 */
export async function* openPayloadStream(
  chunks: ByteSource,
  nonce: Uint8Array,
  fileKey: Uint8Array,
): AsyncGenerator<Uint8Array, void, undefined> {
  const opener = new PayloadOpener(fileKey, nonce)
  let index = 0
  for await (const { parts, last } of rechunk(chunks, SEALED_CHUNK_BYTES)) {
    const [only] = parts
    const chunk = parts.length === 1 && only ? only : Buffer.concat(parts)
    const plain = opener.open(chunk, index, last)
    if (plain === null) {
      const whole = chunk.length === SEALED_CHUNK_BYTES ? opener.open(chunk, index, !last) : null
      if (whole === null) throw tampered("a chunk's tag does not hold")
      yield whole
      throw tampered(last ? "cut at a chunk's end" : "more follows its last chunk")
    }
    yield plain
    index++
  }
}

class PayloadOpener {
  readonly #key: KeyObject
  readonly #chunkNonce = new ChunkNonce()

  constructor(fileKey: Uint8Array, nonce: Uint8Array) {
    if (nonce.length !== PAYLOAD_NONCE_BYTES) throw malformed("cut within its nonce")
    this.#key = payloadKey(fileKey, nonce)
  }

  /** The plaintext of one chunk with its tag; null where the tag does not hold. */
  open(chunk: Uint8Array, index: number, last: boolean): Uint8Array | null {
    const bytes = chunk.length - TAG_BYTES
    if (bytes < 0) throw malformed("cut within a chunk")
    if (bytes === 0 && index > 0) throw malformed("an empty chunk after others")
    const nonce = this.#chunkNonce.of(index, last)
    const decipher = createDecipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES })
    decipher.setAuthTag(chunk.subarray(bytes))
    const plain = decipher.update(chunk.subarray(0, bytes))
    try {
      decipher.final()
    } catch {
      // The one reason to fail here is the tag.
      return null
    }
    return plain
  }
}

function plainBytesOf(payloadBytes: Bytes): Bytes {
  const sealed = payloadBytes - PAYLOAD_NONCE_BYTES
  const lastChunk = sealed % SEALED_CHUNK_BYTES
  if (sealed < TAG_BYTES || (lastChunk > 0 && lastChunk < TAG_BYTES)) throw malformed("cut within a chunk")
  return sealed - Math.ceil(sealed / SEALED_CHUNK_BYTES) * TAG_BYTES
}

function malformed(why: string): Fault {
  return new Fault("malformed", `not a whole age payload: ${why}`)
}

function tampered(why: string): Fault {
  return new Fault("tampered", `the age payload was changed: ${why}`)
}
