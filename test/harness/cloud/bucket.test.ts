import { spawnSync } from "node:child_process"
import { appendFile, mkdtemp, open, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, beforeEach, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { openBeats } from "../../../harness/cloud/beats.ts"
import { openBucket, type WritableBucket } from "../../../harness/cloud/bucket.ts"
import { decodeRecordHead, decodeVolumeHead } from "../../../harness/cloud/bucket-record.ts"
import { scanVolume } from "../../../harness/cloud/bucket-scan.ts"
import { root, TYPESCRIPT } from "../../support.ts"
import { expectWhole, key, recordOf, storeOne } from "./bucket-contract.ts"
import { heartbeatOf, manifestOf, randomObject, type TestManifest } from "./camera.ts"

// What every kind of bucket promises is in folder-bucket.test.ts and s3-bucket.test.ts.

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-bucket-"))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function reopened(): Promise<WritableBucket> {
  return openBucket(folder)
}

async function volumes(): Promise<string[]> {
  return (await readdir(folder))
    .filter((name) => name.startsWith("volume-"))
    .sort()
    .map((name) => join(folder, name))
}

test("an object larger than one write, and a bucket of several volumes, come back whole", async () => {
  let bucket = await openBucket(folder, { volumeBytes: 100_000 })
  const manifests = [await storeOne(bucket, 0, 20 * 1024 * 1024 + 13)]
  for (const n of [1, 2, 3]) manifests.push(await storeOne(bucket, n, 120_000))
  await bucket.close()
  expect((await volumes()).length).toBe(4)
  bucket = await reopened()
  for (const manifest of manifests) await expectWhole(bucket, manifest)
  await bucket.close()
})

test("an object stored twice is not written again", async () => {
  const bucket = await openBucket(folder)
  const manifest = manifestOf(key, [randomObject(50_000)])
  const record = recordOf(manifest.objects, manifest)
  await Promise.all([bucket.store(record), bucket.store(record)])
  const [path] = await volumes()
  const size = (await readFile(path ?? "")).length
  await bucket.store(record)
  expect((await readFile(path ?? "")).length).toBe(size)
  await bucket.close()
})

test("wherever a crash cuts the last write, opening keeps all before it and goes on", async () => {
  const bucket = await openBucket(folder)
  const kept = await storeOne(bucket, 0)
  const [path = ""] = await volumes()
  const before = (await readFile(path)).length
  const lost = await storeOne(bucket, 1)
  await bucket.close()
  const whole = await readFile(path)
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: before, max: whole.length - 4_096 }),
      fc.boolean(),
      async (cut, zeros) => {
        for (const other of await volumes()) if (other !== path) await rm(other)
        // Cut short, or grown with the rest never written.
        await writeFile(path, whole.subarray(0, cut))
        if (zeros) await truncate(path, whole.length)
        const again = await reopened()
        await expectWhole(again, kept)
        if (again.object(lost.objects[0]?.entry.id ?? "") !== null)
          expect(await again.objectBytes(lost.objects[0]?.entry.id ?? "")).not.toBe(null)
        const next = await storeOne(again, 2)
        await again.close()
        const last = await reopened()
        await expectWhole(last, kept)
        await expectWhole(last, next)
        await last.close()
      },
    ),
    { numRuns: 25 },
  )
})

test("a damaged record in the middle is reported and skipped, and what lies around it stays", async () => {
  const bucket = await openBucket(folder)
  const manifests = [await storeOne(bucket, 0), await storeOne(bucket, 1), await storeOne(bucket, 2)]
  const at = bucket.object(manifests[1]?.objects[0]?.entry.id ?? "")?.at ?? 0
  await bucket.close()
  const [path = ""] = await volumes()
  const file = await open(path, "r+")
  await file.write(Buffer.from("damage"), 0, 6, at - 500)
  await file.close()
  const again = await reopened()
  expect(again.damage).toHaveLength(1)
  expect(again.damage[0]).toMatch(/volume-00000001: \d+ bytes at \d+ are damaged/)
  for (const index of [0, 2]) await expectWhole(again, manifests[index] as TestManifest)
  expect(again.object(manifests[1]?.objects[0]?.entry.id ?? "")).toBe(null)
  expect(again.manifest(manifests[1]?.hash ?? "")).not.toBe(null)
  await again.close()
})

