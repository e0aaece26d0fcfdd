import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest"
import { isFault } from "../../../../firmware/errors.ts"
import { openBucket, type WritableBucket } from "../../../../harness/cloud/bucket.ts"
import type { CloudLine } from "../../../../harness/cloud/cloud-log.ts"
import { type AccountLine, Accounts } from "../../../../harness/cloud/index/accounts.ts"
import { ClipIndex } from "../../../../harness/cloud/index/clip-index.ts"
import { IndexDatabase } from "../../../../harness/cloud/index/database.ts"
import { Indexer } from "../../../../harness/cloud/index/indexer.ts"
import { parseIndexPlace } from "../../../../harness/cloud/index/place.ts"
import { key, recordOf } from "../bucket-contract.ts"
import { manifestOf, newKey, randomObject, type TestManifest } from "../camera.ts"
import { type Postgres, postgresBinaries, startPostgres } from "./postgres.ts"

let folder: string
let server: Postgres | null = null
const binaries = postgresBinaries()
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-index-"))
  if (binaries !== null) server = await startPostgres(binaries)
}, 60_000)
afterAll(async () => {
  await server?.remove()
  await rm(folder, { recursive: true, force: true })
})

let files = 0
const newFile = () => join(folder, `index-${++files}.sqlite`)
const emptied = () => server?.emptied() ?? ""

const ENGINES = [
  { engine: "SQLite", newPlace: newFile, isHere: true },
  { engine: "PostgreSQL", newPlace: emptied, isHere: binaries !== null },
]

for (const { engine, newPlace, isHere } of ENGINES)
  describe.skipIf(!isHere)(`accounts in ${engine}`, () => {
    let database: IndexDatabase
    let accounts: Accounts
    let lines: AccountLine[]
    beforeEach(async () => {
      lines = []
      database = await IndexDatabase.open(parseIndexPlace(newPlace()))
      accounts = new Accounts(database, { write: (line) => void lines.push(line) }, () =>
        Date.UTC(2026, 6, 4, 12),
      )
      return () => database.close()
    })

    test("are found by their e-mail, in whatever case, and know the day they began, not the hour", async () => {
      const made = await accounts.create(" Ada@Example.org ", "plus")
      expect(made).toEqual({
        email: "ada@example.org",
        plan: "plus",
        inbox: expect.stringMatching(/^[0-9a-f]{32}$/),
        since: "2026-07-04",
      })
      expect(await accounts.find("ADA@example.org")).toEqual(made)
      await accounts.setPlan("ada@example.org", "basic")
      expect((await accounts.find("ada@example.org")).plan).toBe("basic")
    })

    test("are one for each e-mail", async () => {
      await accounts.create("ada@example.org", "basic")
      const again = accounts.create("Ada@example.org", "plus")
      await expect(again).rejects.toSatisfy(
        (error) => isFault(error, "refused") && !error.message.includes("ada"),
      )
    })

    test("get what is written to them in their inbox, in order, and nobody else gets it", async () => {
      const [ada, bob] = [
        await accounts.create("ada@example.org", "basic"),
        await accounts.create("bob@example.org", "basic"),
      ]
      await accounts.leave("ada@example.org", "May we look at your camera?")
      await accounts.leave("ada@example.org", "It's urgent; drop table accounts;--")
      expect((await accounts.inbox(ada.inbox)).map(({ text }) => text).sort()).toEqual([
        "It's urgent; drop table accounts;--",
        "May we look at your camera?",
      ])
      expect(await accounts.inbox(bob.inbox)).toEqual([])
      expect(await accounts.inbox(randomBytes(16).toString("hex"))).toEqual([])
    })

    test("go with all that lies in their inbox", async () => {
      const { inbox } = await accounts.create("ada@example.org", "basic")
      await accounts.leave("ada@example.org", "hello")
      await accounts.remove("ada@example.org")
      expect(await accounts.inbox(inbox)).toEqual([])
      await expect(accounts.find("ada@example.org")).rejects.toSatisfy((error) => isFault(error, "usage"))
    })

    // No letters of hex digits alone: an inbox id is some.
    test("never have their e-mail in a line or an error", async () => {
      await accounts.create("zoe@example.org", "basic")
      await accounts.leave("zoe@example.org", "hello")
      const messages = await Promise.all(
        [
          accounts.create("zoe@example.org", "plus"),
          accounts.create("zoe at example", "plus"),
          accounts.find("tom@example.org"),
          accounts.leave("zoe@example.org", " "),
          accounts.leave("tom@example.org", "hello"),
          accounts.inbox("zoe@example.org"),
        ].map((refused) =>
          refused.then(
            () => "nothing",
            (error: Error) => error.message,
          ),
        ),
      )
      for (const message of messages) expect(message).not.toMatch(/zoe|tom|nothing/)
      expect(JSON.stringify(lines)).not.toContain("zoe")
      expect(lines.map(({ event }) => event)).toEqual(["account created", "message left"])
    })

    test("opened twice at once have their tables once", async () => {
      const place = parseIndexPlace(newPlace())
      const both = await Promise.all([IndexDatabase.open(place), IndexDatabase.open(place)])
      for (const each of both) await each.close()
      const third = await IndexDatabase.open(place)
      await new Accounts(third, { write: () => undefined }).create("ada@example.org", "basic")
      await third.close()
    })
  })

