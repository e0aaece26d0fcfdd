import type { Random } from "../../../firmware/ports.ts"
import { pick } from "../../../simulator/random.ts"

type Change = (bytes: Buffer, others: readonly Buffer[], random: Random) => Buffer

const below = (random: Random, count: number): number => Math.floor(random.next() * Math.max(1, count))
const noise = (random: Random, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => below(random, 256)))

const EXTREMES = ["-1", "1e999", "9007199254740993", "null", '""', "[]", "{}", "true", '"\\u0000"', "-0"]

/** What a wire, an attacker or a bad disk does to a message. */
const CHANGES: readonly [Change, ...Change[]] = [
  // A bit, a byte.
  (bytes, _others, random) =>
    patched(bytes, below(random, bytes.length), [
      (bytes[below(random, bytes.length)] ?? 0) ^ (1 << below(random, 8)),
    ]),
  (bytes, _others, random) => patched(bytes, below(random, bytes.length), [below(random, 256)]),
  // Cut, repeated, continued.
  (bytes, _others, random) => bytes.subarray(0, below(random, bytes.length)),
  (bytes, _others, random) => bytes.subarray(0, below(random, 40)),
  (bytes, _others, random) => bytes.subarray(below(random, bytes.length)),
  (bytes) => Buffer.concat([bytes, bytes]),
  (bytes, _others, random) => Buffer.concat([bytes, noise(random, 1 + below(random, 40))]),
  (bytes, _others, random) => {
    const [from, to] = [below(random, bytes.length), below(random, bytes.length)]
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)])
  },
  // Too long, and much too long.
  (bytes, _others, random) =>
    Buffer.concat([bytes, Buffer.alloc(pick(random, [60_000, 65_001, 200_000]), 0x20)]),
  // Wrongly encoded: Latin-1, UTF-16, a byte order mark, white space, base64 spelt otherwise.
  (bytes, _others, random) => patched(bytes, below(random, bytes.length), [0xc3]),
  (bytes) => Buffer.from(bytes.toString("latin1"), "utf16le"),
  (bytes) => Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes]),
  (bytes, _others, random) =>
    replaced(bytes, pick(random, [",", ":", "{", "}"]), pick(random, [" ,", ": ", "{ ", "}\n"])),
  (bytes, _others, random) =>
    replaced(bytes, pick(random, ["=", "A", "Q", "w"]), pick(random, ["", "B", "R", "x"])),
  // A field twice, a field too many, a value out of range.
  (bytes) => replaced(bytes, "{", '{"payload":"",'),
  (bytes, _others, random) =>
    replaced(
      bytes,
      pick(random, ['"payload":', '"sig":', '"keyid":', ":"]),
      `:${pick(random, ["-1", ...EXTREMES])},"x":`,
    ),
  (bytes, _others, random) => inPayload(bytes, random),
  // Parts of other messages: a foreign payload, signature, key id or type; a foreign message whole.
  (bytes, others, random) => spliced(bytes, others, random, "payload"),
  (bytes, others, random) => spliced(bytes, others, random, "signatures"),
  (bytes, others, random) => spliced(bytes, others, random, "payloadType"),
  (_bytes, others, random) => others[below(random, others.length)] ?? Buffer.alloc(0),
  // Nothing that anybody has sent.
  (_bytes, _others, random) => noise(random, below(random, 300)),
  () => Buffer.alloc(0),
  (_bytes, _others, random) => Buffer.from("[".repeat(1 + below(random, 5_000))),
]

/** `sample` with one to three things changed in it. */
export function changed(sample: Buffer, others: readonly Buffer[], random: Random): Buffer {
  let bytes = sample
  for (let left = 1 + below(random, 3); left > 0; left--) bytes = pick(random, CHANGES)(bytes, others, random)
  return bytes
}

function patched(bytes: Buffer, at: number, by: readonly number[]): Buffer {
  const bent = Buffer.from(bytes)
  bent.set(by.slice(0, Math.max(0, bent.length - at)), Math.min(at, bent.length))
  return bent
}

function replaced(bytes: Buffer, from: string, to: string): Buffer {
  return Buffer.from(
    bytes.toString("latin1").replace(from, () => to),
    "latin1",
  )
}

/** A value within what an envelope signs, under the signature as it was. */
function inPayload(bytes: Buffer, random: Random): Buffer {
  const envelope = envelopeOf(bytes)
  if (envelope === null) return bytes
  const body = Buffer.from(String(envelope.payload), "base64").toString()
  const bent = body.replace(/:(?:"[^"]*"|-?\d+)/, () => `:${pick(random, ["0", ...EXTREMES])}`)
  return Buffer.from(JSON.stringify({ ...envelope, payload: Buffer.from(bent).toString("base64") }))
}

function spliced(bytes: Buffer, others: readonly Buffer[], random: Random, field: string): Buffer {
  const [mine, theirs] = [envelopeOf(bytes), envelopeOf(others[below(random, others.length)] ?? bytes)]
  if (mine === null || theirs === null) return bytes
  return Buffer.from(JSON.stringify({ ...mine, [field]: theirs[field] }))
}

function envelopeOf(bytes: Buffer): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : null
  } catch {
    return null // No envelope: there is nothing in it to change.
  }
}
