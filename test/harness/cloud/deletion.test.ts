import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { describe, expect, test, vi } from "vitest"
import {
  DELETE_IDS_MAX,
  type Delete,
  type Deleted,
  deletedShape,
} from "../../../firmware/control/deletion-messages.ts"
import { ENVELOPE_BYTES_MAX, sign, verify } from "../../../firmware/control/dsse.ts"
import { type SigningKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { deviceTopic } from "../../../firmware/control/protocol.ts"
import { startCloud } from "../../../harness/cloud/broker.ts"
import { readBucket } from "../../../harness/cloud/bucket.ts"
import { digestOf } from "../../../harness/cloud/deletion.ts"
import { mutant } from "../../mutants.ts"
import {
  chunksOf,
  heartbeatOf,
  manifestOf,
  newKey,
  randomObject,
  TestCamera,
  type TestManifest,
} from "./camera.ts"
import { closed, runningCloud } from "./running-cloud.ts"

const running = runningCloud()

/** A camera with two clips of two objects each, and its owner, who hears what the cloud answers. */
async function household(): Promise<{
  readonly camera: TestCamera
  readonly owner: TestCamera
  readonly clips: readonly { readonly clip: string; readonly ids: readonly string[] }[]
}> {
  const ownerKey = newKey()
  const camera = await running.camera()
  await camera.say("beat", heartbeatOf(camera.key, { owner: ownerKey.id }))
  const clips = [0, 1].map((n) => {
    const clip = randomBytes(16).toString("hex")
    const objects = [randomObject(5_000, { clip }), randomObject(6_000, { clip, index: 1 })]
    return {
      clip,
      ids: objects.map(({ entry }) => entry.id),
      manifest: manifestOf(camera.key, objects, { sequence: 2 * n }),
    }
  })
  for (const { manifest } of clips) await camera.upload(manifest)
  const owner = await running.owner(ownerKey)
  await owner.client.subscribeAsync(deviceTopic(camera.key.id, "deleted"), { qos: 0 })
  return { camera, owner, clips }
}

function requestOf(
  camera: TestCamera,
  owner: SigningKey,
  what: Delete["what"],
  over: Partial<Delete> = {},
): Buffer {
  const nonce = randomBytes(16).toString("hex")
  return Buffer.from(sign("delete", { device: camera.key.id, key: owner.hex, nonce, what, ...over }, owner))
}

async function ask(owner: TestCamera, camera: TestCamera, request: Buffer): Promise<Deleted> {
  const heard = owner.next((one) => one.name === "other" && one.topic.endsWith("/deleted"))
  await owner.client.publishAsync(deviceTopic(camera.key.id, "delete"), request, { qos: 1 })
  const answer = await heard
  if (answer.name !== "other") throw new Error("not an answer")
  return verify("deleted", answer.payload, running.keys.receipt, deletedShape)
}

const held = () => running.cloud.bucket.objectCount

test("an owner who deletes a clip gets the cloud's signature under it, and nothing of it is there", async () => {
  const { camera, owner, clips } = await household()
  const [first, second] = clips
  const request = requestOf(camera, owner.key, { clips: [first?.clip ?? ""] })
  const statement = await ask(owner, camera, request)
  expect(statement).toMatchObject({
    device: camera.key.id,
    request: sha256Hex(request),
    objects: 2,
    digest: digestOf(first?.ids ?? []),
    basis: "claim",
  })
  expect(held()).toBe(2)
  for (const id of first?.ids ?? []) expect(await running.cloud.bucket.objectBytes(id)).toBe(null)
  for (const id of second?.ids ?? []) expect(await running.cloud.bucket.objectBytes(id)).not.toBe(null)
})

test("the same request again, also after a restart, is answered alike and deletes nothing more", async () => {
  const { camera, owner, clips } = await household()
  const request = requestOf(camera, owner.key, { objects: [...(clips[0]?.ids ?? [])] })
  const once = await ask(owner, camera, request)
  expect(await ask(owner, camera, request)).toEqual(once)
  const everything = requestOf(camera, owner.key, { everything: true })
  expect((await ask(owner, camera, everything)).objects).toBe(2)
  const later = manifestOf(camera.key, [randomObject(4_000)], { sequence: 4 })
  await camera.upload(later)
  expect((await ask(owner, camera, everything)).objects).toBe(2)
  expect(held()).toBe(1)
  await running.restart()
  const back = await running.camera(camera.key)
  await back.say("beat", heartbeatOf(camera.key, { owner: owner.key.id, number: 1 }))
  const again = await running.owner(owner.key)
  await again.client.subscribeAsync(deviceTopic(camera.key.id, "deleted"), { qos: 0 })
  expect((await ask(again, back, everything)).objects).toBe(2)
  expect(held()).toBe(1)
})

test("a camera that sends a deleted clip again is told that all of it is there, and none of it is", async () => {
  const { camera, owner, clips } = await household()
  const clip = clips[0]?.clip ?? ""
  await ask(owner, camera, requestOf(camera, owner.key, { clips: [clip] }))
  const more = manifestOf(camera.key, [randomObject(5_000, { clip, index: 2 })], { sequence: 4 })
  const receipt = camera.receiptOf(more)
  await camera.say("manifest", more.envelope)
  expect(await receipt).toMatchObject({ from: 4, to: 4 })
  expect(held()).toBe(2)
  await running.restart()
  expect(held()).toBe(2)
})

test("objects that came before their manifest leave when that names a deleted clip", async () => {
  const { camera, owner } = await household()
  const clip = randomBytes(16).toString("hex")
  const late = manifestOf(
    camera.key,
    [randomObject(5_000, { clip }), randomObject(90_000, { clip, index: 1 })],
    {
      sequence: 4,
    },
  )
  await camera.say("manifest", late.envelope)
  const [first, second] = late.objects
  for (const chunk of first ? chunksOf(first) : []) await camera.say("chunk", chunk)
  await vi.waitUntil(() => held() === 5)
  await ask(owner, camera, requestOf(camera, owner.key, { clips: [clip] }))
  expect(held()).toBe(5)
  const receipt = camera.receiptOf(late)
  for (const chunk of second ? chunksOf(second) : []) await camera.say("chunk", chunk)
  await receipt
  await vi.waitUntil(() => held() === 4)
})

test("nobody else's request is carried out: not a stranger's, another camera's, nor one that was altered", async () => {
  const { camera, owner } = await household()
  const other = await household()
  const everything = { everything: true } as const
  const stranger = newKey()
  const altered = requestOf(camera, owner.key, everything)
  altered[60] = (altered[60] ?? 0) ^ 1
  const requests = [
    requestOf(camera, stranger, everything),
    requestOf(camera, stranger, everything, { key: owner.key.hex }),
    requestOf(other.camera, other.owner.key, everything),
    requestOf(other.camera, owner.key, everything),
    altered,
    Buffer.from(sign("resend", { device: camera.key.id }, owner.key)),
    Buffer.alloc(ENVELOPE_BYTES_MAX + 1),
    requestOf(camera, owner.key, {
      clips: Array.from({ length: DELETE_IDS_MAX + 1 }, () => "aa".repeat(16)),
    }),
  ]
  for (const request of requests)
    await owner.client.publishAsync(deviceTopic(camera.key.id, "delete"), request, { qos: 1 })
  await vi.waitUntil(
    () => running.lines.filter(({ event }) => event === "refused").length === requests.length,
  )
  expect(held()).toBe(8)
  // An owner of another camera may not even say it there, and is thrown out.
  const ends = closed(other.owner)
  void other.owner.client
    .publishAsync(deviceTopic(camera.key.id, "delete"), requestOf(camera, other.owner.key, everything), {
      qos: 1,
    })
    .catch(() => undefined)
  await ends
  expect(held()).toBe(8)
})

test("a camera cannot ask for deletion, and hears of none", async () => {
  const { camera, owner } = await household()
  const heard = camera.next((one) => one.name === "other" && one.topic.endsWith("/deleted"))
  await expect(
    camera.client.subscribeAsync(deviceTopic(camera.key.id, "deleted"), { qos: 0 }),
  ).rejects.toThrow()
  await ask(owner, camera, requestOf(camera, owner.key, { objects: ["00".repeat(16)] }))
  const ends = closed(camera)
  const request = requestOf(camera, camera.key, { everything: true })
  void camera.client
    .publishAsync(deviceTopic(camera.key.id, "delete"), request, { qos: 1 })
    .catch(() => undefined)
  await ends
  expect([held(), await Promise.race([heard, Promise.resolve("nothing")])]).toEqual([4, "nothing"])
})

test("no bytes at the desk make it throw or delete", async () => {
  const { camera, owner } = await household()
  const whole = requestOf(camera, owner.key, { everything: true })
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
      const bent = Buffer.from(whole)
      bent[at] = (bent[at] ?? 0) ^ (1 << bit)
      await owner.client.publishAsync(deviceTopic(camera.key.id, "delete"), bent, { qos: 1 })
      await owner.client.publishAsync(deviceTopic(camera.key.id, "delete"), whole.subarray(0, at), { qos: 1 })
      expect(held()).toBe(4)
    }),
    { numRuns: 50 },
  )
})

