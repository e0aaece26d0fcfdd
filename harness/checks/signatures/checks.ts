import { randomBytes } from "node:crypto"
import { z } from "zod"
import { SIGNED_KINDS, sign, typeOf, verify, verifySelfSigned } from "../../../firmware/control/dsse.ts"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { publicKeyOf, signingKeyOf } from "../../../firmware/control/keys.ts"
import { isFault } from "../../../firmware/errors.ts"
import { type Run, Tries } from "../check.ts"

const anything = z.strictObject({ hello: z.string() })
const BODY = { hello: "you" }

export const checks = {
  "kinds-apart": async () => {
    const tries = new Tries()
    const key = signingKeyOf(randomBytes(32))
    for (const made of SIGNED_KINDS)
      for (const wanted of SIGNED_KINDS) {
        const envelope = sign(made, BODY, key)
        const renamed = { ...open(envelope), payloadType: typeOf(wanted) }
        const verifiers = [
          () => verify(wanted, envelope, key, anything),
          () => verifySelfSigned(wanted, envelope, anything, () => key),
          () => verify(wanted, toJson(renamed), key, anything),
        ]
        for (const verifier of verifiers)
          tries.is(outcome(verifier) === "taken", made === wanted, `${made} where ${wanted} is wanted, taken`)
      }
    return tries
  },

  "signature-holds": async () => {
    const tries = new Tries()
    const [key, other] = [signingKeyOf(randomBytes(32)), signingKeyOf(randomBytes(32))]
    for (const kind of SIGNED_KINDS) {
      const foreign = open(sign(kind, BODY, other))
      const borrowed = { ...foreign, signatures: [{ ...foreign.signatures[0], keyid: key.id }] }
      const bent = [0, 1, 2].map(() => flipped(sign(kind, BODY, key)))
      for (const envelope of [sign(kind, BODY, other), toJson(borrowed), ...bent])
        tries.holds(
          outcome(() => verify(kind, envelope, key, anything)) !== "taken",
          `a foreign ${kind} taken`,
        )
    }
    return tries
  },

  "one-spelling": async () => {
    const tries = new Tries()
    const shape = z.strictObject({ a: z.int(), b: z.string().optional() })
    for (const text of SPELT_OTHERWISE) {
      const bytes = Buffer.from(text)
      tries.holds(outcome(() => fromJson(bytes, shape, "thing", 100)) === "malformed", `taken: ${text}`)
    }
    const key = signingKeyOf(randomBytes(32))
    for (const kind of SIGNED_KINDS) {
      const said = outcome(() => verify(kind, respelt(sign(kind, BODY, key)), key, anything))
      tries.is(said, "malformed", `a ${kind} with its signature spelt otherwise`)
      const { payloadType, ...rest } = open(sign(kind, BODY, key))
      const reordered = toJson({ ...rest, payloadType })
      const again = outcome(() => verify(kind, reordered, key, anything))
      tries.is(again, "malformed", `a ${kind} with its fields in another order`)
    }
    return tries
  },

  "verified-first": async () => {
    const tries = new Tries()
    const [key, other] = [signingKeyOf(randomBytes(32)), signingKeyOf(randomBytes(32))]
    for (const kind of SIGNED_KINDS) {
      const foreign = sign(kind, { something: "else" }, other)
      tries.is(
        outcome(() => verify(kind, foreign, key, anything)),
        "tampered",
        `${kind}, foreign and misshapen`,
      )
    }
    return tries
  },

  "small-order": async () => {
    const tries = new Tries()
    for (const hex of SMALL_ORDER)
      for (const sign of [0, 0x80]) {
        const raw = Buffer.from(hex, "hex")
        raw[31] = (raw[31] ?? 0) | sign
        tries.is(
          outcome(() => publicKeyOf(raw)),
          "refused",
          `a point of small order, ${hex.slice(0, 4)}…`,
        )
      }
    return tries
  },
} satisfies Readonly<Record<string, Run>>

/** RFC 8032 §5.1.7; "Taming the many EdDSAs", table 2. */
const SMALL_ORDER = [
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
]

const SPELT_OTHERWISE = [
  '{"a":1,"a":2}',
  '{"a":1 }',
  '{"a":1.0}',
  '{"a":9007199254740993}',
  '{"a":1,"b":"\\u0061"}',
  '\ufeff{"a":1}',
]

interface Envelope {
  readonly payloadType: string
  readonly signatures: readonly { readonly keyid: string; readonly sig: string }[]
}

function open(envelope: Uint8Array): Envelope {
  return JSON.parse(Buffer.from(envelope).toString())
}

/** Any bit: of the payload, of the signature, of the punctuation. */
function flipped(envelope: Uint8Array): Uint8Array {
  const bent = Uint8Array.from(envelope)
  const at = randomBytes(4).readUInt32BE() % bent.length
  bent[at] = (bent[at] ?? 0) ^ (1 << (randomBytes(1).readUInt8() % 8))
  return bent
}

/** The same bytes in base64 with the unused bits of the last digit set: 64 bytes leave four. */
function respelt(envelope: Uint8Array): Uint8Array {
  const opened = open(envelope)
  const { keyid = "", sig = "" } = opened.signatures[0] ?? {}
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  const last = digits[digits.indexOf(sig[85] ?? "") | 1] ?? ""
  return toJson({ ...opened, signatures: [{ keyid, sig: `${sig.slice(0, 85)}${last}==` }] })
}

function outcome(verifier: () => unknown): string {
  try {
    verifier()
    return "taken"
  } catch (error) {
    if (isFault(error)) return error.kind
    throw error
  }
}
