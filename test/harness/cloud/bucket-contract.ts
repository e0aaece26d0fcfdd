import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import type { Bucket, BucketRecord, WritableBucket } from "../../../harness/cloud/bucket.ts"
import { manifestOf, newKey, randomObject, type TestManifest, type TestObject } from "./camera.ts"

export const key = newKey()

export function recordOf(
  objects: readonly TestObject[],
  manifest: TestManifest | null,
  device = key.id,
): BucketRecord {
  return {
    device,
    objects: objects.map(({ entry, bytes }) => ({
      entry,
      // As chunks come: awkward lengths, none of them aligned.
      parts: [bytes.subarray(0, 1), bytes.subarray(1, 777), bytes.subarray(777)],
    })),
    manifest: manifest && { envelope: manifest.envelope, hash: manifest.hash, body: manifest.body },
  }
}

export async function storeOne(
  bucket: WritableBucket,
  sequence: number,
  size = 5_000,
): Promise<TestManifest> {
  const manifest = manifestOf(key, [randomObject(size)], { sequence })
  await bucket.store(recordOf(manifest.objects, manifest))
  return manifest
}

export async function expectWhole(bucket: Bucket, manifest: TestManifest): Promise<void> {
  const stored = bucket.manifest(manifest.hash)
  if (stored === null) throw new Error("the manifest is not there")
  expect(Buffer.from(await bucket.envelopeBytes(stored)).equals(manifest.envelope)).toBe(true)
  for (const { entry, bytes } of manifest.objects)
    expect(Buffer.from((await bucket.objectBytes(entry.id)) ?? []).equals(bytes)).toBe(true)
}

/** Two cameras announce one object id; what became of each, in whatever order. */
export async function announceOneIdAtOnce(bucket: WritableBucket): Promise<readonly Announced[]> {
  const own = randomObject(9_000)
  const cameras = [
    { camera: key, object: own },
    { camera: newKey(), object: randomObject(9_000, { id: own.entry.id }) },
  ].map(({ camera, object }) => ({ camera, manifest: manifestOf(camera, [object]) }))
  const store = ({ camera, manifest }: (typeof cameras)[number]) =>
    bucket.store(recordOf(manifest.objects, manifest, camera.id))
  const settled = await Promise.allSettled(cameras.map(store))
  return cameras.map((each, i) => ({
    manifest: each.manifest,
    again: () => store(each),
    refusal: settled[i]?.status === "rejected" ? settled[i].reason : null,
  }))
}
interface Announced {
  readonly manifest: TestManifest
  readonly refusal: unknown
  again(): Promise<void>
}

const listedIn = ({ body, objects }: TestManifest) => {
  const { id = "", clip = "" } = objects[0]?.entry ?? {}
  return { id, clip, sequence: body.sequence }
}

/** A kind of bucket, at a new place for each test. */
export interface BucketPlace {
  open(): Promise<WritableBucket>
  read(): Promise<Bucket>
  remove(): Promise<void>
}