test("a claim signed by anybody else, or for another request, is no claim", async () => {
  const { camera, owner } = await household()
  const statement = await ask(owner, camera, requestOf(camera, owner.key, { everything: true }))
  const forged = sign("deleted", statement, newKey())
  expect(() => verify("deleted", forged, running.keys.receipt, deletedShape)).toThrow("another key")
  const reflected = sign("receipt", statement, running.keys.receipt)
  expect(() => verify("deleted", reflected, running.keys.receipt, deletedShape)).toThrow("another kind")
})

/** Of an owner of two clips: how many objects are left after a request that must not be carried out, or must. */
async function leftAfter(
  start: typeof startCloud,
  request: (
    camera: TestCamera,
    owner: SigningKey,
  ) => { readonly first: Buffer; readonly then?: TestManifest },
): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-deletion-"))
  const log = { write: () => undefined }
  const options = { host: "127.0.0.1", port: 0, name: "test", keys: running.keys, log }
  const cloud = await start({ ...options, directory: join(folder, "bucket") })
  const owner = newKey()
  const camera = await TestCamera.connect(cloud.port, newKey(), running.keys.receipt)
  await camera.say("beat", heartbeatOf(camera.key, { owner: owner.id }))
  await camera.upload(manifestOf(camera.key, [randomObject(5_000), randomObject(5_000)]))
  const { first, then } = request(camera, owner)
  const asking = await TestCamera.connect(cloud.port, owner, running.keys.receipt, { role: "owner" })
  await asking.client.publishAsync(deviceTopic(camera.key.id, "delete"), first, { qos: 1 })
  if (then) {
    const receipt = camera.receiptOf(then)
    await camera.say("manifest", then.envelope)
    for (const object of then.objects) for (const chunk of chunksOf(object)) await camera.say("chunk", chunk)
    await receipt
  }
  await asking.end()
  await camera.end()
  await cloud.close()
  const left = (await readBucket(join(folder, "bucket"))).objectCount
  await rm(folder, { recursive: true })
  return left
}

