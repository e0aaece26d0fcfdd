import { appendFile, link, mkdtemp, open, readdir, readFile, rename, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import type * as folders from "../../../harness/cloud/bucket.ts"
import { openBucket, readBucket, type WritableBucket } from "../../../harness/cloud/bucket.ts"
import { decodeDeparture } from "../../../harness/cloud/departures.ts"
import { mutant } from "../../mutants.ts"
import { expectWhole, key, recordOf, storeOne } from "./bucket-contract.ts"
import { manifestOf, newKey, randomObject, type TestManifest } from "./camera.ts"

// What every kind of bucket promises of removal is in bucket-contract.ts; here is what a folder's files say.

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-removal-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

/** Whether any file of the folder has 64 bytes of `bytes`, from its beginning, middle or end. */
async function isOnDisk(bytes: Buffer): Promise<boolean> {
  const pieces = [0, bytes.length / 2, bytes.length - 64].map((at) => bytes.subarray(at, at + 64))
  for (const name of await readdir(folder))
    if (name.startsWith("volume-")) {
      const file = await readFile(join(folder, name))
      if (pieces.some((piece) => file.includes(piece))) return true
    }
  return false
}

const bytesOf = (manifest: TestManifest | undefined) => manifest?.objects[0]?.bytes ?? Buffer.alloc(0)
const idOf = (manifest: TestManifest | undefined) => manifest?.objects[0]?.entry.id ?? ""

function remove(bucket: WritableBucket, ...manifests: readonly (TestManifest | undefined)[]) {
  const select = { objects: manifests.map(idOf) }
  return bucket.remove({ device: key.id, cause: "deleted", request: null, select })
}

/** Three objects, of which the middle one is removed. */
async function removeTheMiddle(bucket: WritableBucket): Promise<readonly TestManifest[]> {
  const manifests = [await storeOne(bucket, 0), await storeOne(bucket, 1), await storeOne(bucket, 2)]
  await remove(bucket, manifests[1])
  return manifests
}

describe("what leaves a folder", () => {
  test("leaves no byte of it in any file, before and after reopening; its neighbours stay whole", async () => {
    let bucket = await openBucket(folder)
    const [first, middle, last] = await removeTheMiddle(bucket)
    expect(await isOnDisk(bytesOf(middle))).toBe(false)
    expect(await isOnDisk(bytesOf(last))).toBe(true)
    await bucket.close()
    bucket = await openBucket(folder)
    expect([bucket.damage, bucket.objectCount]).toEqual([[], 2])
    for (const manifest of [first, last]) if (manifest) await expectWhole(bucket, manifest)
    await bucket.close()
  })

  test("whose bytes a bucket forgets to write over is noticed", async () => {
    const { openBucket } = await mutant<typeof folders>("harness/cloud/bucket.ts", {
      path: "harness/cloud/bucket-erase.ts",
      from: "for (const { at, bytes } of ofVolume) await writeZeros(file, at, inBlocks(bytes))",
      to: "",
    })
    const bucket = await openBucket(folder)
    const [, middle] = await removeTheMiddle(bucket)
    await bucket.close()
    expect(await isOnDisk(bytesOf(middle))).toBe(true)
  })

  test("is erased by the next opening when a crash came between the promise and the bytes", async () => {
    const { openBucket: dying } = await mutant<typeof folders>("harness/cloud/bucket.ts", {
      path: "harness/cloud/bucket.ts",
      from: "await erase(this.directory, this.#unerased)",
      to: 'throw new Error("the power goes")',
    })
    const bucket = await dying(folder)
    const manifests = [await storeOne(bucket, 0), await storeOne(bucket, 1), await storeOne(bucket, 2)]
    await expect(remove(bucket, manifests[1])).rejects.toSatisfy(
      (error) => isFault(error, "unavailable") && !error.definite,
    )
    const place = (await readBucket(folder)).manifests(key.id)
    expect(place).toHaveLength(3)
    await bucket.close()
    expect(await isOnDisk(bytesOf(manifests[1]))).toBe(true)
    expect((await readBucket(folder)).object(idOf(manifests[1]))).toBe(null)
    const again = await openBucket(folder)
    expect(await isOnDisk(bytesOf(manifests[1]))).toBe(false)
    expect([again.damage, again.objectCount]).toEqual([[], 2])
    await again.close()
  })

  test("is erased by the next opening wherever in its bytes the crash came, and is no damage", async () => {
    const { openBucket: dying } = await mutant<typeof folders>("harness/cloud/bucket.ts", {
      path: "harness/cloud/bucket.ts",
      from: "await erase(this.directory, this.#unerased)",
      to: 'throw new Error("the power goes")',
    })
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 5_000 }), async (zeros) => {
        await rm(folder, { recursive: true })
        const bucket = await dying(folder)
        const manifests = [await storeOne(bucket, 0), await storeOne(bucket, 1), await storeOne(bucket, 2)]
        const at = bucket.object(idOf(manifests[1]))?.at ?? 0
        await remove(bucket, manifests[1], manifests[2]).catch(() => undefined)
        await bucket.close()
        const file = await open(join(folder, "volume-00000001"), "r+")
        await file.write(Buffer.alloc(zeros), 0, zeros, at)
        await file.close()
        const again = await openBucket(folder)
        expect([again.damage, again.objectCount]).toEqual([[], 1])
        for (const manifest of manifests.slice(1))
          expect(await isOnDisk(bytesOf(manifest).subarray(zeros < 4_900 ? zeros : 0))).toBe(false)
        if (manifests[0]) await expectWhole(again, manifests[0])
        await again.close()
      }),
      { numRuns: 15 },
    )
  })

  test("takes along second copies, and what a crash left half written", async () => {
    let bucket = await openBucket(folder)
    const manifests = [await storeOne(bucket, 0), await storeOne(bucket, 1)]
    await bucket.close()
    // A second volume with the same object, as an interrupted move leaves it, and a torn end.
    await copyToNextVolume(manifests[1])
    await appendFile(
      join(folder, "volume-00000001"),
      Buffer.concat([bytesOf(manifests[1]).subarray(0, 3_000), Buffer.alloc(100)]),
    )
    bucket = await openBucket(folder)
    expect(bucket.damage).toHaveLength(1)
    await remove(bucket, manifests[1])
    expect(await isOnDisk(bytesOf(manifests[1]))).toBe(false)
    expect(await isOnDisk(bytesOf(manifests[1]).subarray(0, 2_000))).toBe(false)
    await bucket.close()
    bucket = await openBucket(folder)
    expect([bucket.damage, bucket.objectCount]).toEqual([[], 1])
    if (manifests[0]) await expectWhole(bucket, manifests[0])
    await bucket.close()
  })

  test("gives its room back when little else is in its volume, and loses nothing of that", async () => {
    const bucket = await openBucket(folder, { volumeBytes: 2_000_000 })
    const manifests: TestManifest[] = []
    for (let n = 0; n < 12; n++) manifests.push(await storeOne(bucket, n, 500_000))
    const before = (await sizes()).reduce((sum, size) => sum + size, 0)
    await remove(bucket, ...manifests.filter((_, n) => n % 4 !== 1))
    const after = (await sizes()).reduce((sum, size) => sum + size, 0)
    expect(before).toBeGreaterThan(6_000_000)
    expect(after).toBeLessThan(2_600_000)
    const kept = manifests.filter((_, n) => n % 4 === 1)
    for (const manifest of kept) await expectWhole(bucket, manifest)
    await storeOne(bucket, 20)
    await bucket.close()
    const again = await openBucket(folder)
    expect([again.damage, again.objectCount]).toEqual([[], 4])
    for (const manifest of kept) await expectWhole(again, manifest)
    for (const manifest of manifests)
      expect(again.departureOf(key.id, listed(manifest))).toBe(kept.includes(manifest) ? null : "deleted")
    await again.close()
  })
})

