import { describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { DAY, Retention } from "../../../harness/cloud/retention.ts"
import * as s3 from "../../../harness/cloud/s3-bucket.ts"
import { S3Door } from "../../../harness/cloud/s3-door.ts"
import { placeWithin } from "../../../harness/cloud/s3-place.ts"
import { mutant } from "../../mutants.ts"
import { announceOneIdAtOnce, expectWhole, key, recordOf, storeOne, testBucket } from "./bucket-contract.ts"
import { manifestOf, randomObject } from "./camera.ts"
import { s3World } from "./s3-world.ts"

const at = s3World()

describe("a bucket in S3", () => {
  testBucket(async () => {
    const own = at.another()
    return {
      open: () => s3.openS3Bucket(own),
      read: () => s3.readS3Bucket(own),
      remove: async () => undefined,
    }
  })

  test("that takes one camera's put for another's is noticed", async () => {
    const { openS3Bucket } = await mutant<typeof s3>("harness/cloud/s3-bucket.ts", {
      path: "harness/cloud/s3-bucket.ts",
      from: "this.#once(key, async () => {\n      await this.door.put(key, Buffer",
      to: "this.#once(id, async () => {\n      await this.door.put(key, Buffer",
    })
    const puts: string[] = []
    at.service.answer = (method, path) => {
      if (method === "PUT" && path.includes("/objects/")) puts.push(path)
      return null
    }
    for (const open of [s3.openS3Bucket, openS3Bucket]) {
      const bucket = await open(placeWithin(at.place, String(puts.length)))
      await announceOneIdAtOnce(bucket)
      await bucket.close()
    }
    expect(puts.map((path) => path.split("/objects/")[0]?.at(-1))).toEqual(["0", "0", "2"])
  })

  test("that lets the slower of two cameras have an id too is noticed", async () => {
    const { openS3Bucket } = await mutant<typeof s3>("harness/cloud/s3-bucket.ts", {
      path: "harness/cloud/s3-bucket.ts",
      from: "this.index.has(device, id) // throws",
      to: "// never throws",
    })
    const bucket = await openS3Bucket(at.place)
    const refusals = (await announceOneIdAtOnce(bucket)).map(({ refusal }) => refusal)
    await bucket.close()
    expect(refusals).toEqual([null, null])
  })

  /** What retention leaves there of a clip that came before the cloud was started anew: after 29 days, and after 31. */
  async function kept({ openS3Bucket }: typeof s3): Promise<readonly number[]> {
    const own = at.another()
    const before = await openS3Bucket(own)
    const { objects } = await storeOne(before, 0)
    await before.close()
    expect(objects).toHaveLength(1)
    const bucket = await openS3Bucket(own)
    const counts: number[] = []
    for (const days of [29, 31]) {
      const now = () => Date.now() + days * DAY
      const retention = new Retention(bucket, 30 * DAY, { write: () => undefined }, now)
      await retention.look()
      await retention.stop()
      const reader = await s3.readS3Bucket(own)
      counts.push(reader.objectCount)
      await reader.close()
    }
    await bucket.close()
    return counts
  }

  test("lets go what is too old, by when the service says that it came", async () => {
    expect(await kept(s3)).toEqual([1, 0])
    const path = "harness/cloud/s3-scan.ts"
    const mistake = { path, from: "arrived: found.arrived", to: "arrived: 0" }
    const ageless = await mutant<typeof s3>("harness/cloud/s3-bucket.ts", mistake)
    expect(await kept(ageless)).toEqual([1, 1])
  })

  test("of a service that keeps versions, each of them is deleted", async () => {
    const bucket = await s3.openS3Bucket(at.place)
    const manifest = await storeOne(bucket, 0)
    const { id = "" } = manifest.objects[0]?.entry ?? {}
    const fullKey = `${at.place.prefix}objects/${key.id}/${id}.age`
    const deleted: string[] = []
    at.service.answer = (method, path) => {
      const version = /versionId=([^&]*)/.exec(path)?.[1] ?? null
      if (method === "DELETE") {
        deleted.push(version ?? "the newest")
        const marker = { "x-amz-delete-marker": "true", "x-amz-version-id": "m1" }
        return { said: "", headers: version === null ? marker : {} }
      }
      if (method !== "GET" || !path.includes("versions")) return null
      const isSecond = path.includes("key-marker")
      const page = (version: string, kind: string) =>
        `<${kind}><Key>${fullKey}</Key><VersionId>${version}</VersionId></${kind}>`
      const other = `<Version><Key>${fullKey}.other</Key><VersionId>not-mine</VersionId></Version>`
      return {
        said: `<?xml version="1.0"?><ListVersionsResult><IsTruncated>${!isSecond}</IsTruncated>${
          isSecond
            ? page("v1", "Version") + other
            : `${page("m1", "DeleteMarker") + page("v2", "Version")}<NextKeyMarker>${fullKey}</NextKeyMarker>` +
              "<NextVersionIdMarker>v2</NextVersionIdMarker>"
        }</ListVersionsResult>`,
      }
    }
    const select = { objects: [id] }
    await bucket.remove({ device: key.id, cause: "deleted", request: null, select })
    await bucket.close()
    expect(deleted.sort()).toEqual(["m1", "the newest", "v1", "v2"])
  })

  test("what lies among the departures and is none is named, and bars nothing", async () => {
    const bucket = await s3.openS3Bucket(at.place)
    const manifest = await storeOne(bucket, 0)
    const { id = "" } = manifest.objects[0]?.entry ?? {}
    const theirs = { device: "11".repeat(20), cause: "deleted", at: 1, request: null }
    const departure = { ...theirs, objects: [id], clips: [], ranges: [] }
    const door = new S3Door(at.place)
    await door.put(`departures/${key.id}/${"aa".repeat(32)}.json`, Buffer.from("{"))
    await door.put(`departures/${key.id}/${"bb".repeat(32)}.json`, Buffer.from(JSON.stringify(departure)))
    await door.put("departures/elsewhere.json", Buffer.from("{}"))
    await bucket.close()
    const again = await s3.openS3Bucket(at.place)
    expect(again.damage).toHaveLength(3)
    await expectWhole(again, manifest)
    await again.close()
    door.close()
  })

  test("what a crash left of a removal is deleted by the next opening", async () => {
    const bucket = await s3.openS3Bucket(at.place)
    const [gone] = [await storeOne(bucket, 0), await storeOne(bucket, 1)]
    const { id = "" } = gone.objects[0]?.entry ?? {}
    at.service.answer = (method) => (method === "DELETE" ? { status: 403, code: "AccessDenied" } : null)
    const order = { device: key.id, cause: "deleted", request: null, select: { objects: [id] } } as const
    await expect(bucket.remove(order)).rejects.toSatisfy(
      (error) => isFault(error, "unavailable") && !error.definite,
    )
    await bucket.close()
    at.service.answer = () => null
    const door = new S3Door(at.place)
    const name = `objects/${key.id}/${id}.age`
    expect(await door.get(name)).not.toBe(null)
    await (await s3.openS3Bucket(at.place)).close()
    expect(await door.get(name)).toBe(null)
    door.close()
  })

  test("a listing of many pages is read to its end", async () => {
    at.service.pageKeys = 2
    const bucket = await s3.openS3Bucket(at.place)
    for (let n = 0; n < 5; n++) await storeOne(bucket, n)
    await bucket.close()
    const reader = await s3.readS3Bucket(at.place)
    expect([reader.manifests(key.id).length, reader.objectCount]).toEqual([5, 5])
    const names: string[] = []
    for await (const { name } of reader.everything()) names.push(name)
    expect(names).toHaveLength(11)
  })

  test("an object that rots in S3 is found by its hash, and what is no bucket's is named", async () => {
    const bucket = await s3.openS3Bucket(at.place)
    const manifest = await storeOne(bucket, 0)
    const { id } = manifest.objects[0]?.entry ?? { id: "" }
    const door = new S3Door(at.place)
    await door.put(`objects/${key.id}/${id}.age`, Buffer.alloc(5_000))
    await expect(bucket.objectBytes(id)).rejects.toSatisfy((error) => isFault(error, "tampered"))
    await bucket.close()
    await door.put(`objects/${key.id}/${"0".repeat(32)}.age`, Buffer.alloc(100))
    await door.put(`manifests/${key.id}/${"0".repeat(16)}-${"0".repeat(64)}.json`, Buffer.from("{}"))
    await door.put("objects/readme.txt", Buffer.from("hello"))
    const again = await s3.readS3Bucket(at.place)
    expect(again.damage).toHaveLength(3)
    expect(again.manifest(manifest.hash)).not.toBe(null)
  })

  /** One object is still on its way when the next one brings the manifest. */
  async function overtake(
    open: typeof s3.openS3Bucket,
    first: { status: number; code: string } | { heldFor: number },
  ): Promise<{ readonly results: readonly string[]; readonly manifests: readonly string[] }> {
    const bucket = await open(at.place, { within: 30_000, attempts: 1 })
    const manifest = manifestOf(key, [randomObject(9_000), randomObject(9_000)])
    const [slow, quick] = manifest.objects
    if (!slow || !quick) throw new Error("two objects")
    const manifests: string[] = []
    let slowGoes = false
    let letGo: () => void = () => undefined
    const held = new Promise<void>((resolve) => {
      letGo = resolve
    })
    if ("heldFor" in first)
      setTimeout(() => {
        slowGoes = true
        letGo()
      }, first.heldFor).unref()
    at.service.answer = (method, path) => {
      if (method !== "PUT") return null
      if (path.includes("/manifests/")) {
        manifests.push(slowGoes ? "after" : "before")
        letGo()
      }
      if (!path.includes(slow.entry.id)) return null
      return "heldFor" in first ? held : first
    }
    const settled = await Promise.allSettled([
      bucket.store(recordOf([slow], null)),
      bucket.store(recordOf([quick], manifest)),
    ])
    at.service.answer = () => null
    if (settled.some(({ status }) => status === "rejected")) {
      expect(bucket.manifest(manifest.hash)).toBe(null)
      await bucket.store(recordOf([slow, quick], manifest))
      await expectWhole(bucket, manifest)
    }
    await bucket.close()
    return { results: settled.map(({ status }) => status), manifests }
  }
  test("a manifest is put when all its objects are there, those of earlier records too", async () => {
    expect(await overtake(s3.openS3Bucket, { heldFor: 100 })).toEqual({
      results: ["fulfilled", "fulfilled"],
      manifests: ["after"],
    })
  })

  test("a manifest of which an object failed is not put, and the next try completes it", async () => {
    const { results, manifests } = await overtake(s3.openS3Bucket, { status: 500, code: "InternalError" })
    expect([results, manifests]).toEqual([["rejected", "rejected"], []])
  })

  test("those two tests notice a bucket that does not wait", async () => {
    const { openS3Bucket } = await mutant<typeof s3>("harness/cloud/s3-bucket.ts", {
      path: "harness/cloud/s3-bucket.ts",
      from: "await all([...own, ...earlier])",
      to: "await all(own)",
    })
    expect((await overtake(openS3Bucket, { heldFor: 20_000 })).manifests).toEqual(["before"])
  })
})
