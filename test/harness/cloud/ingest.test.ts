import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterEach, beforeEach, expect, test } from "vitest"
import { decodeHave, FROM_CAMERA, type Have, OBJECT_BYTES_MAX } from "../../../firmware/control/protocol.ts"
import { Fault } from "../../../firmware/errors.ts"
import { type Beats, openBeats } from "../../../harness/cloud/beats.ts"
import { openBucket, type WritableBucket } from "../../../harness/cloud/bucket.ts"
import { type CloudStats, noStats } from "../../../harness/cloud/cloud-log.ts"
import { Ingest } from "../../../harness/cloud/ingest.ts"
import { chunksOf, heartbeatOf, manifestOf, newKey, randomObject } from "./camera.ts"

const key = newKey()
const receiptKey = newKey()
let folder: string
let bucket: WritableBucket
let beats: Beats
let stats: CloudStats
let said: { readonly name: string; readonly payload: Uint8Array }[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-ingest-"))
  bucket = await openBucket(folder)
  beats = await openBeats(folder)
})
afterEach(async () => {
  await bucket.close()
  await rm(folder, { recursive: true, force: true })
})

function ingest(
  over: { bucket?: WritableBucket; pendingBytesMax?: number; quotaBytes?: number } = {},
): Ingest {
  said = []
  stats = noStats()
  return new Ingest({
    bucket,
    beats,
    receiptKey,
    stats,
    log: { write: () => undefined },
    keyOf: (device) => (device === key.id ? key : null),
    send: (_device, name, payload) => void said.push({ name, payload }),
    ...over,
  })
}

function haves(): Have[] {
  return said.filter(({ name }) => name === "have").map(({ payload }) => decodeHave(payload))
}

test("no bytes on any topic make the ingest throw, or set anything aside", () => {
  const one = ingest()
  fc.assert(
    fc.property(fc.constantFrom(...FROM_CAMERA), fc.uint8Array({ maxLength: 2_000 }), (name, bytes) => {
      const refused = one.take(key.id, name, Buffer.from(bytes))
      expect(refused !== null || name === "gone").toBe(true)
    }),
  )
  expect(stats.pendingBytes).toBe(0)
})

test("no chunk header for an expected object makes the ingest throw or hold more than was declared", async () => {
  const one = ingest()
  const object = randomObject(3_000)
  one.take(key.id, "manifest", manifestOf(key, [object]).envelope)
  const length = fc.integer({ min: 0, max: 4_000 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), length, (offset, size) => {
      const frame = Buffer.alloc(21 + size)
      chunksOf(object)[0]?.copy(frame, 0, 0, 17)
      frame.writeUInt32BE(offset, 17)
      one.take(key.id, "chunk", frame)
      for (const have of haves()) if ("held" in have) expect(have.held[0]).toBeLessThanOrEqual(3_000)
    }),
  )
  await one.drained()
  expect(stats.receipts).toBe(0)
})

test("chunks of any sizes, cut anywhere, give the object", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 33, max: 5_000 }),
      fc.integer({ min: 1, max: 700 }),
      async (size, step) => {
        const one = ingest()
        const object = randomObject(size)
        one.take(key.id, "manifest", manifestOf(key, [object]).envelope)
        for (const chunk of chunksOf(object, 0, step)) expect(one.take(key.id, "chunk", chunk)).toBe(null)
        await one.drained()
        expect(Buffer.from((await bucket.objectBytes(object.entry.id)) ?? []).equals(object.bytes)).toBe(true)
        expect(stats).toMatchObject({ receipts: 1, pendingBytes: 0 })
      },
    ),
    { numRuns: 30 },
  )
})

test("a manifest with more than a mailbox may have is refused, and one that fits is not", () => {
  const one = ingest({ quotaBytes: 5_000 })
  const manifests = [[randomObject(3_000), randomObject(2_001)], [randomObject(5_000)]].map(
    (objects, sequence) => manifestOf(key, objects, { sequence }),
  )
  expect(manifests.map(({ envelope }) => one.take(key.id, "manifest", envelope))).toEqual([
    "more than the quota",
    null,
  ])
  expect(haves()[0]).toEqual({ manifest: manifests[0]?.hash, refused: "more than the quota" })
})

test("what left by a rule is not wanted again, but a fork that gives its number to something else is", async () => {
  const one = ingest()
  const [manifest, fork] = [500, 600].map((size) => manifestOf(key, [randomObject(size)], { sequence: 3 }))
  const say = async (said: typeof manifest) => {
    one.take(key.id, "manifest", said?.envelope ?? Buffer.alloc(0))
    for (const object of said?.objects ?? [])
      for (const chunk of chunksOf(object)) one.take(key.id, "chunk", chunk)
    await one.drained()
  }
  await say(manifest)
  await bucket.remove({ device: key.id, cause: "quota", request: null, select: { everything: true } })
  await say(manifest)
  expect([stats.receipts, bucket.objectCount]).toEqual([2, 0])
  await say(fork)
  expect([stats.receipts, bucket.objectCount]).toEqual([3, 1])
  expect(bucket.object(fork?.objects[0]?.entry.id ?? "")).not.toBe(null)
})

test("a camera hears of its progress every four chunks, and of a whole object by the receipt alone", async () => {
  const one = ingest()
  const objects = [randomObject(500), randomObject(500)]
  const manifest = manifestOf(key, objects)
  one.take(key.id, "manifest", manifest.envelope)
  for (const object of objects) for (const chunk of chunksOf(object, 0, 100)) one.take(key.id, "chunk", chunk)
  await one.drained()
  expect(haves()).toEqual([
    { manifest: manifest.hash, held: [0, 0] },
    { manifest: manifest.hash, held: [400, 0] },
    { manifest: manifest.hash, held: [500, 300] },
  ])
  expect(said.at(-1)?.name).toBe("receipt")
})