const strangers = (camera: TestCamera) => ({ first: requestOf(camera, newKey(), { everything: true }) })
const again = (camera: TestCamera, owner: SigningKey) => {
  const clip = randomBytes(16).toString("hex")
  const then = manifestOf(camera.key, [randomObject(3_000, { clip })], { sequence: 2 })
  return { first: requestOf(camera, owner, { clips: [clip] }), then }
}

describe("a desk that", () => {
  test("does as it should leaves what a stranger names, and takes in nothing of a deleted clip", async () => {
    expect([await leftAfter(startCloud, strangers), await leftAfter(startCloud, again)]).toEqual([2, 2])
  })

  test.each([
    {
      what: "asks nobody whose camera it is",
      path: "harness/cloud/deletion.ts",
      from: "if (!this.#options.beats.owns(key.id, device))",
      to: "if (device === null)",
      request: strangers,
      left: 0,
    },
    {
      what: "forgets what was deleted",
      path: "harness/cloud/departures.ts",
      from: "for (const clip of clips) departed.clips.add(clip)",
      to: "",
      request: again,
      left: 3,
    },
  ])("$what is noticed", async ({ path, from, to, request, left }) => {
    const bent = await mutant<{ startCloud: typeof startCloud }>("harness/cloud/broker.ts", {
      path,
      from,
      to,
    })
    expect(await leftAfter(bent.startCloud, request)).toBe(left)
  })
})
