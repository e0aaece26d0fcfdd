import { commitOf } from "../../firmware/delivery/age.ts"
import { FILE_KEY_BYTES } from "../../firmware/delivery/age-header.ts"
import { PAYLOAD_NONCE_BYTES } from "../../firmware/delivery/age-payload.ts"
import type { ByteSource } from "../../firmware/delivery/age-rechunk.ts"
import { Fault } from "../../firmware/errors.ts"
import { type Header, parseHeader, verifyHeader } from "./age-header.ts"
import type { Identity } from "./age-identity.ts"
import { openPayload, openPayloadStream } from "./age-payload.ts"

export interface OpenOptions {
  /** The commitment in the object's manifest: 64 hex digits. Absent only where there is no manifest to ask. */
  readonly commit?: string
}

/**
 * Opens a whole age v1 file. age knows no sender: whose file it is, only its manifest says.
 *
 * Rejects with Fault "malformed": not an age file, or one cut short;
 *              Fault "refused": sealed for somebody else;
 *              Fault "tampered": a MAC, tag or commitment that does not hold. All definite, and none tells a secret.
 */
export async function openAge(
  file: Uint8Array,
  identity: Identity,
  options: OpenOptions = {},
): Promise<Uint8Array> {
  const header = parseHeader(file)
  if (header === null) throw cutShort()
  const fileKey = await unwrapFileKey(header, identity, options)
  try {
    return openPayload(file.subarray(header.bytes.length), fileKey)
  } finally {
    fileKey.fill(0)
  }
}

/**
 * Opens a stream; each chunk is released as soon as its own tag holds. Until the iteration ends without a throw, the
 * end may be missing. Throws as `openAge` rejects.
 */
export async function* openAgeStream(
  source: ByteSource,
  identity: Identity,
  options: OpenOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const pieces = readerOf(source)
  let fileKey: Uint8Array | undefined
  try {
    let head: Uint8Array = new Uint8Array(0)
    let header: Header | null = null
    while (header === null || head.length < header.bytes.length + PAYLOAD_NONCE_BYTES) {
      const { done, value } = await pieces.next()
      if (done) throw cutShort()
      // Seldom more than one piece: a header is some hundred bytes.
      head = head.length === 0 ? value : Buffer.concat([head, value])
      header = parseHeader(head)
    }
    fileKey = await unwrapFileKey(header, identity, options)
    const chunksAt = header.bytes.length + PAYLOAD_NONCE_BYTES
    const nonce = head.subarray(header.bytes.length, chunksAt)
    yield* openPayloadStream(rest(head.subarray(chunksAt), pieces), nonce, fileKey)
  } finally {
    fileKey?.fill(0)
    await pieces.return(undefined)
  }
}

async function unwrapFileKey(
  header: Header,
  identity: Identity,
  { commit }: OpenOptions,
): Promise<Uint8Array> {
  const fileKey = await identity.unwrap(header)
  if (fileKey === null) throw new Fault("refused", "this age file is sealed for another key")
  if (fileKey.length !== FILE_KEY_BYTES) throw new Fault("malformed", "an age file key has 16 bytes")
  verifyHeader(header, fileKey)
  if (commit !== undefined && commitOf(fileKey) !== commit)
    throw new Fault("tampered", "the file key is not the one that the manifest commits to")
  return fileKey
}

async function* readerOf(source: ByteSource): AsyncGenerator<Uint8Array, void, undefined> {
  yield* source
}

async function* rest(
  first: Uint8Array,
  pieces: AsyncGenerator<Uint8Array, void, undefined>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield first
  yield* pieces
}

function cutShort(): Fault {
  return new Fault("malformed", "not a whole age file: cut within its header")
}