test("memory for what is not durable yet is bounded: what has no room is dropped in silence and comes again", async () => {
  const one = ingest({ pendingBytesMax: OBJECT_BYTES_MAX })
  const size = OBJECT_BYTES_MAX / 2
  const objects = [0, 1, 2].map((sequence) => {
    const object = randomObject(size)
    return { object, manifest: manifestOf(key, [object], { sequence }) }
  })
  for (const { manifest } of objects) one.take(key.id, "manifest", manifest.envelope)
  const before = said.length
  const first = objects.map(({ object }) => one.take(key.id, "chunk", chunksOf(object)[0] ?? Buffer.alloc(0)))
  expect(first).toEqual([null, null, "no room in memory"])
  expect(said.length).toBe(before)
  for (const { object } of objects) {
    for (const chunk of chunksOf(object)) one.take(key.id, "chunk", chunk)
    await one.drained()
  }
  expect(stats).toMatchObject({ objects: 3, receipts: 3, pendingBytes: 0 })
})

/** The bucket, but `refuses` decides whether the n-th store finds the disk full. */
function sometimesFull(refuses: (store: number) => boolean): WritableBucket {
  let stores = 0
  return new Proxy(bucket, {
    get(target, name) {
      if (name === "store" && refuses(stores++)) return () => Promise.reject(new Fault("full", "no room"))
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === "function" ? member.bind(target) : member
    },
  })
}

test("a full disk acknowledges nothing; with room again the same upload is receipted", async () => {
  const objects = [randomObject(100_000), randomObject(50_000)]
  const manifest = manifestOf(key, objects)
  // Nothing fits; or the first object does not and the last does, and with it the manifest.
  for (const refused of [2, 1]) {
    const one = ingest({ bucket: sometimesFull((store) => store < refused) })
    const upload = async (): Promise<void> => {
      one.take(key.id, "manifest", manifest.envelope)
      for (const object of objects) for (const chunk of chunksOf(object)) one.take(key.id, "chunk", chunk)
      await one.drained()
    }
    await upload()
    expect(said.filter(({ name }) => name === "receipt")).toEqual([])
    expect(stats).toMatchObject({ receipts: 0, storeFaults: refused })
    await upload()
    expect(stats).toMatchObject({ receipts: 1, objects: 2, pendingBytes: 0 })
    await bucket.close()
    await rm(folder, { recursive: true })
    bucket = await openBucket(folder)
  }
})

test("a device whose key is not known is not listened to until its own heartbeat has introduced it", () => {
  const stranger = newKey()
  const one = ingest()
  expect(one.take(stranger.id, "manifest", manifestOf(stranger, [randomObject(99)]).envelope)).toBe(
    "unknown key",
  )
  const impostor = heartbeatOf(newKey(), { device: stranger.id })
  expect(one.take(stranger.id, "beat", impostor)).toBe("unknown key")
  expect(one.take(stranger.id, "beat", heartbeatOf(stranger))).toBe(null)
  expect(one.take(stranger.id, "manifest", manifestOf(stranger, [randomObject(99)]).envelope)).toBe(null)
})

test("what the camera dropped is waited for no longer, whether it says so before or after the announcement", async () => {
  const one = ingest()
  for (const [index, before] of [true, false].entries()) {
    const [gone, kept] = [randomObject(500), randomObject(700)]
    const from = index * 3
    const announced = manifestOf(key, [gone, kept], { sequence: from })
    const drop = manifestOf(key, [], {
      sequence: from + 2,
      entries: [{ kind: "drop", from, to: from, cause: "full" }],
    })
    const order = before ? [drop, announced] : [announced, drop, announced]
    for (const { envelope } of order) {
      expect(one.take(key.id, "manifest", envelope)).toBe(null)
      await one.drained()
    }
    for (const chunk of chunksOf(kept)) expect(one.take(key.id, "chunk", chunk)).toBe(null)
    await one.drained()
    expect(bucket.manifest(announced.hash)).not.toBe(null)
    expect([bucket.object(gone.entry.id), bucket.object(kept.entry.id)?.id]).toEqual([null, kept.entry.id])
  }
})

test("an older heartbeat of the same boot does not replace a newer one", () => {
  const one = ingest()
  expect(one.take(key.id, "beat", heartbeatOf(key, { number: 5 }))).toBe(null)
  expect(one.take(key.id, "beat", heartbeatOf(key, { number: 4 }))).toBe("replayed")
  expect(beats.latest(key.id)?.number).toBe(5)
})

test("a ninth unfinished manifest makes the ingest forget the first, not refuse", () => {
  const one = ingest()
  const manifests = Array.from({ length: 9 }, (_, sequence) =>
    manifestOf(key, [randomObject(99)], { sequence }),
  )
  for (const { envelope } of manifests) expect(one.take(key.id, "manifest", envelope)).toBe(null)
  const id = (index: number): string => manifests[index]?.objects[0]?.entry.id ?? ""
  const chunk = (index: number) =>
    chunksOf(manifests[index]?.objects[0] ?? randomObject(99))[0] ?? Buffer.alloc(0)
  one.take(key.id, "chunk", chunk(0))
  expect(haves().at(-1)).toEqual({ unknown: id(0) })
  expect(one.take(key.id, "chunk", chunk(8))).toBe(null)
})
