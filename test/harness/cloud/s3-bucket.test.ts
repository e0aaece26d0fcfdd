import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import * as folders from "../../../harness/cloud/bucket.ts"
import * as s3 from "../../../harness/cloud/s3-bucket.ts"
import { S3Door } from "../../../harness/cloud/s3-door.ts"
import { parseS3Place, placeWithin, type S3Place } from "../../../harness/cloud/s3-place.ts"
import { mutant } from "../../mutants.ts"
import { announceOneIdAtOnce, expectWhole, key, recordOf, storeOne, testBucket } from "./bucket-contract.ts"
import { manifestOf, randomObject } from "./camera.ts"
import { type S3Service, startS3 } from "./s3-service.ts"

let folder: string
let service: S3Service
let places = 0
let place: S3Place
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-s3-"))
  service = await startS3(join(folder, "service"))
})
afterAll(async () => {
  await service.close()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(() => {
  place = placeWithin(service.place, `place-${places++}`)
})
afterEach(() => {
  service.answer = () => null
  service.pageKeys = null
})

describe("a bucket in a folder", () => {
  testBucket(async () => {
    const root = await mkdtemp(join(tmpdir(), "obscura-bucket-"))
    const directory = join(root, "bucket")
    return {
      open: () => folders.openBucket(directory),
      read: () => folders.readBucket(directory),
      remove: () => rm(root, { recursive: true }),
    }
  })

  test("that does not tell whose an id is when two come with one write is noticed", async () => {
    const { openBucket } = await mutant<typeof folders>("harness/cloud/bucket.ts", {
      path: "harness/cloud/bucket.ts",
      from: "?? seen.get(id) ??",
      to: "??",
    })
    const bucket = await openBucket(join(folder, "one-write"))
    const refusals = (await announceOneIdAtOnce(bucket)).map(({ refusal }) => refusal)
    await bucket.close()
    expect(refusals).toEqual([null, null])
  })
})

describe("a bucket in S3", () => {
  testBucket(async () => {
    const own = placeWithin(service.place, `contract-${places++}`)
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
    service.answer = (method, path) => {
      if (method === "PUT" && path.includes("/objects/")) puts.push(path)
      return null
    }
    for (const open of [s3.openS3Bucket, openS3Bucket]) {
      const bucket = await open(placeWithin(place, String(puts.length)))
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
    const bucket = await openS3Bucket(place)
    const refusals = (await announceOneIdAtOnce(bucket)).map(({ refusal }) => refusal)
    await bucket.close()
    expect(refusals).toEqual([null, null])
  })

  test("of a service that keeps versions, each of them is deleted", async () => {
    const bucket = await s3.openS3Bucket(place)
    const manifest = await storeOne(bucket, 0)
    const { id = "" } = manifest.objects[0]?.entry ?? {}
    const fullKey = `${place.prefix}objects/${key.id}/${id}.age`
    const deleted: string[] = []
    service.answer = (method, path) => {
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
    const bucket = await s3.openS3Bucket(place)
    const manifest = await storeOne(bucket, 0)
    const { id = "" } = manifest.objects[0]?.entry ?? {}
    const theirs = { device: "11".repeat(20), cause: "deleted", at: 1, request: null }
    const departure = { ...theirs, objects: [id], clips: [], ranges: [] }
    const door = new S3Door(place)
    await door.put(`departures/${key.id}/${"aa".repeat(32)}.json`, Buffer.from("{"))
    await door.put(`departures/${key.id}/${"bb".repeat(32)}.json`, Buffer.from(JSON.stringify(departure)))
    await door.put("departures/elsewhere.json", Buffer.from("{}"))
    await bucket.close()
    const again = await s3.openS3Bucket(place)
    expect(again.damage).toHaveLength(3)
    await expectWhole(again, manifest)
    await again.close()
    door.close()
  })

  test("what a crash left of a removal is deleted by the next opening", async () => {
    const bucket = await s3.openS3Bucket(place)
    const [gone] = [await storeOne(bucket, 0), await storeOne(bucket, 1)]
    const { id = "" } = gone.objects[0]?.entry ?? {}
    service.answer = (method) => (method === "DELETE" ? { status: 403, code: "AccessDenied" } : null)
    const order = { device: key.id, cause: "deleted", request: null, select: { objects: [id] } } as const
    await expect(bucket.remove(order)).rejects.toSatisfy(
      (error) => isFault(error, "unavailable") && !error.definite,
    )
    await bucket.close()
    service.answer = () => null
    const door = new S3Door(place)
    const name = `objects/${key.id}/${id}.age`
    expect(await door.get(name)).not.toBe(null)
    await (await s3.openS3Bucket(place)).close()
    expect(await door.get(name)).toBe(null)
    door.close()
  })

  test("a listing of many pages is read to its end", async () => {
    service.pageKeys = 2
    const bucket = await s3.openS3Bucket(place)
    for (let n = 0; n < 5; n++) await storeOne(bucket, n)
    await bucket.close()
    const reader = await s3.readS3Bucket(place)
    expect([reader.manifests(key.id).length, reader.objectCount]).toEqual([5, 5])
    const names: string[] = []
    for await (const { name } of reader.everything()) names.push(name)
    expect(names).toHaveLength(11)
  })

  test("an object that rots in S3 is found by its hash, and what is no bucket's is named", async () => {
    const bucket = await s3.openS3Bucket(place)
    const manifest = await storeOne(bucket, 0)
    const { id } = manifest.objects[0]?.entry ?? { id: "" }
    const door = new S3Door(place)
    await door.put(`objects/${key.id}/${id}.age`, Buffer.alloc(5_000))
    await expect(bucket.objectBytes(id)).rejects.toSatisfy((error) => isFault(error, "tampered"))
    await bucket.close()
    await door.put(`objects/${key.id}/${"0".repeat(32)}.age`, Buffer.alloc(100))
    await door.put(`manifests/${key.id}/${"0".repeat(16)}-${"0".repeat(64)}.json`, Buffer.from("{}"))
    await door.put("objects/readme.txt", Buffer.from("hello"))
    const again = await s3.readS3Bucket(place)
    expect(again.damage).toHaveLength(3)
    expect(again.manifest(manifest.hash)).not.toBe(null)
  })

  /** One object is still on its way when the next one brings the manifest. */
  async function overtake(
    open: typeof s3.openS3Bucket,
    first: { status: number; code: string } | { heldFor: number },
  ): Promise<{ readonly results: readonly string[]; readonly manifests: readonly string[] }> {
    const bucket = await open(place, { within: 30_000, attempts: 1 })
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
    service.answer = (method, path) => {
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
    service.answer = () => null
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

  test.each([
    ["NoSuchBucket", 404, "usage", "no such bucket"],
    ["AccessDenied", 403, "usage", "they need to put, get, list and delete there"],
    ["SomethingNew", 403, "usage", "they need to put, get, list and delete there"],
    ["InvalidAccessKeyId", 403, "usage", "check AWS_ACCESS_KEY_ID"],
    ["SignatureDoesNotMatch", 403, "usage", "check AWS_SECRET_ACCESS_KEY"],
    ["QuotaExceeded", 403, "full", "no room"],
    ["SlowDown", 503, "unavailable", "it asks for less at once"],
    ["InternalError", 500, "unavailable", "it does not answer as S3 does (InternalError)"],
  ])("%s (%d) is %s, in one line: %s", async (code, status, kind, advice) => {
    const bucket = await s3.openS3Bucket(place, { within: 10_000, attempts: 1 })
    service.answer = (method) => (method === "PUT" ? { status, code } : null)
    const error: unknown = await storeOne(bucket, 0).catch((reason: unknown) => reason)
    await bucket.close()
    if (!isFault(error)) throw new Error("no fault")
    expect(error).toMatchObject({ kind, definite: kind !== "unavailable" })
    expect(error.message).toMatch(/^bucket s3:\/\/clips\/tests\/place-\d+: [^\n]+$/)
    expect(error.message).toContain(advice)
  })

  test("a service that is slow is given up after a while, and one that fails once is asked again", async () => {
    const bucket = await s3.openS3Bucket(place, { within: 1_000, attempts: 1 })
    service.answer = (method) => (method === "PUT" ? "silence" : null)
    await expect(storeOne(bucket, 0)).rejects.toSatisfy(
      (error) => isFault(error, "unavailable") && !error.definite && /no answer in time/.test(error.message),
    )
    await bucket.close()
    const patient = await s3.openS3Bucket(place)
    let asked = 0
    service.answer = (method) =>
      method === "PUT" && asked++ === 0 ? { status: 503, code: "SlowDown" } : null
    await storeOne(patient, 1)
    expect(asked).toBe(3)
    await patient.close()
  })

  test("nobody at the endpoint, no bucket, and no credentials are one line each", async () => {
    const away = { ...place, endpoint: "http://127.0.0.1:1" }
    await expect(s3.openS3Bucket(away, { within: 10_000, attempts: 1 })).rejects.toThrow(
      /^bucket s3:\/\/\S+: connection refused: is it running\?$/,
    )
    await expect(s3.openS3Bucket({ ...place, bucket: "nobodys" })).rejects.toThrow(/no such bucket/)
    const { AWS_ACCESS_KEY_ID: id = "", AWS_SECRET_ACCESS_KEY: secret = "" } = process.env
    delete process.env.AWS_ACCESS_KEY_ID
    Object.assign(process.env, {
      ...{ AWS_EC2_METADATA_DISABLED: "true", AWS_PROFILE: "nobody" },
      ...{ AWS_CONFIG_FILE: folder, AWS_SHARED_CREDENTIALS_FILE: folder },
    })
    try {
      await expect(s3.openS3Bucket(place)).rejects.toThrow(/no credentials; set AWS_ACCESS_KEY_ID/)
    } finally {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret })
      delete process.env.AWS_PROFILE
    }
  })
})

describe("s3://bucket/prefix", () => {
  test.each([
    ["s3://clips", { bucket: "clips", prefix: "" }],
    ["s3://clips/", { bucket: "clips", prefix: "" }],
    ["s3://my.clips/a/b-c", { bucket: "my.clips", prefix: "a/b-c/" }],
    ["s3://clips/a/", { bucket: "clips", prefix: "a/" }],
  ])("%s", (text, parsed) => {
    expect(parseS3Place(text, null)).toEqual({ ...parsed, endpoint: null })
  })

  test.each([
    "clips",
    "s3://",
    "s3://UP",
    "s3://clips//x",
    "s3://clips/../x",
    "s3://clips/a b",
    "http://clips",
  ])("%s is none", (text) => {
    expect(() => parseS3Place(text, null)).toThrow(/^--bucket .*: it looks like s3:\/\/bucket\/prefix/)
  })

  test.each([
    ["ftp://x", "it looks like https://host:9000"],
    ["nothing", "it looks like https://host:9000"],
    ["http://example.org", "plain http:// is for this machine alone; use https://example.org"],
    ["https://a:b@example.org", "no user and password"],
    ["https://example.org/bucket", "bucket and prefix go into --bucket"],
  ])("endpoint %s: %s", (endpoint, advice) => {
    expect(() => parseS3Place("s3://clips", endpoint)).toThrow(advice)
  })
})
