import { createHash } from "node:crypto"
import { inflateSync } from "node:zlib"
import { armor, Decrypter } from "age-encryption"
import * as vectors from "cctv-age"
import { describe, expect, test } from "vitest"
import { Fault } from "../../firmware/errors.ts"
import { identityFromText } from "../../harness/owner/age-identity.ts"
import { openAge, openAgeStream } from "../../harness/owner/open-age.ts"

/**
 * The C2SP test vectors of age. Those for an age identity go through our opener, whole and as a stream, and what the
 * stream released is held against the vector. Passphrases and armor are not ours: those go through typage, which
 * shows that our reading of the vectors is right.
 */
const KIND = {
  "no match": ["refused"],
  "HMAC failure": ["tampered"],
  "header failure": ["malformed"],
  "payload failure": ["tampered", "malformed"],
} as const

const all = Object.entries(vectors).map(([name, bytes]) => read(name, Buffer.from(bytes)))
const ours = all.filter(({ identity, passphrase, armored }) => identity && !passphrase && !armored)
const theirs = all.filter((vector) => !ours.includes(vector))

test("the vectors are all there", () => {
  expect(all.length).toBe(143)
  expect(
    ours.filter(({ identity }) => identity?.startsWith("AGE-SECRET-KEY-1")).length,
  ).toBeGreaterThanOrEqual(66)
  expect(
    ours.filter(({ identity }) => identity?.startsWith("AGE-SECRET-KEY-PQ-1")).length,
  ).toBeGreaterThanOrEqual(15)
})

describe("our opener", () => {
  test.each(ours)("$name: $expected", async ({ file, identity, expected, payloadHash }) => {
    const opener = identityFromText(identity ?? "")
    const whole = await settled(openAge(file, opener))
    const released = createHash("sha256")
    const streamed = await settled(
      (async () => {
        for await (const chunk of openAgeStream([file], opener)) released.update(chunk)
      })(),
    )
    if (payloadHash) expect(released.digest("hex")).toBe(payloadHash)
    if (expected === "success") {
      expect(
        createHash("sha256")
          .update(whole as Uint8Array)
          .digest("hex"),
      ).toBe(payloadHash)
      expect(streamed).toBeUndefined()
    } else
      for (const fault of [whole, streamed]) {
        expect(fault).toBeInstanceOf(Fault)
        expect(KIND[expected as keyof typeof KIND]).toContain((fault as Fault).kind)
        expect((fault as Fault).definite).toBe(true)
      }
  })
})

describe("typage", () => {
  test.each(theirs)(
    "$name: $expected",
    async ({ file, identity, passphrase, armored, expected, payloadHash }) => {
      const decrypter = new Decrypter()
      if (identity) decrypter.addIdentity(identity)
      if (passphrase) decrypter.addPassphrase(passphrase)
      const plain = await settled(
        (async () => decrypter.decrypt(armored ? armor.decode(file.toString("latin1")) : file))(),
      )
      if (expected === "success")
        expect(
          createHash("sha256")
            .update(plain as Uint8Array)
            .digest("hex"),
        ).toBe(payloadHash)
      else expect(plain).toBeInstanceOf(Error)
    },
  )
})

/** The header of lines `key: value`, an empty line, the file (C2SP/CCTV age, "Test file format"). */
function read(name: string, bytes: Buffer) {
  const end = bytes.indexOf("\n\n")
  const lines = bytes.toString("utf8", 0, end).split("\n")
  const value = (key: string) => lines.find((line) => line.startsWith(`${key}: `))?.slice(key.length + 2)
  const body = bytes.subarray(end + 2)
  return {
    name,
    expected: value("expect") ?? "",
    payloadHash: value("payload"),
    identity: value("identity"),
    passphrase: value("passphrase"),
    armored: value("armored") === "yes",
    file: value("compressed") === "zlib" ? inflateSync(body) : body,
  }
}

function settled(opening: Promise<unknown>): Promise<unknown> {
  return opening.catch((reason: unknown) => reason)
}