/** Of a kept object, in what was its volume before that was moved away, and which somebody still has. */
async function isLeftInOldVolume(open: typeof openBucket): Promise<boolean> {
  const bucket = await open(folder, { volumeBytes: 2_000_000 })
  const manifests: TestManifest[] = []
  for (let n = 0; n < 4; n++) manifests.push(await storeOne(bucket, n, 600_000))
  await link(join(folder, "volume-00000001"), join(folder, "linked"))
  const [kept, ...gone] = manifests
  await remove(bucket, ...gone)
  await bucket.close()
  expect(await readdir(folder)).not.toContain("volume-00000001")
  return (await readFile(join(folder, "linked"))).includes(bytesOf(kept).subarray(0, 64))
}

test("a volume that was moved away is written over too, for what is in it now may be deleted later", async () => {
  expect(await isLeftInOldVolume(openBucket)).toBe(false)
})

test("a bucket that only unlinks it is noticed", async () => {
  const bent = await mutant<typeof folders>("harness/cloud/bucket.ts", {
    path: "harness/cloud/bucket-erase.ts",
    from: "await writeZeros(file, BLOCK_BYTES, size - BLOCK_BYTES)",
    to: "",
  })
  expect(await isLeftInOldVolume(bent.openBucket)).toBe(true)
})