/** What every bucket promises to the ingest, to the judge and to owners. */
export function testBucket(newPlace: () => Promise<BucketPlace>): void {
  const at = (promise: string, holds: (place: BucketPlace) => Promise<void>) =>
    test(promise, async () => {
      const place = await newPlace()
      try {
        await holds(place)
      } finally {
        await place.remove()
      }
    })

  at("what was stored is there after reopening, byte for byte, and as a plain age file", async (place) => {
    let bucket = await place.open()
    const manifests = await Promise.all([0, 1, 2, 3].map((n) => storeOne(bucket, n, 1 + 777 + n * 100_000)))
    await bucket.close()
    bucket = await place.open()
    expect(bucket.damage).toEqual([])
    expect(bucket.devices()).toEqual([key.id])
    expect(bucket.objectCount).toBe(4)
    expect(bucket.newest(key.id)?.hash).toBe(manifests[3]?.hash)
    for (const manifest of manifests) await expectWhole(bucket, manifest)
    const [object] = manifests[2]?.objects ?? []
    const folder = await mkdtemp(join(tmpdir(), "obscura-extract-"))
    const path = join(folder, "one.age")
    await bucket.extract(object?.entry.id ?? "", path)
    expect((await readFile(path)).equals(object?.bytes ?? Buffer.alloc(0))).toBe(true)
    await rm(folder, { recursive: true })
    await bucket.close()
  })

  at("an object stored twice, also at once, counts once", async (place) => {
    const bucket = await place.open()
    const manifest = manifestOf(key, [randomObject(50_000)])
    const record = recordOf(manifest.objects, manifest)
    await Promise.all([bucket.store(record), bucket.store(record)])
    await bucket.store(record)
    expect(bucket.objectCount).toBe(1)
    expect(bucket.manifests(key.id).length).toBe(1)
    await bucket.close()
    expect((await place.read()).objectCount).toBe(1)
  })

  at("an object id that two cameras announce at once is one's alone; the other is refused", async (place) => {
    const bucket = await place.open()
    const announced = await announceOneIdAtOnce(bucket)
    const isRefusal = (error: unknown) => isFault(error, "refused") && error.definite
    const kept = announced.filter(({ refusal }) => refusal === null)
    const refused = announced.filter(({ refusal }) => isRefusal(refusal))
    expect([kept.length, refused.length]).toEqual([1, 1])
    for (const { again } of kept) await again()
    for (const { again } of refused) await expect(again()).rejects.toSatisfy(isRefusal)
    await bucket.close()
    for (const each of [bucket, await place.read()]) {
      for (const { manifest } of kept) await expectWhole(each, manifest)
      for (const { manifest } of refused) expect(each.manifest(manifest.hash)).toBe(null)
      expect(each.objectCount).toBe(1)
    }
  })

  at("objects that came before their manifest are there after reopening, listed or not", async (place) => {
    let bucket = await place.open()
    const manifest = manifestOf(key, [randomObject(9_000), randomObject(70_000)])
    await bucket.store(recordOf(manifest.objects, null))
    await bucket.close()
    bucket = await place.open()
    expect([bucket.damage, bucket.objectCount, bucket.manifest(manifest.hash)]).toEqual([[], 2, null])
    expect(bucket.object(manifest.objects[0]?.entry.id ?? "")).toMatchObject({ device: key.id })
    await bucket.store(recordOf([], manifest))
    await expectWhole(bucket, manifest)
    await bucket.close()
  })

  at("two manifests with one sequence are both kept and said to be a fork", async (place) => {
    const bucket = await place.open()
    const first = await storeOne(bucket, 7)
    const stored = bucket.manifest(first.hash)
    expect(stored && bucket.isForked(stored)).toBe(false)
    const second = await storeOne(bucket, 7)
    await storeOne(bucket, 8)
    await bucket.close()
    const again = await place.read()
    expect(again.manifests(key.id).map(({ from }) => from)).toEqual([7, 7, 8])
    const reread = again.manifest(first.hash)
    expect(reread && again.isForked(reread)).toBe(true)
    await expectWhole(again, first)
    await expectWhole(again, second)
  })

  at("it can be read while somebody writes it, and reading makes none", async (place) => {
    await expect(place.read()).rejects.toSatisfy((error) => isFault(error, "usage"))
    const bucket = await place.open()
    const manifest = await storeOne(bucket, 0)
    const reader = await place.read()
    await storeOne(bucket, 1)
    expect(reader.manifests(key.id)).toHaveLength(1)
    await expectWhole(reader, manifest)
    await bucket.close()
  })

  at("what its owner deletes is gone, before and after reopening, and does not come back", async (place) => {
    let bucket = await place.open()
    const manifests = [await storeOne(bucket, 0), await storeOne(bucket, 1), await storeOne(bucket, 2)]
    const [first, second, third] = manifests.map(listedIn)
    if (!first || !second || !third) throw new Error("nothing was stored")
    const order = { device: key.id, cause: "deleted", request: "aa".repeat(32) } as const
    const departure = await bucket.remove({ ...order, select: { clips: [second.clip] } })
    expect(departure).toMatchObject({ objects: [second.id], clips: [second.clip] })
    const nonesuch = { objects: ["00".repeat(16)] }
    await bucket.remove({ ...order, request: null, select: nonesuch })
    expect(await bucket.remove({ ...order, select: { everything: true } })).toEqual(departure)
    const isGone = async () => {
      for (const each of [bucket, await place.read()]) {
        expect([each.objectCount, each.damage, each.object(second.id)]).toEqual([2, [], null])
        expect(await each.objectBytes(second.id)).toBe(null)
        expect([first, second, third].map((one) => each.departureOf(key.id, one))).toEqual([
          null,
          "deleted",
          null,
        ])
        expect([...each.objectsOf(key.id)].map(({ id }) => id).sort()).toEqual([first.id, third.id].sort())
        expect(each.bytesOf(key.id)).toBe(10_000)
        expect(each.manifests(key.id)).toHaveLength(3)
      }
    }
    await isGone()
    for (let time = 0; time < 2; time++) {
      await bucket.store(recordOf(manifests[1]?.objects ?? [], null))
      await isGone()
      await bucket.close()
      bucket = await place.open()
      await isGone()
    }
    const again = await bucket.remove({ ...order, select: { everything: true } })
    expect(again).toEqual(departure)
    await bucket.close()
  })

  at(
    "what left by the cloud's own rule is known by its place, and may come under a new number",
    async (place) => {
      let bucket = await place.open()
      const [manifest] = [await storeOne(bucket, 4), await storeOne(bucket, 5)]
      const object = listedIn(manifest)
      const changes: string[] = []
      bucket.watch(({ kind }) => changes.push(kind))
      for (const sequence of [4, 9]) {
        const select = { objects: [object.id] }
        await bucket.remove({ device: key.id, cause: "quota", request: null, select })
        expect(bucket.departureOf(key.id, { ...object, sequence })).toBe("quota")
        await bucket.close()
        bucket = await place.open()
        const at = { ...object, sequence }
        expect([bucket.object(object.id), bucket.departureOf(key.id, at)]).toEqual([null, "quota"])
        if (sequence === 9) break
        const anew = manifestOf(key, manifest.objects, { sequence: 9 })
        await bucket.store(recordOf(anew.objects, anew))
        await bucket.close()
        bucket = await place.open()
        await expectWhole(bucket, anew)
      }
      expect(changes).toEqual(["departure"])
      await bucket.close()
    },
  )

  at("a closed bucket takes nothing more", async (place) => {
    const bucket = await place.open()
    await bucket.close()
    await expect(storeOne(bucket, 0)).rejects.toSatisfy((error) => isFault(error, "unavailable"))
  })
}
