import { type FileHandle, open, readFile, rm, stat } from "node:fs/promises"
import { identityToRecipient } from "age-encryption"
import { sealAgeStream } from "../../firmware/delivery/age.ts"
import { parseRecipient, type Recipient } from "../../firmware/delivery/recipient.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { type Identity, identityFromText } from "../owner/age-identity.ts"
import { openAge } from "../owner/open-age.ts"
import type { Trace } from "./trace.ts"
import { decodeTrace, TRACE_BYTES_MAX, traceParts } from "./trace-bytes.ts"

/**
 * A trace on disk: one age file for the engineer's own key, mode 0600. It is plain in memory alone; `age -d -i KEY` opens
 * it as well.
 */
export class TraceFile {
  readonly #path: string
  readonly #file: FileHandle
  readonly #recipient: Recipient
  #written = false

  private constructor(path: string, file: FileHandle, recipient: Recipient) {
    this.#path = path
    this.#file = file
    this.#recipient = recipient
  }

  /** Makes the file, empty, before anybody walks by for it. @throws Fault "usage", definite: it is there, or cannot be. */
  static async create(path: string, recipient: Recipient): Promise<TraceFile> {
    try {
      return new TraceFile(path, await open(path, "wx", 0o600), recipient)
    } catch (cause) {
      throw new Fault("usage", `${path}: cannot be made (${messageOf(cause)}); choose a new file as --out`, {
        cause,
      })
    }
  }

  /** Seals `trace` into it. @throws Fault "full", definite: it does not fit, or the disk fails. */
  async write(trace: Trace): Promise<void> {
    try {
      for await (const part of sealAgeStream(traceParts(trace), this.#recipient))
        await this.#file.appendFile(part)
      this.#written = true
    } catch (cause) {
      throw new Fault("full", `${this.#path}: cannot be written (${messageOf(cause)})`, { cause })
    }
  }

  /** Nothing half-written is left. */
  async close(): Promise<void> {
    await this.#file.close()
    if (!this.#written) await rm(this.#path, { force: true })
  }
}

/**
 * @throws Fault "usage", definite: cannot be read, or is sealed for another key; "malformed": damaged, cut short or no
 * trace; "unsupported": another version's.
 */
export async function readTraceFile(path: string, identity: Identity): Promise<Trace> {
  const sealed = await readBytes(path, TRACE_BYTES_MAX)
  try {
    return decodeTrace(await opened(sealed, identity))
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault(cause.kind, `${path}: ${cause.message}`, { cause })
  }
}

async function opened(sealed: Uint8Array, identity: Identity): Promise<Uint8Array> {
  try {
    return await openAge(sealed, identity)
  } catch (cause) {
    if (isFault(cause, "refused"))
      throw new Fault("usage", "it is sealed for another key than that of --key", { cause })
    if (isFault(cause, "tampered"))
      throw new Fault("malformed", `it is damaged or cut short (${cause.message})`, { cause })
    if (isFault(cause, "malformed")) throw new Fault("malformed", `no trace (${cause.message})`, { cause })
    throw cause
  }
}

export interface EngineerKey {
  readonly identity: Identity
  readonly recipient: Recipient
}

/** What `age-keygen` writes: comments, and a secret key. @throws Fault "usage", definite; no text of it is repeated. */
export async function readKeyFile(path: string): Promise<EngineerKey> {
  const lines = Buffer.from(await readBytes(path, KEY_FILE_BYTES_MAX))
    .toString("utf8")
    .split("\n")
  const keys = lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"))
  const [text] = keys
  if (text === undefined || keys.length > 1)
    throw new Fault("usage", `${path}: has ${keys.length} keys; age-keygen -o makes a file with one`)
  try {
    const identity = identityFromText(text)
    return { identity, recipient: parseRecipient(await identityToRecipient(text)) }
  } catch (cause) {
    throw new Fault("usage", `${path}: ${messageOf(cause)}; age-keygen -o makes a key file`, { cause })
  }
}

const KEY_FILE_BYTES_MAX = 10_000

async function readBytes(path: string, bytesMax: number): Promise<Uint8Array> {
  try {
    const { size } = await stat(path)
    if (size > bytesMax) throw new Error(`${size} bytes, more than ${bytesMax}`)
    return await readFile(path)
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be read (${messageOf(cause)})`, { cause })
  }
}
