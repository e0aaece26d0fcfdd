import { Fault } from "../../../firmware/errors.ts"
import { parseSize } from "./checkpoint.ts"
import { HASH_BYTES } from "./merkle.ts"
import { fromBase64, NOTE_BYTES_MAX } from "./note.ts"

/**
 * A checkpoint on its way to somebody who may have an older one: what a witness is asked with, and what owners send
 * each other. As in c2sp.org/tlog-witness, add-checkpoint:
 *
 *   old <size of the older tree>
 *   <consistency proof from there, a hash in base64 a line>
 *
 *   <the note>
 *
 * The note alone is taken too: as from size 0, with no proof.
 */
export interface CheckpointMessage {
  readonly old: number
  readonly proof: readonly Uint8Array[]
  /** Not verified. */
  readonly note: Uint8Array
}

const PROOF_MAX = 63

export function encodeCheckpointMessage({ old, proof, note }: CheckpointMessage): Uint8Array {
  const lines = [`old ${old}`, ...proof.map((hash) => Buffer.from(hash).toString("base64"))]
  return Buffer.concat([Buffer.from(`${lines.join("\n")}\n\n`), note])
}

/** @throws Fault "malformed", definite. */
export function decodeCheckpointMessage(bytes: Uint8Array): CheckpointMessage {
  if (bytes.length > NOTE_BYTES_MAX * 2)
    throw new Fault("malformed", `checkpoint message: ${bytes.length} bytes`)
  const from = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (!from.subarray(0, 4).equals(Buffer.from("old "))) return { old: 0, proof: [], note: from }
  const end = from.indexOf("\n\n")
  const [first = "", ...lines] = from.toString("latin1", 0, Math.max(0, end)).split("\n")
  const old = parseSize(first.slice(4))
  if (end < 0 || old === null || lines.length > PROOF_MAX)
    throw new Fault("malformed", "checkpoint message: no old size, or too long a proof")
  const proof = lines.map((line) => {
    const hash = fromBase64(line)
    if (hash?.length !== HASH_BYTES)
      throw new Fault("malformed", "checkpoint message: a line that is no hash")
    return hash
  })
  return { old, proof, note: from.subarray(end + 2) }
}