let buckets = 0
async function newBucket(): Promise<WritableBucket> {
  return openBucket(join(folder, `bucket-${++buckets}`))
}

async function storeClip(bucket: WritableBucket, sequence: number, camera = key): Promise<TestManifest> {
  const clip = randomBytes(16).toString("hex")
  const objects = [randomObject(3_000, { clip }), randomObject(2_000, { clip, index: 1 })]
  const manifest = manifestOf(camera, objects, { sequence })
  await bucket.store(recordOf(objects, manifest, camera.id))
  return manifest
}

const clipOf = (manifest: TestManifest) => manifest.objects[0]?.entry.clip ?? ""

/** The index in `place` as somebody else sees it. */
async function clipsIn(place: string, device = key.id) {
  const database = await IndexDatabase.open(parseIndexPlace(place))
  try {
    return await new ClipIndex(database).clipsOf(device)
  } finally {
    await database.close()
  }
}

for (const { engine, newPlace, isHere } of ENGINES)
  describe.skipIf(!isHere)(`clips in ${engine}`, () => {
    let place: string
    let bucket: WritableBucket
    let lines: CloudLine[]
    beforeEach(async () => {
      place = newPlace()
      lines = []
      bucket = await newBucket()
      return () => bucket.close()
    })
    const following = async () => {
      const indexer = await Indexer.open(parseIndexPlace(place), { write: (line) => void lines.push(line) })
      indexer.follow(bucket)
      return indexer
    }

    test("are there when they are durable, with their sizes and arrival, and gone when they have left", async () => {
      const indexer = await following()
      const [first, second] = [await storeClip(bucket, 0), await storeClip(bucket, 2)]
      await indexer.caughtUp()
      const clips = await clipsIn(place)
      expect(clips.map(({ clip }) => clip).sort()).toEqual([clipOf(first), clipOf(second)].sort())
      for (const clip of clips) expect(clip).toMatchObject({ objects: 2, bytes: 5_000 })
      expect(Math.abs((clips[0]?.arrived ?? 0) - Date.now())).toBeLessThan(60_000)
      const order = { device: key.id, cause: "deleted", request: null } as const
      await bucket.remove({ ...order, select: { clips: [clipOf(first)] } })
      await indexer.caughtUp()
      expect((await clipsIn(place)).map(({ clip }) => clip)).toEqual([clipOf(second)])
      await indexer.close()
    })

    test("are made anew from the bucket where the index was lost, and are forgotten where the bucket was", async () => {
      await storeClip(bucket, 0)
      const stranger = newKey()
      await storeClip(bucket, 0, stranger)
      let indexer = await following()
      await indexer.caughtUp()
      expect([(await clipsIn(place)).length, (await clipsIn(place, stranger.id)).length]).toEqual([1, 1])
      await indexer.close()
      await bucket.remove({ device: key.id, cause: "deleted", request: null, select: { everything: true } })
      await storeClip(bucket, 2)
      await storeClip(bucket, 4)
      indexer = await following()
      await indexer.caughtUp()
      expect((await clipsIn(place)).length).toBe(2)
      await indexer.close()
      await bucket.close()
      bucket = await newBucket()
      indexer = await following()
      await indexer.caughtUp()
      expect([(await clipsIn(place)).length, (await clipsIn(place, stranger.id)).length]).toEqual([0, 0])
      await indexer.close()
    })

    test("that are stored again after a loss are there again", async () => {
      const indexer = await following()
      const manifest = await storeClip(bucket, 0)
      const select = { objects: manifest.objects.map(({ entry }) => entry.id) }
      await bucket.remove({ device: key.id, cause: "quota", request: null, select })
      await indexer.caughtUp()
      expect(await clipsIn(place)).toEqual([])
      await bucket.store(recordOf(manifest.objects, manifest))
      await indexer.caughtUp()
      expect((await clipsIn(place)).length).toBe(1)
      await indexer.close()
    })
  })

