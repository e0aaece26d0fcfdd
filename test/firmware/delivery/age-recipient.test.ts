import { bech32 } from "@scure/base"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { Fault } from "../../../firmware/errors.ts"
import { newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"

// RFC 7748 §6.1 with cr.yp.to/ecdh.html, "Validate": every encoding of a point of low order.
const LOW_ORDER = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]

describe("a recipient", () => {
  test.each(["x25519", "post-quantum"] as const)("of a fresh %s household parses", async (kind) => {
    const { recipientText } = await newHouseholdIdentity(kind)
    expect(parseRecipient(recipientText).text).toBe(recipientText)
    expect(recipientText.startsWith("age1pq1")).toBe(kind === "post-quantum")
  })

  test.each(LOW_ORDER)("of low order (%s) is refused", (point) => {
    expectMalformed(() => parseRecipient(encoded("age", Buffer.from(point, "hex"))))
  })

  test.each(LOW_ORDER)("post-quantum, but with an X25519 half of low order (%s), is refused", (point) => {
    const key = Buffer.concat([Buffer.alloc(1_184), Buffer.from(point, "hex")])
    expectMalformed(() => parseRecipient(encoded("age1pq", key)))
  })

  test("with ML-KEM coefficients out of range is refused", () => {
    const key = Buffer.concat([Buffer.alloc(1_184), Buffer.from([9]), Buffer.alloc(31)])
    expect(parseRecipient(encoded("age1pq", key)).text).toMatch(/^age1pq1/)
    // 3329 = 0xd01, the prime, as the first or the last coefficient.
    expectMalformed(() => parseRecipient(encoded("age1pq", withBytes(key, 0, [0x01, 0x0d]))))
    expectMalformed(() => parseRecipient(encoded("age1pq", withBytes(key, 1_150, [0x10, 0xd0]))))
  })

  test.each([
    ["nothing", ""],
    ["an e-mail address", "someone@example.org"],
    ["an SSH key", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN"],
    ["a plugin's recipient", encoded("age1yubikey", new Uint8Array(33))],
    ["a tag recipient", encoded("age1tag", new Uint8Array(33))],
    ["one that is too short", encoded("age", new Uint8Array(31).fill(9))],
    ["one that is too long", encoded("age", new Uint8Array(33).fill(9))],
    ["X25519 bytes under the post-quantum prefix", encoded("age1pq", new Uint8Array(32).fill(9))],
    ["upper case", encoded("age", new Uint8Array(32).fill(9)).toUpperCase()],
    ["two lines", `${encoded("age", new Uint8Array(32).fill(9))}\n`],
    ["a very long text", `age1${"q".repeat(1_000_000)}`],
  ])("is not %s", (_, text) => {
    expectMalformed(() => parseRecipient(text))
  })

  test("mistyped anywhere is refused", async () => {
    const { recipientText } = await newHouseholdIdentity("x25519")
    fc.assert(
      fc.property(fc.nat(recipientText.length - 1), fc.constantFrom(..."qpzry9x8gf1b -"), (at, character) => {
        fc.pre(recipientText[at] !== character)
        expectMalformed(() =>
          parseRecipient(recipientText.slice(0, at) + character + recipientText.slice(at + 1)),
        )
      }),
    )
  })

  test("a secret key given by mistake is refused and not repeated", async () => {
    for (const kind of ["x25519", "post-quantum"] as const) {
      const { secretText } = await newHouseholdIdentity(kind)
      for (const text of [secretText, secretText.toLowerCase(), secretText.slice(0, -1)]) {
        const fault = expectMalformed(() => parseRecipient(text))
        expect(everythingSaid(fault)).not.toContain(text.slice(20))
      }
    }
  })
})

function encoded(prefix: string, bytes: Uint8Array): string {
  return bech32.encode(prefix, bech32.toWords(bytes), false)
}

function withBytes(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  const changed = Uint8Array.from(bytes)
  changed.set(values, at)
  return changed
}

function expectMalformed(act: () => unknown): Fault {
  try {
    act()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    expect(error).toMatchObject({ kind: "malformed", definite: true })
    expect(error.message).not.toContain("\n")
    return error
  }
  throw new Error("was accepted")
}

function everythingSaid(error: unknown): string {
  return error instanceof Error ? `${error.stack}${everythingSaid(error.cause)}` : String(error)
}
