import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { openBucket, type WritableBucket } from "../../../harness/cloud/bucket.ts"
import type { CloudLine } from "../../../harness/cloud/cloud-log.ts"
import * as quotas from "../../../harness/cloud/quota.ts"
import { DAY, Retention } from "../../../harness/cloud/retention.ts"
import { mutant } from "../../mutants.ts"
import { expectWhole, key, recordOf } from "./bucket-contract.ts"
import { manifestOf, newKey, randomObject, type TestManifest } from "./camera.ts"

let folder: string
let bucket: WritableBucket
let now: number
let lines: CloudLine[]
const log = { write: (line: CloudLine) => void lines.push(line) }
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-quota-"))
  now = Date.UTC(2026, 0, 1)
  lines = []
  bucket = await openBucket(folder, { now: () => now })
})
afterEach(async () => {
  await bucket.close()
  await rm(folder, { recursive: true, force: true })
})

/** Of two objects, a minute after the last. */
async function storeClip(sequence: number, size = 10_000, camera = key): Promise<TestManifest> {
  const clip = randomBytes(16).toString("hex")
  const objects = [randomObject(size / 2, { clip }), randomObject(size / 2, { clip, index: 1 })]
  const manifest = manifestOf(camera, objects, { sequence })
  await bucket.store(recordOf(objects, manifest, camera.id))
  now += 60_000
  return manifest
}

async function minded(Quota: typeof quotas.Quota, bytes: number): Promise<readonly TestManifest[]> {
  const quota = new Quota(bucket, bytes, log)
  const clips: TestManifest[] = []
  for (let n = 0; n < 5; n++) {
    clips.push(await storeClip(2 * n))
    quota.mind(key.id)
    await quota.drained()
    expect(bucket.bytesOf(key.id)).toBeLessThanOrEqual(bytes)
  }
  return clips
}

describe("a mailbox at its quota", () => {
  test("keeps the newest clips whole, and lets the oldest go as a whole", async () => {
    const clips = await minded(quotas.Quota, 35_000)
    for (const [n, clip] of clips.entries())
      if (n >= 2) await expectWhole(bucket, clip)
      else for (const { entry } of clip.objects) expect(bucket.object(entry.id)).toBe(null)
    const [first] = clips[0]?.objects ?? []
    const listed = { id: first?.entry.id ?? "", clip: first?.entry.clip ?? "", sequence: 0 }
    expect(bucket.departureOf(key.id, listed)).toBe("quota")
    expect(lines).toEqual([0, 1].map(() => ({ event: "let go", device: key.id, cause: "quota", objects: 2 })))
  })

  test("that lets the newest go is noticed", async () => {
    const { Quota } = await mutant<typeof quotas>("harness/cloud/quota.ts", {
      path: "harness/cloud/mailbox-clips.ts",
      from: "a.first - b.first",
      to: "b.first - a.first",
    })
    const clips = await minded(Quota, 35_000)
    expect(clips[0] && bucket.object(clips[0].objects[0]?.entry.id ?? "")).not.toBe(null)
  })

  test("that is one long clip loses its beginning, and nobody else loses anything", async () => {
    const stranger = newKey()
    const theirs = await storeClip(0, 60_000, stranger)
    const quota = new quotas.Quota(bucket, 15_000, log)
    const clip = randomBytes(16).toString("hex")
    const parts = [0, 1, 2, 3].map((index) => randomObject(5_000, { clip, index }))
    for (const [index, part] of parts.entries()) {
      await bucket.store(recordOf([part], manifestOf(key, [part], { sequence: index })))
      now += 1_000
      quota.mind(key.id)
      await quota.drained()
    }
    expect(bucket.bytesOf(key.id)).toBeLessThanOrEqual(15_000)
    expect(bucket.object(parts[0]?.entry.id ?? "")).toBe(null)
    expect(bucket.object(parts[3]?.entry.id ?? "")).not.toBe(null)
    await expectWhole(bucket, theirs)
  })
})

describe("retention", () => {
  test("lets a clip go when all of it came long enough ago, whatever its camera's clock said", async () => {
    const [old] = [await storeClip(0), await storeClip(2)]
    now += 29 * DAY
    const young = await storeClip(4)
    const retention = new Retention(bucket, 30 * DAY, log, () => now)
    await retention.look()
    expect(bucket.objectCount).toBe(6)
    now += DAY + 60_000
    await retention.look()
    await retention.stop()
    expect(bucket.objectCount).toBe(2)
    await expectWhole(bucket, young)
    const listed = { id: old.objects[0]?.entry.id ?? "", clip: "", sequence: 0 }
    expect(bucket.departureOf(key.id, listed)).toBe("retention")
  })

  test("keeps the newest of what is no film: a household's book, however long its owner is away", async () => {
    const books = [0, 1].map((sequence) => {
      const object = randomObject(900, { kind: "summary" })
      return manifestOf(key, [object], { sequence })
    })
    for (const book of books) {
      await bucket.store(recordOf(book.objects, book))
      now += DAY
    }
    await storeClip(2)
    now += 400 * DAY
    const retention = new Retention(bucket, 30 * DAY, log, () => now)
    await retention.look()
    await retention.stop()
    expect(bucket.objectCount).toBe(1)
    if (books[1]) await expectWhole(bucket, books[1])
  })

  test("goes by what the volumes say after a restart too, and keeps what came at an unknown time", async () => {
    await storeClip(0)
    await bucket.close()
    bucket = await openBucket(folder, { now: () => 0 })
    await storeClip(2)
    now += 31 * DAY
    const retention = new Retention(bucket, 30 * DAY, log, () => now)
    await retention.look()
    await retention.stop()
    expect(bucket.objectCount).toBe(2)
  })
})
