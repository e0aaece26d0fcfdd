import { bech32 } from "@scure/base"
import { Fault } from "../errors.ts"
import { postQuantumRecipient } from "./age-post-quantum.ts"
import { x25519Recipient } from "./age-x25519.ts"

/**
 * For whom a camera seals: one household key, X25519 (`age1…`) or post-quantum (`age1pq1…`). An object has one
 * recipient, so the two never meet in one header, and the number of stanzas says nothing.
 */
export interface Recipient {
  /** As it was parsed: `age1…` or `age1pq1…`. Public. */
  readonly text: string
  /**
   * A fresh random file key, and the age header that wraps it for this recipient alone. Never gives the same twice.
   * X25519 answers at once; post-quantum takes some milliseconds, and rejects with Fault "broken" only.
   */
  wrapNewFileKey(): WrappedFileKey | Promise<WrappedFileKey>
}

export interface WrappedFileKey {
  /** 16 bytes. The receiver wipes them after use. */
  readonly fileKey: Uint8Array
  readonly header: Uint8Array
}

/**
 * @throws Fault "malformed", definite: no such recipient, a checksum that fails, or a key of low order. The text is
 * not repeated in the message: it may be a secret key given by mistake.
 */
export function parseRecipient(text: string): Recipient {
  checkedRecipient(text)
  return knownRecipient(text)
}

/** A recipient that `parseRecipient` has taken before. Whoever seals for it still has it looked at. */
export function knownRecipient(text: string): Recipient {
  return new LateRecipient(text)
}

/** Holds the text alone until something is sealed: a parsed key weighs some kilobytes, and a quiet camera needs none. */
class LateRecipient implements Recipient {
  readonly text: string
  #parsed: Recipient | null = null

  constructor(text: string) {
    this.text = text
  }

  wrapNewFileKey(): WrappedFileKey | Promise<WrappedFileKey> {
    this.#parsed ??= checkedRecipient(this.text)
    return this.#parsed.wrapNewFileKey()
  }
}

function checkedRecipient(text: string): Recipient {
  if (/^age-secret-key-/i.test(text))
    throw new Fault("malformed", "that is a secret age key; a camera takes its public recipient (age1…)")
  const { prefix, bytes } = decode(text)
  switch (prefix) {
    case "age":
      return x25519Recipient(text, bytes)
    case "age1pq":
      return postQuantumRecipient(text, bytes)
    default:
      throw new Fault("malformed", "not an age recipient: it should begin with age1 or age1pq1")
  }
}

// Twice the longest recipient: there is nothing to learn from decoding more.
const TEXT_CHARACTERS_MAX = 4_000

function decode(text: string): { prefix: string; bytes: Uint8Array } {
  if (text.length > TEXT_CHARACTERS_MAX || text !== text.toLowerCase())
    throw new Fault(
      "malformed",
      "not an age recipient: it should be one lower-case line that begins with age1",
    )
  try {
    // age lifts bech32's limit of 90 characters.
    const { prefix, words } = bech32.decode(text as `${string}1${string}`, false)
    return { prefix, bytes: bech32.fromWords(words) }
  } catch {
    // No cause: the library's messages quote the text.
    throw new Fault("malformed", "not an age recipient: mistyped or cut short")
  }
}
