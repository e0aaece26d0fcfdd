import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Encrypter } from "age-encryption"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { sealAge } from "../../firmware/delivery/age.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import { Fault } from "../../firmware/errors.ts"
import {
  type HouseholdKey,
  type Identity,
  type IdentityKind,
  identityFromText,
  newHouseholdIdentity,
} from "../../harness/owner/age-identity.ts"
import { openAge, openAgeStream } from "../../harness/owner/open-age.ts"
import { judge } from "../support.ts"

const SIZES = [0, 1, 65_535, 65_536, 65_537, 131_072, 131_073, 1_000_000, 10_000_000]
const KINDS = ["x25519", "post-quantum"] as const

const keys = {} as Record<IdentityKind, HouseholdKey>
const folder = mkdtempSync(join(tmpdir(), "obscura-open-"))
const age = judge("age")

beforeAll(async () => {
  for (const kind of KINDS) keys[kind] = await newHouseholdIdentity(kind)
})
afterAll(() => rmSync(folder, { recursive: true }))

describe("made by others", () => {
  test.skipIf(age === null).each(SIZES)("a file of %i bytes from stock age opens", async (size) => {
    const plain = randomBytes(size)
    const file = execFileSync("age", ["-r", keys.x25519.recipientText], { input: plain, maxBuffer: 2 ** 25 })
    await expectOpens(file, identityFromText(keys.x25519.secretText), plain)
  })

  test.skipIf(age === null)("a file from stock age for several recipients opens", async () => {
    const others = await Promise.all([newHouseholdIdentity("x25519"), newHouseholdIdentity("x25519")])
    const recipients = [...others, keys.x25519].flatMap(({ recipientText }) => ["-r", recipientText])
    const file = execFileSync("age", recipients, { input: "film" })
    await expectOpens(file, identityFromText(keys.x25519.secretText), Buffer.from("film"))
  })

  describe.each(KINDS)("%s", (kind) => {
    test.each(SIZES.filter((size) => size <= 1_000_000))(
      "a file of %i bytes from typage opens",
      async (size) => {
        const plain = randomBytes(size)
        const encrypter = new Encrypter()
        encrypter.addRecipient(keys[kind].recipientText)
        await expectOpens(await encrypter.encrypt(plain), identityFromText(keys[kind].secretText), plain)
      },
    )
  })

  test.skipIf(age === null)("a key from age-keygen reads, and age reads ours", () => {
    const theirs = /AGE-SECRET-KEY-1\S+/.exec(execFileSync("age-keygen", { encoding: "utf8", stdio: "pipe" }))
    expect(identityFromText(theirs?.[0] ?? "").kind).toBe("x25519")
    writeFileSync(join(folder, "key"), keys.x25519.secretText)
    const recipient = execFileSync("age-keygen", ["-y", join(folder, "key")], { encoding: "utf8" })
    expect(recipient.trim()).toBe(keys.x25519.recipientText)
  })
})

describe.each(KINDS)("with a %s key", (kind) => {
  const identity = () => identityFromText(keys[kind].secretText)

  test("the manifest's commitment is checked", async () => {
    const { file, commit } = await sealed(kind, Buffer.from("film"))
    await expectOpens(file, identity(), Buffer.from("film"), commit)
    const wrong = commit.replace(/^./, (digit) => (digit === "0" ? "1" : "0"))
    await expectFault(openAge(file, identity(), { commit: wrong }), "tampered")
  })

  test("another household's file is refused", async () => {
    const { file } = await sealed(kind, Buffer.from("film"))
    for (const other of KINDS) {
      const stranger = identityFromText((await newHouseholdIdentity(other)).secretText)
      await expectFault(openAge(file, stranger), "refused")
      await expectFault(drained(openAgeStream([file], stranger)).end, "refused")
    }
  })

  test("no cut opens, and a stream releases only what was in the film", async () => {
    const plain = randomBytes(140_000)
    const { file, headerBytes } = await sealed(kind, plain)
    const edges = [0, 1, headerBytes - 1, headerBytes, headerBytes + 15, headerBytes + 16, headerBytes + 31]
    const chunkEnds = [1, 2].map((n) => headerBytes + 16 + n * 65_552)
    for (const at of [
      ...edges,
      ...chunkEnds,
      ...chunkEnds.flatMap((end) => [end + 1, end + 15, end + 16]),
      file.length - 1,
    ]) {
      await expectFault(openAge(file.subarray(0, at), identity()))
      const { parts, end } = drained(openAgeStream([file.subarray(0, at)], identity()))
      await expectFault(end)
      const released = Buffer.concat(parts)
      expect(released.equals(plain.subarray(0, released.length))).toBe(true)
    }
  })

  test("nothing may follow the last chunk", async () => {
    for (const size of [0, 10, 65_536]) {
      const { file } = await sealed(kind, randomBytes(size))
      for (const more of [1, 16, 17, 65_552])
        await expectFault(openAge(Buffer.concat([file, randomBytes(more)]), identity()))
    }
  })

  test("a flipped bit anywhere is a fault, never a crash and never another film", async () => {
    const { file, headerBytes } = await sealed(kind, randomBytes(3_000))
    // Half of them in the header, where there is more to parse.
    const position = fc.oneof(fc.nat(headerBytes - 1), fc.nat(file.length - 1))
    await fc.assert(
      fc.asyncProperty(position, fc.nat(7), async (at, bit) => {
        const flipped = Buffer.from(file)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
        await expectFault(openAge(flipped, identity()))
        await expectFault(drained(openAgeStream([flipped], identity())).end)
      }),
      { numRuns: kind === "x25519" ? 300 : 40 },
    )
  })

  test("bytes put in, taken out or repeated in the header are a fault", async () => {
    const { file, headerBytes } = await sealed(kind, randomBytes(100))
    const at = fc.nat(headerBytes - 1)
    const inserted = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 70 }),
      fc.constantFrom("\n", "-", " ", "="),
    )
    await fc.assert(
      fc.asyncProperty(at, fc.nat(70), inserted, async (from, removed, put) => {
        const head = file.subarray(0, from)
        const damaged = Buffer.concat([head, Buffer.from(put), file.subarray(from + removed)])
        fc.pre(!damaged.equals(file))
        await expectFault(openAge(damaged, identity()))
      }),
      { numRuns: kind === "x25519" ? 300 : 40 },
    )
  })
})

