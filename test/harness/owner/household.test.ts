import { randomBytes } from "node:crypto"
import { identityToRecipient } from "age-encryption"
import fc from "fast-check"
import jsQR from "jsqr"
import { describe, expect, test } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { toJson } from "../../../firmware/control/json.ts"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { isFault } from "../../../firmware/errors.ts"
import { identityFromText, newHouseholdIdentity } from "../../../harness/owner/age-identity.ts"
import { Household } from "../../../harness/owner/household.ts"
import * as books from "../../../harness/owner/household-book.ts"
import { type Book, EMPTY_BOOK, withKey, withMember } from "../../../harness/owner/household-book.ts"
import * as file from "../../../harness/owner/household-file.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import { groupedKit, kitPage } from "../../../harness/owner/kit-page.ts"
import { openAge } from "../../../harness/owner/open-age.ts"
import { withKeyForAll } from "../../../harness/owner/rotation.ts"
import { mutant } from "../../mutants.ts"
import { newKey } from "../cloud/camera.ts"

const NOW = Date.UTC(2026, 0, 1)
const keys = await OwnerKeys.create()
const newSecret = async () => (await newHouseholdIdentity("x25519")).secretText
const annasKey = await newHouseholdIdentity("x25519")
const anna = { name: "Anna", recipient: annasKey.recipientText }
const book = withMember(withKey(EMPTY_BOOK, await newSecret(), NOW), anna, NOW)

async function sealedFor(recipient: string): Promise<Uint8Array> {
  const { header, payload } = await sealAge(Buffer.from("film"), parseRecipient(recipient))
  return Buffer.concat([header, ...payload])
}

/** How many of `files` open with what `secrets`, an age identity file, holds. */
async function opens(secrets: string, files: readonly Uint8Array[]): Promise<readonly boolean[]> {
  const identities = secrets.match(/^AGE-SECRET-KEY-.*$/gm)?.map(identityFromText) ?? []
  return Promise.all(
    files.map(async (each) => {
      const tries = await Promise.allSettled(identities.map((identity) => openAge(each, identity)))
      return tries.some(({ status }) => status === "fulfilled")
    }),
  )
}

describe("a household's book", () => {
  const bytesOf = async (of: Book, by = keys) => {
    const { header, payload } = await file.sealBook(of, by)
    return Buffer.concat([header, ...payload])
  }

  test("opens with the root alone, says nothing in plain, and is as large as an emptier one", async () => {
    const sealed = await bytesOf(book)
    const restored = await OwnerKeys.fromRecoveryKit(keys.recoveryKit)
    expect(await file.openBook(sealed, restored)).toEqual(book)
    expect(sealed.includes("Anna")).toBe(false)
    expect((await bytesOf(EMPTY_BOOK)).length).toBe(sealed.length)
  })

  test("is refused by every other owner, and by the household key itself", async () => {
    const sealed = await bytesOf(book)
    await expect(file.openBook(sealed, await OwnerKeys.create())).rejects.toMatchObject({ kind: "refused" })
    await expect(openAge(sealed, keys.identity)).rejects.toMatchObject({ kind: "refused" })
  })

  /** By somebody who knows for whom the book is sealed, and would like to be a member. */
  async function refusesForged(open = file.openBook): Promise<void> {
    const stranger = await OwnerKeys.create()
    const bytes = toJson(withMember(EMPTY_BOOK, { ...anna, name: "Mallory" }, NOW))
    const statement = sign("household", { version: 1, book: sha256Hex(bytes) }, stranger.bookKey)
    const plain = {
      statement: Buffer.from(statement).toString("base64"),
      book: Buffer.from(bytes).toString("base64"),
    }
    const { header, payload } = await sealAge(
      toJson(plain),
      parseRecipient(await identityToRecipient(keys.bookSecret)),
    )
    const read = open(Buffer.concat([header, ...payload]), keys)
    await expect(read).rejects.toMatchObject({ kind: "tampered" })
  }

  test("that the owner did not sign adds no member", () => refusesForged())

  /** A statement that the owner did sign, over another book. */
  async function refusesSwapped(open = file.openBook): Promise<void> {
    const [mine, other] = [toJson(EMPTY_BOOK), toJson(book)]
    const statement = sign("household", { version: 0, book: sha256Hex(mine) }, keys.bookKey)
    const plain = {
      statement: Buffer.from(statement).toString("base64"),
      book: Buffer.from(other).toString("base64"),
    }
    const recipient = parseRecipient(await identityToRecipient(keys.bookSecret))
    const { header, payload } = await sealAge(toJson(plain), recipient)
    await expect(open(Buffer.concat([header, ...payload]), keys)).rejects.toThrow(
      "not the one that its owner",
    )
  }

  test("is the one that was signed, not another of the same owner", () => refusesSwapped())

  test("damaged anywhere is refused with a reason, never half read", async () => {
    const sealed = await bytesOf(book)
    await fc.assert(
      fc.asyncProperty(fc.nat(sealed.length - 1), fc.nat(7), async (at, bit) => {
        const flipped = Uint8Array.from(sealed)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << bit)
        const read = await file.openBook(flipped, keys).catch((error: unknown) => error)
        // A line feed more or less in a header changes nothing that anybody reads.
        expect(isFault(read) || JSON.stringify(read) === JSON.stringify(book)).toBe(true)
      }),
      { numRuns: 60 },
    )
    for (const bytes of [new Uint8Array(), randomBytes(500), sealed.subarray(0, -1)])
      await expect(file.openBook(bytes, keys)).rejects.toSatisfy((error) => isFault(error))
  })

  test.each([
    [
      "takes anybody's book",
      refusesForged,
      `verify("household", Buffer.from(read.statement, "base64"), keys.bookKey, statementShape)`,
      `{ book: sha256Hex(Buffer.from(read.book, "base64")), version: 0, verify, statementShape }`,
    ],
    ["takes any book with any statement", refusesSwapped, "sha256Hex(bytes) !== statement.book", "false"],
  ])("an owner who %s is found out", async (_what, check, from, to) => {
    const path = "harness/owner/household-file.ts"
    const bent = await mutant<typeof file>(path, { path, from, to })
    await expect(check(bent.openBook)).rejects.toThrow(/expected|resolved/)
  })
})

