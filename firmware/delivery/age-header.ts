import { createHmac } from "node:crypto"
import type { Bytes } from "../units.ts"
import { hkdf, NO_SALT } from "./age-hkdf.ts"

/**
 * The header of an age v1 file (C2SP age, "File format"):
 *
 *   age-encryption.org/v1 LF
 *   { -> type [argument…] LF                a stanza: the file key, wrapped for one recipient
 *     body in base64, 64 columns a line LF  the last line is shorter than 64, if need be empty
 *   }+
 *   --- SP mac LF                           base64 of HMAC(HKDF(file key, "header"), everything up to "---")
 *
 * All base64 here is the standard alphabet without padding.
 */
export interface Stanza {
  /** The type first. Each is one or more of the characters 0x21 to 0x7e. */
  readonly args: readonly string[]
  readonly body: Uint8Array
}

export const FILE_KEY_BYTES: Bytes = 16

const INTRO = "age-encryption.org/v1\n"
const COLUMNS = 64

/** The whole header, up to and including the line feed after the MAC. `fileKey` is what the stanzas wrap. */
export function encodeHeader(stanzas: readonly Stanza[], fileKey: Uint8Array): Buffer {
  const unsigned = `${INTRO}${stanzas.map(stanzaText).join("")}---`
  return Buffer.from(`${unsigned} ${base64(headerMac(fileKey, unsigned))}\n`, "latin1")
}

/** `unsigned` is the header up to and including the three dashes, without the space after them. */
export function headerMac(fileKey: Uint8Array, unsigned: string | Uint8Array): Buffer {
  return createHmac("sha256", hkdf(fileKey, NO_SALT, "header"))
    .update(unsigned)
    .digest()
}

export function base64(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64")
  const padding = text.indexOf("=")
  return padding < 0 ? text : text.slice(0, padding)
}

function stanzaText({ args, body }: Stanza): string {
  const text = base64(body)
  let lines = ""
  // A body that fills its last line is followed by an empty one, so that its end is always seen: hence <=.
  for (let at = 0; at <= text.length; at += COLUMNS) lines += `${text.slice(at, at + COLUMNS)}\n`
  return `-> ${args.join(" ")}\n${lines}`
}