test("an object that rots on disk is found by its hash when it is read", async () => {
  const bucket = await openBucket(folder)
  const manifest = await storeOne(bucket, 0)
  const id = manifest.objects[0]?.entry.id ?? ""
  const [path = ""] = await volumes()
  const file = await open(path, "r+")
  await file.write(Buffer.from("damage"), 0, 6, (bucket.object(id)?.at ?? 0) + 300)
  await file.close()
  await expect(bucket.objectBytes(id)).rejects.toSatisfy((error) => isFault(error, "tampered"))
  await bucket.close()
  const again = await reopened()
  expect(again.object(id)).toBe(null)
  expect(again.damage).toHaveLength(1)
  await again.close()
})

test("a record that a camera hid inside an object is not found by a scan after damage", async () => {
  const bucket = await openBucket(folder)
  const [path = ""] = await volumes()
  const planted = await storeOne(bucket, 0)
  const volume = await readFile(path)
  // A copy of a true record block, as the best a camera could have; its own place in the volume does not fit it.
  const block = volume.subarray(4_096, 4_096 + 512)
  const hiding = randomObject(20 * 512)
  for (let at = 0; at < hiding.bytes.length; at += 512) block.copy(hiding.bytes, at)
  await bucket.store(recordOf([hiding], null))
  const at = bucket.object(hiding.entry.id)?.at ?? 0
  await bucket.close()
  const file = await open(path, "r+")
  await file.write(Buffer.from("damage"), 0, 6, at - 500)
  await file.close()
  expect(scanVolume(path, false).records).toHaveLength(2)
  const again = await reopened()
  await expectWhole(again, planted)
  await again.close()
})

test("no bytes make the scan or its decoders throw", async () => {
  const path = join(folder, "volume-00000001")
  const salt = Buffer.alloc(32)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5_000 }), async (bytes) => {
      const head = Buffer.alloc(512)
      head.write("obscura volume 1")
      await writeFile(path, head)
      await appendFile(path, bytes)
      scanVolume(path, true)
      await writeFile(path, bytes)
      scanVolume(path, true)
      decodeVolumeHead(Buffer.from(bytes))
      decodeRecordHead(Buffer.from(bytes), { number: 1, salt }, 512)
    }),
    { numRuns: 100 },
  )
})

test("two openings of one folder: the second is told who is in the way", async () => {
  const bucket = await openBucket(folder)
  await expect(openBucket(folder)).rejects.toSatisfy(
    (error) => isFault(error, "usage") && error.message.includes("another process"),
  )
  await bucket.close()
  await (await openBucket(folder)).close()
})

test("a folder that cannot be made is one line of advice", async () => {
  await writeFile(join(folder, "file"), "")
  await expect(openBucket(join(folder, "file", "bucket"))).rejects.toSatisfy((error) => isFault(error))
})

test("a full disk is a definite refusal, nothing of it is listed, and what was there stays", async () => {
  // A limit on file sizes, of 4,096 KiB, stands for the full disk: the kernel refuses at the same place.
  const script = join(root, "test/harness/cloud/fill-bucket.ts")
  const run = spawnSync(
    "bash",
    ["-c", `ulimit -f 4096; exec "${process.execPath}" --import "${TYPESCRIPT}" "${script}" "${folder}"`],
    { encoding: "utf8", cwd: root },
  )
  expect(run.stderr).toBe("")
  const { stored, refused } = JSON.parse(run.stdout)
  expect(refused).toEqual({ kind: "full", definite: true })
  expect(stored.length).toBeGreaterThan(2)
  const bucket = await reopened()
  expect(bucket.damage).toEqual([])
  expect(bucket.objectCount).toBe(stored.length)
  for (const id of stored) expect(await bucket.objectBytes(id)).not.toBe(null)
  await storeOne(bucket, 1_000)
  await bucket.close()
})

test("the latest heartbeat of a camera and its owner survive reopening", async () => {
  const beats = await openBeats(folder)
  const owner = "33".repeat(20)
  const body = { device: key.id, owner, number: 4, newest: 9 }
  const envelope = heartbeatOf(key, body)
  beats.set(
    { ...JSON.parse(Buffer.from(JSON.parse(envelope.toString()).payload, "base64").toString()) },
    envelope,
  )
  await beats.flush()
  await appendFile(join(folder, "heartbeats"), "{not a heartbeat\n")
  const again = await openBeats(folder)
  expect(again.latest(key.id)).toMatchObject(body)
  expect(again.owns(owner, key.id)).toBe(true)
  expect(again.owns(key.id, key.id)).toBe(false)
})