test("an SQLite file that another process holds is waited for without holding up anything here", async () => {
  const path = newFile()
  const lines: CloudLine[] = []
  const bucket = await newBucket()
  const indexer = await Indexer.open(parseIndexPlace(path), { write: (line) => void lines.push(line) })
  indexer.follow(bucket)
  await indexer.caughtUp()
  const { default: Sqlite } = await import("libsql")
  const other = new Sqlite(path)
  other.exec("begin immediate")
  await storeClip(bucket, 0)
  await vi.waitUntil(() => lines.some(({ event }) => event === "index away"), 20_000)
  await storeClip(bucket, 2)
  other.exec("rollback")
  other.close()
  await indexer.caughtUp()
  expect((await clipsIn(path)).length).toBe(2)
  await indexer.close()
  await bucket.close()
})

describe.skipIf(binaries === null)("a PostgreSQL server that goes away", () => {
  test("and comes back gets all that came meanwhile; no store waits for it", async () => {
    const place = emptied()
    const lines: CloudLine[] = []
    const bucket = await newBucket()
    const indexer = await Indexer.open(parseIndexPlace(place), { write: (line) => void lines.push(line) })
    indexer.follow(bucket)
    await storeClip(bucket, 0)
    await indexer.caughtUp()
    await server?.stop()
    for (let n = 1; n < 10; n++) await storeClip(bucket, 2 * n)
    await vi.waitUntil(() => lines.some(({ event }) => event === "index away"), 20_000)
    expect(indexer.lag).toBeGreaterThan(0)
    await server?.start()
    await indexer.caughtUp()
    expect((await clipsIn(place)).length).toBe(10)
    expect(lines.map(({ event }) => event)).toEqual(["index away", "index back"])
    await indexer.close()
    await bucket.close()
  }, 60_000)

  test("that is away when the cloud starts is waited for, and gets all that is in the bucket", async () => {
    const place = emptied()
    const bucket = await newBucket()
    await storeClip(bucket, 0)
    await server?.stop()
    const lines: CloudLine[] = []
    const indexer = await Indexer.open(parseIndexPlace(place), { write: (line) => void lines.push(line) })
    indexer.follow(bucket)
    await storeClip(bucket, 2)
    await server?.start()
    await indexer.caughtUp()
    expect((await clipsIn(place)).length).toBe(2)
    expect(lines[0]).toMatchObject({ event: "index away" })
    await indexer.close()
    await bucket.close()
  }, 60_000)

  test("that has no such database, user or room for us is a wrong call, in one line without the password", async () => {
    const url = `postgres://obscura:s3cret@127.0.0.1:${server?.port}/nonesuch`
    const opened = IndexDatabase.open(parseIndexPlace(url))
    await expect(opened).rejects.toSatisfy(
      (error) =>
        isFault(error, "usage") && /no such database/.test(error.message) && !/s3cret/.test(error.message),
    )
  })
})
