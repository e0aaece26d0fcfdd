import { timingSafeEqual } from "node:crypto"
import { base64, headerMac, type Stanza } from "../../firmware/delivery/age-header.ts"
import { Fault } from "../../firmware/errors.ts"
import { type Bytes, KiB } from "../../firmware/units.ts"

/** An age v1 header, read strictly (C2SP age, "ABNF definition of file format"); the shape is in firmware's half. */
export interface Header {
  readonly stanzas: readonly Stanza[]
  /** The header as it came, a view. */
  readonly bytes: Uint8Array
  /** What the MAC is over: up to and including the three dashes. */
  readonly unsigned: Uint8Array
  readonly mac: Uint8Array
}

/** The most an opener holds before it has seen a header's end; the manifest's bound as well. */
const HEADER_BYTES_MAX: Bytes = 16 * KiB

/**
 * Reads the header at the start of `bytes`; null where its end has not come yet.
 * @throws Fault "malformed", definite: no age v1 header, or none within HEADER_BYTES_MAX.
 */
export function parseHeader(bytes: Uint8Array): Header | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEADER_BYTES_MAX))
  // A stanza's lines begin with an arrow or are base64, so nothing but the last line begins with dashes.
  const dashes = view.indexOf("\n---")
  const end = dashes < 0 ? -1 : view.indexOf("\n", dashes + 1)
  if (end < 0) {
    if (bytes.length < HEADER_BYTES_MAX && INTRO.startsWith(view.toString("latin1", 0, INTRO.length)))
      return null
    throw malformed("no end in sight")
  }
  const lines = view.toString("latin1", 0, end).split("\n")
  const mac = MAC_LINE.exec(lines.pop() ?? "")?.[1]
  if (mac === undefined) throw malformed("its last line is no MAC")
  return {
    stanzas: parseStanzas(lines),
    bytes: bytes.subarray(0, end + 1),
    unsigned: bytes.subarray(0, dashes + "\n---".length),
    mac: decodeBase64(mac),
  }
}

/** @throws Fault "tampered", definite: the header was not made by someone who had the file key. */
export function verifyHeader({ unsigned, mac }: Header, fileKey: Uint8Array): void {
  if (!timingSafeEqual(headerMac(fileKey, unsigned), mac))
    throw new Fault("tampered", "the age header's MAC does not hold")
}

/** Canonical base64 without padding. @throws Fault "malformed", definite. */
export function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, "base64")
  // node skips what it does not know; only what encodes back to the same text was read whole.
  if (base64(bytes) !== text) throw malformed("not canonical base64")
  return bytes
}

const INTRO = "age-encryption.org/v1\n"
const ARROW_LINE = /^->((?: [\x21-\x7e]+)+)$/
const MAC_LINE = /^--- ([A-Za-z0-9+/]{43})$/
const COLUMNS = 64

function parseStanzas(lines: readonly string[]): Stanza[] {
  if (`${lines[0]}\n` !== INTRO) throw malformed("not version 1")
  const stanzas: Stanza[] = []
  for (let at = 1; at < lines.length; ) {
    const args = ARROW_LINE.exec(lines[at++] ?? "")?.[1]
    if (args === undefined) throw malformed("a stanza without its arrow")
    let body = ""
    for (let full = true; full; ) {
      const line = lines[at++]
      if (line === undefined || line.length > COLUMNS) throw malformed("a stanza of the wrong width")
      full = line.length === COLUMNS
      body += line
    }
    stanzas.push({ args: args.slice(1).split(" "), body: decodeBase64(body) })
  }
  if (stanzas.length === 0) throw malformed("no stanza")
  // C2SP age, "The scrypt recipient type": alone in its header.
  if (stanzas.length > 1 && stanzas.some(({ args }) => args[0] === "scrypt"))
    throw malformed("a passphrase beside other recipients")
  return stanzas
}

function malformed(why: string): Fault {
  return new Fault("malformed", `not a readable age header: ${why}`)
}
