import { randomBytes } from "node:crypto"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { parseConfig } from "../../../firmware/config.ts"
import { sign } from "../../../firmware/control/dsse.ts"
import { type SigningKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { decodeChunk, deviceTopic, encodeHave, type ObjectEntry } from "../../../firmware/control/protocol.ts"
import * as backups from "../../../harness/owner/backup.ts"
import { type Backup, DAY, isBackedUp, NO_BACKUP, readBackup } from "../../../harness/owner/backup.ts"
import { type Book, EMPTY_BOOK } from "../../../harness/owner/household-book.ts"
import { OwnerKeys } from "../../../harness/owner/keys.ts"
import type { ObjectSource } from "../../../harness/owner/vault.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { mutant } from "../../mutants.ts"
import { ScriptedBroker } from "../../scripted-broker.ts"
import { newKey } from "../cloud/camera.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

type BackUp = typeof backups.backUp
const NOW = Date.UTC(2026, 0, 1)
const keys = await OwnerKeys.create()
const mailbox = keys.bookKey.id
const receiptKey = newKey()
const cloud = {
  name: "cloud.example",
  brokerKey: null,
  receiptKey: receiptKey.hex,
  logKey: newKey().hex,
}
const version = (number: number): Book => ({ ...EMPTY_BOOK, version: number })

/** A broker to which a book is being given, and what it took. */
async function giving(book: Book, before: Backup = NO_BACKUP, backUp: BackUp = backups.backUp) {
  const broker = new ScriptedBroker()
  const abort = new AbortController()
  const log = { write: () => undefined }
  const parts = { clock: virtualClock(), random: seededRandom(1), dialler: broker.dialler, log }
  const given = backUp(book, keys, before, NOW, cloud, parts, parseConfig().link, abort.signal)
  const outcome: { backup: Backup | null | undefined } = { backup: undefined }
  given.then(
    (backup) => {
      outcome.backup = backup
    },
    () => undefined,
  )
  const later = (milliseconds = 50) => vi.advanceTimersByTimeAsync(milliseconds)
  const taken = (name: "manifest" | "chunk") =>
    broker.published.filter(({ topic }) => topic === deviceTopic(mailbox, name)).map(({ payload }) => payload)
  // Sealing is real work, and takes as long as it takes.
  while (taken("chunk").length < 2) {
    await new Promise((resolve) => setImmediate(resolve))
    await later(1)
  }
  const say = async (name: "have" | "receipt", payload: Uint8Array) => {
    broker.say(deviceTopic(mailbox, name), payload)
    await later()
  }
  return {
    outcome,
    taken,
    say,
    later,
    manifest: () => taken("manifest").at(-1) ?? raise(),
    async receipt(by: SigningKey = receiptKey, manifest = sha256Hex(taken("manifest").at(-1) ?? raise())) {
      await say("receipt", sign("receipt", { device: mailbox, manifest, from: 0, to: 0 }, by))
    },
    async end() {
      abort.abort()
      await later()
      return outcome.backup
    },
  }
}

/** What a cloud has of it that keeps all. */
function shelfOf(books: readonly { manifest: Uint8Array; chunks: readonly Buffer[] }[]) {
  const objects = new Map<string, Buffer>()
  for (const { chunks } of books)
    for (const chunk of chunks.map(decodeChunk)) {
      const bytes = objects.get(chunk.id) ?? Buffer.alloc(0)
      objects.set(chunk.id, Buffer.concat([bytes.subarray(0, chunk.offset), chunk.data]))
    }
  return { manifests: books.map(({ manifest }) => manifest), objects }
}

function sourceOf({ manifests, objects }: ReturnType<typeof shelfOf>): ObjectSource {
  return {
    manifests: async (device) => (device === mailbox ? manifests : []),
    has: async (id) => objects.has(id),
    object: async (id) => objects.get(id) ?? null,
    receipted: async () => new Set(),
  }
}

/** Versions 1 to 3, each given after the one before. */
async function threeBooks() {
  const books: { manifest: Uint8Array; chunks: readonly Buffer[] }[] = []
  let before = NO_BACKUP
  for (const number of [1, 2, 3]) {
    const one = await giving(version(number), before)
    await one.receipt()
    before = (await one.end()) ?? raise()
    books.push({ manifest: one.manifest(), chunks: one.taken("chunk") })
  }
  return { books, before }
}

describe("a household's book, given to a cloud", () => {
  test("comes back from it whole, the newest version, with the root alone", async () => {
    const { books, before } = await threeBooks()
    const restored = await OwnerKeys.fromRecoveryKit(keys.recoveryKit)
    const read = await readBackup(sourceOf(shelfOf(books)), restored)
    expect(read?.book).toEqual(version(3))
    expect(read?.backup).toEqual({ ...before, at: 0 })
    expect(await readBackup(sourceOf(shelfOf(books)), await OwnerKeys.create())).toBeNull()
  })

  test("is to the cloud one camera's object like any other: one stanza, one size, no word of what it is", async () => {
    const { books } = await threeBooks()
    const sizes = [...shelfOf(books).objects.values()].map((bytes) => bytes.length)
    expect(new Set(sizes).size).toBe(1)
    const manifest = JSON.parse(Buffer.from(books[0]?.manifest ?? raise()).toString())
    const { entries } = JSON.parse(Buffer.from(manifest.payload, "base64").toString())
    const [entry]: readonly ObjectEntry[] = entries
    expect(entry).toMatchObject({ kind: "summary", index: 0, last: true, headerBytes: 168 })
  })

  async function waitsForTheReceipt(backUp?: BackUp): Promise<void> {
    const one = await giving(version(1), NO_BACKUP, backUp)
    const hash = sha256Hex(one.manifest())
    await one.say("have", encodeHave({ manifest: hash, held: [10_000_000] }))
    await one.receipt(newKey())
    await one.receipt(receiptKey, "ab".repeat(32))
    await one.say("receipt", randomBytes(300))
    expect(one.outcome.backup).toBeUndefined()
    await one.receipt()
    expect(await one.end()).toEqual({ version: 1, newest: 0, head: hash, at: NOW })
  }

  test("is safe once the pinned cloud has signed for exactly it, and not before", () => waitsForTheReceipt())

  test.each([
    [
      "takes anybody's receipt",
      'verify("receipt", payload, receiptKey, receiptShape).manifest === hash',
      "verify !== null && receiptKey !== null && receiptShape !== null",
    ],
    ["takes a receipt for anything", "receiptShape).manifest === hash", 'receiptShape).manifest !== ""'],
  ])("an owner who %s is found out", async (_what, from, to) => {
    const path = "harness/owner/backup.ts"
    const bent = await mutant<typeof backups>(path, { path, from, to })
    await expect(waitsForTheReceipt(bent.backUp)).rejects.toThrow("expected")
  })

  test("is sent again from where the cloud has it, and is nothing when nobody answers", async () => {
    const one = await giving(version(1))
    expect(one.taken("chunk").map((chunk) => decodeChunk(chunk).offset)).toEqual([0, 64_979])
    await one.say("have", encodeHave({ manifest: sha256Hex(one.manifest()), held: [64_979] }))
    await one.later(parseConfig().link.resendAfter)
    expect(one.taken("manifest")).toHaveLength(2)
    expect(one.taken("chunk").map((chunk) => decodeChunk(chunk).offset)).toEqual([0, 64_979, 64_979])
    expect(await one.end()).toBeNull()
  })

  test("that a cloud swaps, cuts, or shows without its manifest, gives way to the newest that holds", async () => {
    const { books } = await threeBooks()
    for (const spoil of [
      (id: string, all: Map<string, Buffer>) => all.delete(id),
      (id: string, all: Map<string, Buffer>) => all.set(id, (all.get(id) ?? raise()).subarray(0, -1)),
      (id: string, all: Map<string, Buffer>) => all.set(id, [...all.values()][0] ?? raise()),
      (id: string, all: Map<string, Buffer>) => all.set(id, randomBytes(500)),
    ]) {
      const shelf = shelfOf(books)
      spoil([...shelf.objects.keys()].at(-1) ?? "", shelf.objects)
      expect((await readBackup(sourceOf(shelf), keys))?.book.version).toBe(2)
    }
    const hidden = { ...shelfOf(books), manifests: [randomBytes(100), books[0]?.manifest ?? raise()] }
    expect((await readBackup(sourceOf(hidden), keys))?.book.version).toBe(1)
  })

  test("is given anew before a cloud lets go what is old", () => {
    const backup = { version: 3, newest: 2, head: "ab".repeat(32), at: NOW }
    expect(isBackedUp(version(3), backup, NOW + 13 * DAY)).toBe(true)
    expect(isBackedUp(version(3), backup, NOW + 15 * DAY)).toBe(false)
    expect(isBackedUp(version(4), backup, NOW)).toBe(false)
  })
})

function raise(): never {
  throw new Error("not there")
}
