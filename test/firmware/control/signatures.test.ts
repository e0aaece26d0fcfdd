import { createPublicKey, generateKeyPairSync, sign as nodeSign, randomBytes } from "node:crypto"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import {
  kindOf,
  pae,
  SIGNED_KINDS,
  type SignedKind,
  sign,
  typeOf,
  verify,
} from "../../../firmware/control/dsse.ts"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { publicKeyOf, signingKeyOf, verifies } from "../../../firmware/control/keys.ts"
import { isFault } from "../../../firmware/errors.ts"
import { anyText } from "../../any-text.ts"

const anything = z.strictObject({ hello: z.string() })
const key = signingKeyOf(randomBytes(32))
const other = signingKeyOf(randomBytes(32))

describe("signatures", () => {
  test("of every kind against every verifier, the diagonal alone is accepted", () => {
    const accepted: [SignedKind, SignedKind][] = []
    for (const made of SIGNED_KINDS)
      for (const wanted of SIGNED_KINDS)
        try {
          verify(wanted, sign(made, { hello: "you" }, key), key, anything)
          accepted.push([made, wanted])
        } catch (error) {
          expect(isFault(error, "tampered")).toBe(true)
        }
    expect(accepted).toEqual(SIGNED_KINDS.map((kind) => [kind, kind]))
  })

  test("a kind that is only claimed, with the signature of another, does not hold", () => {
    const envelope = JSON.parse(Buffer.from(sign("heartbeat", { hello: "you" }, key)).toString())
    envelope.payloadType = typeOf("manifest")
    expect(() => verify("manifest", toJson(envelope), key, anything)).toThrow("signature does not hold")
  })

  test("by another key are refused, whoever the envelope says that it is from", () => {
    expect(() => verify("receipt", sign("receipt", { hello: "you" }, other), key, anything)).toThrow(
      "another key",
    )
    const envelope = JSON.parse(Buffer.from(sign("receipt", { hello: "you" }, other)).toString())
    envelope.signatures[0].keyid = key.id
    expect(() => verify("receipt", toJson(envelope), key, anything)).toThrow("signature does not hold")
  })

  test("are DSSE: node's own Ed25519 over the pre-authentication encoding agrees", () => {
    const payload = toJson({ hello: "you" })
    const envelope = JSON.parse(Buffer.from(sign("manifest", { hello: "you" }, key)).toString())
    expect(Buffer.from(pae("manifest", payload)).toString()).toBe(
      `DSSEv1 40 application/vnd.obscura.manifest.v1+json ${payload.length} {"hello":"you"}`,
    )
    expect(envelope.signatures[0].sig).toBe(
      nodeSign(null, pae("manifest", payload), key.secret).toString("base64"),
    )
  })

  test("one flipped bit anywhere is refused, never believed, never a crash", () => {
    const envelope = sign("manifest", { hello: "you" }, key)
    fc.assert(
      fc.property(fc.nat(envelope.length - 1), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const flipped = Uint8Array.from(envelope)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
        try {
          verify("manifest", flipped, key, anything)
          return false
        } catch (error) {
          return isFault(error, "malformed") || isFault(error, "tampered")
        }
      }),
    )
  })

  test("have one envelope each: another spelling of the same base64 is refused", () => {
    const envelope = JSON.parse(Buffer.from(sign("manifest", { hello: "you" }, key)).toString())
    // 64 bytes leave four unused bits in the digit before the padding.
    const { sig } = envelope.signatures[0]
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    envelope.signatures[0].sig = `${sig.slice(0, 85)}${digits[digits.indexOf(sig[85]) | 1]}==`
    expect(() => verify("manifest", toJson(envelope), key, anything)).toThrow("canonical base64")
  })

  test("garbage has no kind and is refused", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(kindOf(bytes)).toBeNull()
        expect(() => verify("manifest", bytes, key, anything)).toThrow()
      }),
    )
  })
})

describe("keys", () => {
  test("of small order are refused in every encoding, sign bit set or not", () => {
    const one = Buffer.alloc(32)
    one[0] = 1
    for (const hex of [
      "00".repeat(32),
      one.toString("hex"),
      "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
      "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
      `ec${"ff".repeat(30)}7f`,
      `ed${"ff".repeat(30)}7f`,
      `ee${"ff".repeat(30)}7f`,
    ]) {
      const raw = Buffer.from(hex, "hex")
      expect(() => publicKeyOf(raw)).toThrow("small order")
      raw[31] = (raw[31] ?? 0) | 0x80
      expect(() => publicKeyOf(raw)).toThrow("small order")
    }
  })

  test("read raw bytes exactly as node does", () => {
    const pair = generateKeyPairSync("ed25519")
    const raw = Buffer.from(String(pair.publicKey.export({ format: "jwk" }).x), "base64url")
    const message = randomBytes(40)
    expect(verifies(publicKeyOf(raw), message, nodeSign(null, message, pair.privateKey))).toBe(true)
    expect(publicKeyOf(raw).key.equals(createPublicKey(pair.privateKey))).toBe(true)
  })
})

describe("JSON", () => {
  const shape = z.strictObject({ a: z.int(), b: z.string().optional() })
  const read = (text: string) => fromJson(Buffer.from(text), shape, "thing", 100)

  test.each([
    ['{"a":1,"a":2}', "a doubled key"],
    ['{"a":1 }', "white space"],
    ['{"a":1.0}', "another spelling of a number"],
    ['{"a":9007199254740993}', "a number no double holds"],
    ['{"a":1e400}', "infinity"],
    ['{"a":1,"c":2}', "an unknown key"],
    ['{"a":"1"}', "another type"],
    ['\ufeff{"a":1}', "a byte order mark"],
    ['{"a":1,"b":"\\u0061"}', "an escape that need not be"],
    ["", "nothing"],
    ["null", "null"],
    [`{"a":1,"b":"${"x".repeat(100)}"}`, "more than it may be long"],
  ])("%s is refused: %s", (text) => {
    expect(() => read(text)).toThrow(/^thing: /)
  })

  test("broken UTF-8 is refused", () => {
    expect(() => fromJson(Buffer.from('{"a":1,"b":"\xff"}', "latin1"), shape, "thing", 100)).toThrow(
      "canonical",
    )
  })

  test("what we write, we read", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), anyText({ maxLength: 20 }), (a, b) => {
        const bytes = toJson({ a, b })
        expect(fromJson(bytes, shape, "thing", 1_000)).toEqual({ a, b })
      }),
    )
  })
})
