import type { PublicKey, SigningKey } from "../../../firmware/control/keys.ts"
import { Fault } from "../../../firmware/errors.ts"
import { EMPTY_ROOT, equal, HASH_BYTES, type TreeHead } from "./merkle.ts"
import {
  formatNote,
  fromBase64,
  isKeyName,
  type Note,
  parseNote,
  SIGNATURE_TYPE,
  signNote,
  verifyNote,
} from "./note.ts"

/**
 * What a log signs (c2sp.org/tlog-checkpoint): a note whose text is the log's name, the number of its leaves, and the
 * root over them in base64, a line each. Lines after these are carried along and mean nothing.
 */
export interface Checkpoint extends TreeHead {
  readonly origin: string
}

/** A checkpoint whose signature was verified. */
export interface SignedCheckpoint extends Checkpoint {
  readonly note: Note
}

/** Far above what any log here can hold, and far below where numbers lose their last digit. */
export const TREE_SIZE_MAX = 2 ** 48

/** Which log: by what name it signs, and with which key. */
export interface LogIdentity {
  readonly origin: string
  readonly key: PublicKey
}

/** The name under which a cloud signs its access log. @throws Fault "usage", definite: no name for a key. */
export function originOf(cloud: string): string {
  const origin = `${cloud}/access-log`
  if (isKeyName(origin)) return origin
  throw new Fault("usage", `cloud name: no spaces or plus signs, for it names the key of the access log too`)
}

export function checkpointText({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`
}

export function signCheckpoint(checkpoint: Checkpoint, key: SigningKey): Uint8Array {
  const text = checkpointText(checkpoint)
  return formatNote({ text, signatures: [signNote(text, checkpoint.origin, key)] })
}

/**
 * Verifies, then parses: nothing of the text is believed before the log's signature holds.
 * @throws Fault "malformed": no such note; "tampered": not signed by this log. Both definite.
 */
export function openCheckpoint(bytes: Uint8Array, { origin, key }: LogIdentity): SignedCheckpoint {
  const note = parseNote(bytes)
  verifyNote(note, { name: origin, type: SIGNATURE_TYPE.ed25519, key })
  const checkpoint = parseCheckpoint(note.text)
  if (checkpoint.origin !== origin) throw new Fault("tampered", "checkpoint: of another log")
  return { ...checkpoint, note }
}

/** @throws Fault "malformed", definite. */
export function parseCheckpoint(text: string): Checkpoint {
  const [origin, digits, encoded, ...more] = text.split("\n")
  const last = more.pop()
  if (!origin || digits === undefined || encoded === undefined || last !== "" || more.includes(""))
    throw new Fault("malformed", "checkpoint: not a name, a size and a root, a line each")
  const size = parseSize(digits)
  const root = fromBase64(encoded)
  if (size === null) throw new Fault("malformed", "checkpoint: no tree size")
  if (root?.length !== HASH_BYTES) throw new Fault("malformed", "checkpoint: no root hash")
  if (size === 0 && !equal(root, EMPTY_ROOT))
    throw new Fault("malformed", "checkpoint: an empty tree has another root")
  return { origin, size, root }
}

/** null: not a decimal number without leading zeros, or beyond TREE_SIZE_MAX. */
export function parseSize(digits: string): number | null {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(digits)) return null
  const size = Number(digits)
  return size <= TREE_SIZE_MAX ? size : null
}
