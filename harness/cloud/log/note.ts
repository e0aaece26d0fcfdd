import {
  type PublicKey,
  publicKeyOf,
  type SigningKey,
  signWith,
  verifies,
} from "../../../firmware/control/keys.ts"
import { Fault } from "../../../firmware/errors.ts"
import type { Bytes } from "../../../firmware/units.ts"
import { sha256 } from "./merkle.ts"

/**
 * C2SP signed notes (c2sp.org/signed-note): a text that ends in a newline, an empty line, and a line per signature:
 *
 *   — <key name> base64(key id, 4 bytes · signature)
 *
 * Signatures of unknown keys are carried along and ignored; one of a known key that does not hold condemns the note.
 */
export interface Note {
  /** With its last newline. What is signed. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

export interface NoteSignature {
  readonly name: string
  /** 8 hex digits. */
  readonly keyId: string
  readonly signature: Uint8Array
}

/** Which algorithm a key signs with: part of its id, so one key may serve both. */
export const SIGNATURE_TYPE = { ed25519: 0x01, cosignature: 0x04 } as const
export type SignatureType = (typeof SIGNATURE_TYPE)[keyof typeof SIGNATURE_TYPE]

export interface NoteKey {
  readonly name: string
  readonly type: SignatureType
  readonly key: PublicKey
}

/** Room for more than the sixteen signatures that everybody must take, post-quantum ones too. */
export const NOTE_BYTES_MAX: Bytes = 128 * 1024
export const SIGNATURES_MAX = 32

const NAME = /^[^\s+]{1,200}$/u
const LINE = /^— (\S+) ([A-Za-z0-9+/]+={0,2})$/u
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/** @throws Fault "malformed", definite. Nothing is verified. */
export function parseNote(bytes: Uint8Array): Note {
  if (bytes.length > NOTE_BYTES_MAX)
    throw new Fault("malformed", `note: ${bytes.length} bytes, more than ${NOTE_BYTES_MAX}`)
  const whole = decodeUtf8(bytes)
  // Below U+0020, but for the newline.
  if (/[^\P{Cc}\n\u007f-\u009f]/u.test(whole)) throw new Fault("malformed", "note: a control character")
  const end = whole.lastIndexOf("\n\n")
  if (end < 0 || !whole.endsWith("\n"))
    throw new Fault("malformed", "note: no text, or no signatures after it")
  const lines = whole.slice(end + 2, -1).split("\n")
  if (lines.length > SIGNATURES_MAX)
    throw new Fault("malformed", `note: ${lines.length} signatures, more than ${SIGNATURES_MAX}`)
  return { text: whole.slice(0, end + 1), signatures: lines.map(signatureOf) }
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch (cause) {
    throw new Fault("malformed", "note: not UTF-8", { cause })
  }
}

function signatureOf(line: string): NoteSignature {
  const [, name, encoded] = LINE.exec(line) ?? []
  const bytes = encoded === undefined ? null : fromBase64(encoded)
  if (!name || !NAME.test(name) || !bytes || bytes.length < 5)
    throw new Fault("malformed", "note: a line that is no signature")
  return { name, keyId: bytes.toString("hex", 0, 4), signature: bytes.subarray(4) }
}

export function formatNote({ text, signatures }: Note): Uint8Array {
  const lines = signatures.map(({ name, keyId, signature }) => {
    const bytes = Buffer.concat([Buffer.from(keyId, "hex"), signature])
    return `— ${name} ${bytes.toString("base64")}\n`
  })
  return Buffer.from(`${text}\n${lines.join("")}`)
}

/** A signature by the algorithm of notes themselves, type 0x01. */
export function signNote(text: string, name: string, key: SigningKey): NoteSignature {
  const keyId = keyIdOf({ name, type: SIGNATURE_TYPE.ed25519, key })
  return { name, keyId, signature: signWith(key, Buffer.from(text)) }
}

/**
 * The signatures of `note` that `key` claims to have made, each of which must be verified by the caller's algorithm.
 * @throws Fault "tampered", definite: there is none.
 */
export function signaturesBy(note: Note, key: NoteKey): readonly NoteSignature[] {
  const keyId = keyIdOf(key)
  const ours = note.signatures.filter((each) => each.name === key.name && each.keyId === keyId)
  if (ours.length === 0)
    throw new Fault("tampered", `note: no signature by ${key.name} with the expected key`)
  return ours
}

/** @throws Fault "tampered", definite: not signed by `key`, of type 0x01, or a signature of its does not hold. */
export function verifyNote(note: Note, key: NoteKey): void {
  for (const { signature } of signaturesBy(note, key))
    if (!verifies(key.key, Buffer.from(note.text), signature))
      throw new Fault("tampered", `note: the signature by ${key.name} does not hold`)
}

/** SHA-256(name · newline · type · public key), the first four bytes in hex. */
export function keyIdOf({ name, type, key }: NoteKey): string {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([type]), Buffer.from(key.hex, "hex")])
  return sha256(bytes).toString("hex", 0, 4)
}

/** A key as a line of text: name+id+base64(type · public key). Nothing secret. */
export function verifierKey(key: NoteKey): string {
  const bytes = Buffer.concat([Buffer.from([key.type]), Buffer.from(key.key.hex, "hex")])
  return `${key.name}+${keyIdOf(key)}+${bytes.toString("base64")}`
}

/** @throws Fault "malformed", definite: no such text, or an id that is not this key's; "refused": of small order. */
export function parseVerifierKey(text: string): NoteKey {
  const [, name, keyId, encoded] =
    /^([^\s+]{1,200})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text) ?? []
  const bytes = encoded === undefined ? null : fromBase64(encoded)
  const type = Object.values(SIGNATURE_TYPE).find((each) => each === bytes?.[0])
  if (!name || !bytes || type === undefined)
    throw new Fault("malformed", "this is no verifier key: it looks like name+8 hex digits+base64")
  const key: NoteKey = { name, type, key: publicKeyOf(bytes.subarray(1)) }
  if (keyIdOf(key) !== keyId)
    throw new Fault("malformed", `verifier key of ${name}: the id is not this key's`)
  return key
}

/** May name a key, or a log. */
export function isKeyName(name: string): boolean {
  return NAME.test(name)
}

/** null: not base64, or not in its one spelling. */
export function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64")
  return bytes.toString("base64") === text ? bytes : null
}
