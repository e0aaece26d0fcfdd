import type { core, ZodType } from "zod"
import { Fault } from "../errors.ts"
import type { Bytes } from "../units.ts"

/**
 * JSON with one spelling: exactly what `JSON.stringify` writes. So duplicate keys, odd numbers, white space, broken
 * UTF-8 and lone surrogates are all one refusal, and two parsers cannot read one text in two ways.
 */

const FLAW_CHARACTERS_MAX = 200

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

export function toJson(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value), "utf8")
}

/**
 * @throws Fault "malformed": longer than `bytesMax`, not canonical JSON, or not of `shape`.
 * `what` names the thing in the message.
 */
export function fromJson<T>(bytes: Uint8Array, shape: ZodType<T>, what: string, bytesMax: Bytes): T {
  if (bytes.length > bytesMax)
    throw new Fault("malformed", `${what}: ${bytes.length} bytes, more than ${bytesMax}`)
  let value: unknown
  try {
    const text = utf8.decode(bytes)
    value = JSON.parse(text)
    if (JSON.stringify(value) !== text) throw new Fault("malformed", `${what}: not canonical JSON`)
  } catch (cause) {
    throw new Fault("malformed", `${what}: not canonical JSON`, { cause })
  }
  const result = shape.safeParse(value)
  if (result.success) return result.data
  throw new Fault("malformed", `${what}: ${flawOf(result.error.issues[0])}`)
}

/** Where and what is wrong, in our own words alone: whoever made the bytes may have put anything into their names. */
function flawOf(issue: core.$ZodIssue | undefined): string {
  const where = issue?.path.join(".") || "value"
  if (issue?.code === "unrecognized_keys") return `${where}: has unknown fields`
  return `${where}: ${issue?.message ?? "wrong shape"}`.slice(0, FLAW_CHARACTERS_MAX)
}