type Books = typeof books

describe("a member who is removed", () => {
  /** Clips of three keys: before Anna came, while she was there, after she went. */
  async function history({ withKey, withMember, withoutMember }: Books = books) {
    const before = withKey(EMPTY_BOOK, await newSecret(), NOW)
    const among = withMember(withKey(before, await newSecret(), NOW), anna, NOW)
    const after = withoutMember(among, "Anna", NOW, await newSecret())
    const homes = await Promise.all([before, among, after].map((book) => Household.of(keys, book)))
    const files = await Promise.all(homes.map(({ recipient }) => sealedFor(recipient)))
    return { homes, files, after: homes[2] ?? raise() }
  }

  /** All that her phone was ever given, in the hands of a thief. */
  async function opensTheBoundedPast(bent?: Books): Promise<void> {
    const { homes, files, after } = await history(bent)
    const given: string[] = []
    for (const home of homes)
      for (const member of home.book.members.filter(books.isMember)) {
        const sealed = await home.sealKeysFor(member)
        given.push(Buffer.from(await openAge(sealed, identityFromText(annasKey.secretText))).toString())
      }
    expect(await opens(given.join(""), files)).toEqual([false, true, false])
    expect(await opens(after.keysFor({ from: 0, until: null }), files)).toEqual([true, true, true])
  }

  test("opens what was sealed while they were one, nothing before it and nothing after", () =>
    opensTheBoundedPast())

  test("is still given nothing newer, should somebody ask for their keys again", async () => {
    const { after, files } = await history()
    expect(await opens(after.keysFor(after.book.members[0] ?? raise()), files)).toEqual([false, true, false])
  })

  test.each([
    [
      "removes the name and keeps the key",
      "withKey({ ...book, members }, nextSecret, at)",
      "next(book, { members })",
    ],
    ["hands out old keys too", "addedAt: at, from: keyInUse(book)", "addedAt: at, from: 0"],
  ])("an owner who %s is found out", async (_what, from, to) => {
    const path = "harness/owner/household-book.ts"
    const bent = await mutant<Books>(path, { path, from, to })
    await expect(opensTheBoundedPast(bent)).rejects.toThrow("to deeply equal")
  })

  test("leaves the owner, who opens everything that there ever was", async () => {
    const { files, after } = await history()
    for (const each of files) expect(Buffer.from(await openAge(each, after.identity)).toString()).toBe("film")
  })

  test("is somebody: an unknown name, a name twice and a key twice are refused in words", async () => {
    const book = withMember(EMPTY_BOOK, anna, NOW)
    const secret = await newSecret()
    expect(() => books.withoutMember(book, "Bob", NOW, secret)).toThrow("Bob is no member")
    expect(() => withMember(book, anna, NOW)).toThrow("Anna is a member already")
    expect(() => withMember(book, { ...anna, name: "Bob" }, NOW)).toThrow("already, as Anna")
    for (const name of ["", "x".repeat(41), "a\nb", "\u001b[2J"])
      expect(() => withMember(EMPTY_BOOK, { ...anna, name }, NOW)).toThrow("does not take this")
  })
})