test("any bytes are a fault at once, also a header that never ends", async () => {
  const identity = identityFromText(keys.x25519.secretText)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), (bytes) => expectFault(openAge(bytes, identity))),
  )
  const endless = `age-encryption.org/v1\n${"-> x\n\n".repeat(100_000)}`
  await expectFault(openAge(Buffer.from(endless), identity), "malformed")
  let read = 0
  function* pieces() {
    for (;;) {
      read += 1_000
      yield Buffer.from("-> x\n\n".repeat(1_000))
    }
  }
  await expectFault(drained(openAgeStream(pieces(), identity)).end, "malformed")
  expect(read).toBeLessThan(20_000)
})

test("a stream opens however it is cut, and its source is closed when the reader leaves", async () => {
  const plain = randomBytes(200_000)
  const { file } = await sealed("x25519", plain)
  const identity = identityFromText(keys.x25519.secretText)
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 70_000 }), async (length) => {
      const { parts, end } = drained(openAgeStream(piecesOf(file, Math.max(length, 40)), identity))
      await end
      expect(Buffer.concat(parts).equals(plain)).toBe(true)
    }),
    { numRuns: 20 },
  )
  let closed = false
  async function* source() {
    try {
      yield* piecesOf(file, 70_000)
    } finally {
      closed = true
    }
  }
  for await (const chunk of openAgeStream(source(), identity)) {
    expect(chunk.length).toBe(65_536)
    break
  }
  expect(closed).toBe(true)
})

test("a text that is no identity is refused and not repeated", () => {
  const { secretText } = keys.x25519
  const secret = secretText.slice(20, 50)
  for (const text of [
    "",
    "age",
    secretText.toLowerCase(),
    `${secretText.slice(0, -1)}B`,
    secretText.slice(1),
    `${secretText}Q`,
  ]) {
    try {
      identityFromText(text)
    } catch (error) {
      expect(error).toMatchObject({ kind: "malformed", definite: true })
      expect(everythingSaid(error).toUpperCase()).not.toContain(secret)
      continue
    }
    throw new Error(`"${text.slice(0, 10)}" was accepted`)
  }
})

test("an identity never shows its secret", () => {
  const identity = identityFromText(keys.x25519.secretText)
  expect(JSON.stringify(identity)).toBe('{"kind":"x25519"}')
})

async function sealed(kind: IdentityKind, plain: Uint8Array) {
  const { header, payload, commit } = await sealAge(plain, parseRecipient(keys[kind].recipientText))
  return { file: Buffer.concat([header, ...payload]), headerBytes: header.length, commit }
}

/** Whole and as a stream. */
async function expectOpens(file: Uint8Array, identity: Identity, plain: Uint8Array, commit?: string) {
  const options = commit === undefined ? {} : { commit }
  expect(Buffer.from(plain).equals(await openAge(file, identity, options))).toBe(true)
  const { parts, end } = drained(openAgeStream(piecesOf(file, 60_000), identity, options))
  await end
  expect(Buffer.from(plain).equals(Buffer.concat(parts))).toBe(true)
}

async function expectFault(opening: Promise<unknown>, kind?: string) {
  const error = await opening.then(
    () => new Error("it opened"),
    (reason: unknown) => reason,
  )
  if (!(error instanceof Fault)) throw error
  expect(error.definite).toBe(true)
  expect(kind === undefined ? ["malformed", "tampered", "refused"] : [kind]).toContain(error.kind)
}

function drained(stream: AsyncIterable<Uint8Array>) {
  const parts: Uint8Array[] = []
  const drain = async () => {
    for await (const part of stream) parts.push(part)
  }
  return { parts, end: drain() }
}

function* piecesOf(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

function everythingSaid(error: unknown): string {
  return error instanceof Error ? `${error.stack}${everythingSaid(error.cause)}` : String(error)
}
