import { execFileSync } from "node:child_process"
import { createHash, hkdfSync, randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Decrypter } from "age-encryption"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type AgeFile, commitOf, sealAge, sealAgeStream } from "../../../firmware/delivery/age.ts"
import { encodeHeader } from "../../../firmware/delivery/age-header.ts"
import { PayloadSealer, payloadBytesOf } from "../../../firmware/delivery/age-payload.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { isFault } from "../../../firmware/errors.ts"
import {
  type HouseholdKey,
  type IdentityKind,
  newHouseholdIdentity,
} from "../../../harness/owner/age-identity.ts"
import { judge } from "../../support.ts"

// Around every edge of the 64 KiB chunks, and beyond the sizes of segments.
const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 1_000_000, 10_000_000]
const KINDS = ["x25519", "post-quantum"] as const

const keys = {} as Record<IdentityKind, HouseholdKey>
const folder = mkdtempSync(join(tmpdir(), "obscura-age-"))
const age = judge("age")

beforeAll(async () => {
  for (const kind of KINDS) keys[kind] = await newHouseholdIdentity(kind)
  writeFileSync(join(folder, "key"), keys.x25519.secretText)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe("judged by others", () => {
  test.skipIf(age === null).each(SIZES)("stock age opens %i bytes", async (size) => {
    const plain = randomBytes(size)
    const file = joined(await sealAge(plain, parseRecipient(keys.x25519.recipientText)))
    expect(openedByAge(file).equals(plain)).toBe(true)
  })

  test.skipIf(age === null)("stock age opens a stream that came in awkward pieces", async () => {
    const plain = randomBytes(300_000)
    const parts: Uint8Array[] = []
    for await (const part of sealAgeStream(awkwardPieces(plain), parseRecipient(keys.x25519.recipientText)))
      parts.push(part)
    expect(openedByAge(Buffer.concat(parts)).equals(plain)).toBe(true)
  })

  describe.each(KINDS)("%s", (kind) => {
    test.each(SIZES.filter((size) => size <= 1_000_000))("typage opens %i bytes", async (size) => {
      const plain = randomBytes(size)
      const decrypter = new Decrypter()
      decrypter.addIdentity(keys[kind].secretText)
      const file = joined(await sealAge(plain, parseRecipient(keys[kind].recipientText)))
      expect(plain.equals(await decrypter.decrypt(file))).toBe(true)
    })
  })
})

describe.each(KINDS)("a file sealed for a household's %s key", (kind) => {
  const seal = (plain: Uint8Array) => sealAge(plain, parseRecipient(keys[kind].recipientText))

  test("says of itself what a manifest will say of it", async () => {
    const plain = randomBytes(200_000)
    const file = await seal(plain)
    const payload = Buffer.concat(file.payload)
    expect(file.payloadBytes).toBe(payload.length)
    expect(file.payloadBytes).toBe(payloadBytesOf(plain.length))
    expect(file.payloadHash).toBe(createHash("sha256").update(payload).digest("hex"))
    expect(file.headerHash).toBe(createHash("sha256").update(file.header).digest("hex"))
    expect(Buffer.from(file.header).toString("latin1")).toMatch(
      /^age-encryption.org\/v1\n(.*\n)+--- .{43}\n$/,
    )
    const decrypter = new Decrypter()
    decrypter.addIdentity(keys[kind].secretText)
    expect(file.commit).toBe(commitOf(await decrypter.decryptHeader(file.header)))
  })

  test("has one stanza, of its own kind", async () => {
    const { header } = await seal(new Uint8Array(1))
    expect(
      Buffer.from(header)
        .toString("latin1")
        .match(/^-> \S+/gm),
    ).toEqual([kind === "x25519" ? "-> X25519" : "-> mlkem768x25519"])
  })

  test("shares nothing with the same film sealed again", async () => {
    const plain = randomBytes(100)
    const [one, other] = [await seal(plain), await seal(plain)]
    expect(one.headerHash).not.toBe(other.headerHash)
    expect(one.payloadHash).not.toBe(other.payloadHash)
    expect(one.commit).not.toBe(other.commit)
  })

  test("leaves the plaintext as it was, and holds none of it", async () => {
    const plain = randomBytes(70_000)
    const before = Buffer.from(plain)
    const file = joined(await seal(plain))
    expect(plain.equals(before)).toBe(true)
    for (let at = 0; at + 16 <= plain.length; at += 4_096)
      expect(file.includes(plain.subarray(at, at + 16))).toBe(false)
  })
})

test("a file key is wiped once it has sealed", async () => {
  const real = parseRecipient(keys.x25519.recipientText)
  const wrapped = await real.wrapNewFileKey()
  await sealAge(new Uint8Array(10), { ...real, wrapNewFileKey: () => wrapped })
  expect([...wrapped.fileKey]).toEqual(new Array(16).fill(0))
})

test("a commitment is the HKDF that the design note gives", () => {
  const fileKey = randomBytes(16)
  const expected = Buffer.from(hkdfSync("sha256", fileKey, "", "obscura commit v1", 32)).toString("hex")
  expect(commitOf(fileKey)).toBe(expected)
})

test("a stanza body that fills its last line is followed by an empty one", () => {
  const header = encodeHeader([{ args: ["x"], body: new Uint8Array(48) }], new Uint8Array(16)).toString()
  expect(header.split("\n").slice(1, 4)).toEqual(["-> x", "A".repeat(64), ""])
})

test("a chunk of the wrong size or after the last is a broken promise, not a file", () => {
  const sealer = () => new PayloadSealer(new Uint8Array(16))
  expect(faultOf(() => sealer().seal([new Uint8Array(65_535)], false))).toBe("broken")
  expect(faultOf(() => sealer().seal([new Uint8Array(65_536), new Uint8Array(1)], true))).toBe("broken")
  const ended = sealer()
  ended.seal([], true)
  expect(faultOf(() => ended.seal([], true))).toBe("broken")
})

function joined({ header, payload }: AgeFile): Buffer {
  return Buffer.concat([header, ...payload])
}

function openedByAge(file: Uint8Array): Buffer {
  return execFileSync("age", ["-d", "-i", join(folder, "key")], { input: file, maxBuffer: 2 ** 25 })
}

function* awkwardPieces(bytes: Uint8Array): Generator<Uint8Array> {
  const lengths = [1, 0, 65_535, 65_536, 65_537, 7, 30_000]
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1
    yield bytes.subarray(at, at + length)
    at += length
  }
}

function faultOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return isFault(error) && error.definite ? error.kind : String(error)
  }
}