describe("a rotation", () => {
  test("is to a key that nobody can work out, not even from the root", async () => {
    const twins = await Promise.all([1, 2].map(() => OwnerKeys.fromRecoveryKit(keys.recoveryKit)))
    const [one, two] = await Promise.all(
      twins.map(async (each) => Household.of(each, withKey(EMPTY_BOOK, await newSecret(), NOW))),
    )
    expect(one?.recipient).not.toBe(two?.recipient)
    const clip = await sealedFor(one?.recipient ?? raise())
    const root = await Household.of(twins[0] ?? raise(), EMPTY_BOOK)
    await expect(openAge(clip, root.identity)).rejects.toMatchObject({ kind: "refused" })
    await expect(openAge(clip, (two ?? raise()).identity)).rejects.toMatchObject({ kind: "refused" })
  })

  async function signsAbove(sign = withKeyForAll): Promise<void> {
    const [one, other] = [newKey(), newKey()]
    const paired = [one, other].reduce((book, camera) => books.withCamera(book, camera, NOW), EMPTY_BOOK)
    const known = [{ device: one.id, newest: 7, epoch: 5 }]
    const { cameras } = sign(withKey(paired, await newSecret(), NOW), known, NOW)
    expect(cameras.map(({ epochs }) => epochs.at(-1))).toEqual([
      { epoch: 6, key: 1, signedAt: NOW, newest: 7 },
      { epoch: 2, key: 1, signedAt: NOW, newest: -1 },
    ])
  }

  test("is signed for every camera, above every epoch that it has named", () => signsAbove())

  test("that signs an epoch which a camera has passed is found out", async () => {
    const path = "harness/owner/household-book.ts"
    const from = "Math.max(seen, ...epochs"
    const bent = await mutant<{ withKeyForAll: typeof withKeyForAll }>("harness/owner/rotation.ts", {
      path,
      from,
      to: "Math.max(...epochs",
    })
    await expect(signsAbove(bent.withKeyForAll)).rejects.toThrow("to deeply equal")
  })

  test("asks nothing of a camera that was retired", async () => {
    const [one, other] = [newKey(), newKey()]
    const paired = [one, other].reduce((known, camera) => books.withCamera(known, camera, NOW), EMPTY_BOOK)
    const { cameras } = withKeyForAll(
      withKey(books.withRetired(paired, one.id), await newSecret(), NOW),
      [],
      NOW,
    )
    expect(cameras.map(({ epochs }) => epochs.length)).toEqual([1, 2])
    expect(() => books.withRetired(paired, newKey().id)).toThrow("no camera")
  })

  test("signs nothing for a camera that seals for the key in use already", async () => {
    const book = books.withCamera(withKey(EMPTY_BOOK, await newSecret(), NOW), newKey(), NOW)
    expect(withKeyForAll(book, [], NOW)).toBe(book)
  })
})

test("a printed kit reads with its spaces, and a wrong letter in it is noticed", async () => {
  const grouped = groupedKit(keys.recoveryKit)
  expect(grouped).toContain(" ")
  expect((await OwnerKeys.fromRecoveryKit(grouped.toLowerCase())).householdRecipient).toBe(
    keys.householdRecipient,
  )
  const wrong = grouped.replace(/.$/, (letter) => (letter === "Q" ? "P" : "Q"))
  await expect(async () => OwnerKeys.fromRecoveryKit(wrong)).rejects.toThrow("no recovery kit")
  const page = kitPage(keys.recoveryKit)
  expect([page.includes(grouped), page.includes("<svg"), /https?:\/\/(?!www\.w3\.org)/.test(page)]).toEqual([
    true,
    true,
    false,
  ])
})

test("a printed page's QR code is the kit, to a reader that is not ours", () => {
  const svg = /<svg.*<\/svg>/s.exec(kitPage(keys.recoveryKit))?.[0] ?? ""
  const width = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1])
  const pixels = new Uint8ClampedArray(width * width * 4).fill(255)
  for (const [, left, top] of svg.matchAll(/M(\d+),(\d+)h10v10h-10z/g))
    for (let y = Number(top); y < Number(top) + 10; y++)
      for (let x = Number(left); x < Number(left) + 10; x++)
        pixels.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3)
  const read = jsQR.default(pixels, width, width)
  expect(read?.data).toBe(keys.recoveryKit)
})

function raise(): never {
  throw new Error("not there")
}