describe("a move of what is left in a volume that fails", () => {
  const COMPACTION = "harness/cloud/bucket-compaction.ts"
  test.each([
    ["before it begins", COMPACTION, "if (number === writer.number) await writer.beginNext()"],
    ["before the old volume goes", COMPACTION, "await wipe(directory, number)"],
    [
      "while the old volume is written over",
      "harness/cloud/bucket-erase.ts",
      "await writeZeros(file, BLOCK_BYTES, size - BLOCK_BYTES)",
    ],
  ])(
    "%s is said, fails no removal, and leaves no copy that a later removal does not reach",
    async (_when, path, from) => {
      const mistake = { path, from, to: 'throw new Error("no room")' }
      const { openBucket: failing } = await mutant<typeof folders>("harness/cloud/bucket.ts", mistake)
      const bucket = await failing(folder, { volumeBytes: 2_000_000 })
      const said: string[] = []
      bucket.watch((change) => void (change.kind === "fault" && said.push(change.where)))
      const manifests: TestManifest[] = []
      for (let n = 0; n < 4; n++) manifests.push(await storeOne(bucket, n, 600_000))
      const [kept, ...gone] = manifests
      await remove(bucket, ...gone)
      expect([said[0], bucket.objectCount]).toEqual(["compaction", 1])
      if (kept) await expectWhole(bucket, kept)
      await remove(bucket, kept)
      for (const manifest of manifests) expect(await isOnDisk(bytesOf(manifest))).toBe(false)
      await bucket.close()
      const again = await openBucket(folder)
      expect([again.damage, again.objectCount]).toEqual([[], 0])
      await again.close()
    },
  )
})

test("what is read while its volume is moved is read whole", async () => {
  const bucket = await openBucket(folder, { volumeBytes: 2_000_000 })
  const manifests: TestManifest[] = []
  for (let n = 0; n < 8; n++) manifests.push(await storeOne(bucket, n, 500_000))
  const kept = manifests.filter((_, n) => n % 4 === 0)
  const removing = remove(bucket, ...manifests.filter((manifest) => !kept.includes(manifest)))
  for (let round = 0; round < 20; round++) for (const manifest of kept) await expectWhole(bucket, manifest)
  await removing
  for (const manifest of kept) await expectWhole(bucket, manifest)
  await bucket.close()
})

test("no bytes make a departure's parser do anything but refuse", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(() => decodeDeparture(bytes)).toThrow(/^departure: /)
    }),
  )
})

test("another camera's object cannot be removed, nor kept from coming", async () => {
  const bucket = await openBucket(folder)
  const stranger = newKey()
  const theirs = manifestOf(stranger, [randomObject(5_000), randomObject(5_000)])
  const [here, later] = theirs.objects
  await bucket.store(recordOf(here ? [here] : [], null, stranger.id))
  const select = { objects: theirs.objects.map(({ entry }) => entry.id) }
  await bucket.remove({ device: key.id, cause: "deleted", request: null, select })
  await bucket.store(recordOf(later ? [later] : [], theirs, stranger.id))
  await expectWhole(bucket, theirs)
  await bucket.close()
  const again = await openBucket(folder)
  await expectWhole(again, theirs)
  await again.close()
})

const listed = (manifest: TestManifest) => {
  const { id = "", clip = "" } = manifest.objects[0]?.entry ?? {}
  return { id, clip, sequence: manifest.body.sequence }
}

async function sizes(): Promise<readonly number[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith("volume-"))
  return Promise.all(names.map(async (name) => (await readFile(join(folder, name))).length))
}

async function copyToNextVolume(manifest: TestManifest | undefined): Promise<void> {
  const other = join(folder, "other")
  await (await openBucket(other)).close()
  const next = await openBucket(other, { volumeBytes: 0 })
  await next.store(recordOf(manifest?.objects ?? [], null))
  await next.close()
  await rename(join(other, "volume-00000002"), join(folder, "volume-00000002"))
  await rm(other, { recursive: true })
}
