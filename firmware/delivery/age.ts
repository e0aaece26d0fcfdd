import { sha256Hex } from "../control/keys.ts"
import { Fault } from "../errors.ts"
import type { Bytes } from "../units.ts"
import { FILE_KEY_BYTES } from "./age-header.ts"
import { hkdf, NO_SALT } from "./age-hkdf.ts"
import { sealPayload, sealPayloadStream } from "./age-payload.ts"
import type { ByteSource } from "./age-rechunk.ts"
import type { Recipient, WrappedFileKey } from "./recipient.ts"

/**
 * One age v1 file: header, then the payload's parts in order. Stock `age` opens it with the household's key.
 * The hashes are SHA-256 in lower-case hex.
 */
export interface AgeFile {
  readonly header: Uint8Array
  readonly payload: readonly Uint8Array[]
  readonly payloadBytes: Bytes
  /** Of the header up to and including the line feed after its MAC. */
  readonly headerHash: string
  /** Of all that follows the header: nonce and chunks. It survives re-wrapping for another reader. */
  readonly payloadHash: string
  /** `commitOf` the file key. */
  readonly commit: string
}

/**
 * Seals `plain` under a file key of its own, which is wiped afterwards. `plain` is neither copied nor changed.
 * Rejects as `Recipient.wrapNewFileKey` does.
 */
export async function sealAge(plain: Uint8Array, recipient: Recipient): Promise<AgeFile> {
  const { fileKey, header } = await newFileKey(recipient)
  try {
    const { parts, bytes, sha256 } = sealPayload(plain, fileKey)
    return {
      header,
      payload: parts,
      payloadBytes: bytes,
      headerHash: sha256Hex(header),
      payloadHash: sha256,
      commit: commitOf(fileKey),
    }
  } finally {
    fileKey.fill(0)
  }
}

/** The same file piece by piece, header first, for what does not fit in memory. */
export async function* sealAgeStream(
  source: ByteSource,
  recipient: Recipient,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { fileKey, header } = await newFileKey(recipient)
  try {
    yield header
    yield* sealPayloadStream(source, fileKey)
  } finally {
    fileKey.fill(0)
  }
}

/**
 * HKDF-SHA-256(file key, no salt, info "obscura commit v1"), 64 hex digits. ChaCha20-Poly1305 does not commit to its
 * key: a payload can be made that opens to two films under two keys. Signed in the manifest, this leaves one.
 */
export function commitOf(fileKey: Uint8Array): string {
  return hkdf(fileKey, NO_SALT, "obscura commit v1").toString("hex")
}

async function newFileKey(recipient: Recipient): Promise<WrappedFileKey> {
  const wrapped = await recipient.wrapNewFileKey()
  if (wrapped.fileKey.length !== FILE_KEY_BYTES) throw new Fault("broken", "an age file key has 16 bytes")
  return wrapped
}
