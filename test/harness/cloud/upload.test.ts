import { fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"
import { expect, test } from "vitest"
import { publicKeyFromHex } from "../../../firmware/control/keys.ts"
import { openBucket } from "../../../harness/cloud/bucket.ts"
import { root, TYPESCRIPT } from "../../support.ts"
import { chunksOf, manifestOf, newKey, randomObject, TestCamera } from "./camera.ts"
import { runningCloud } from "./running-cloud.ts"

const running = runningCloud()
const { camera, bytesOf } = running

test("a manifest with two objects is receipted, and both are in the bucket", async () => {
  const one = await camera()
  const objects = [randomObject(250_000), randomObject(1_000)]
  const manifest = manifestOf(one.key, objects, { sequence: 5 })
  expect(await one.upload(manifest)).toEqual({
    device: one.key.id,
    manifest: manifest.hash,
    from: 5,
    to: 6,
  })
  for (const { entry, bytes } of objects) expect((await bytesOf(entry.id)).equals(bytes)).toBe(true)
  expect(running.cloud.stats).toMatchObject({
    objects: 2,
    bytes: 251_000,
    receipts: 1,
    repeats: 0,
    pendingBytes: 0,
  })
})

test("what has a receipt is there after kill -9 the moment the receipt arrives", async () => {
  const script = join(root, "test/harness/cloud/cloud-process.ts")
  const directory = join(running.folder, "killed")
  const child = fork(script, [directory, join(running.folder, "keys.json")], {
    execArgv: ["--import", TYPESCRIPT],
    cwd: root,
  })
  const [{ port, receiptKey }] = (await once(child, "message")) as [{ port: number; receiptKey: string }]
  const one = await TestCamera.connect(port, newKey(), publicKeyFromHex(receiptKey))
  const manifests = Array.from({ length: 8 }, (_, n) =>
    manifestOf(one.key, [randomObject(200_000)], { sequence: n }),
  )
  const received: string[] = []
  for (const manifest of manifests) {
    const receipt = one.upload(manifest).then(({ manifest: hash }) => received.push(hash))
    if (manifest !== manifests.at(-1)) await receipt
    else {
      await receipt
      child.kill("SIGKILL")
    }
  }
  await once(child, "exit")
  await one.end()
  const bucket = await openBucket(directory)
  expect(received).toHaveLength(8)
  for (const { hash, objects } of manifests) {
    expect(bucket.manifest(hash)).not.toBe(null)
    for (const { entry, bytes } of objects)
      expect(Buffer.from((await bucket.objectBytes(entry.id)) ?? []).equals(bytes)).toBe(true)
  }
  await bucket.close()
})

test("after a cut an upload goes on from what the cloud has", async () => {
  const key = newKey()
  const object = randomObject(200_000)
  const manifest = manifestOf(key, [object])
  const before = await camera(key)
  await before.say("manifest", manifest.envelope)
  const [first, second] = chunksOf(object)
  await before.say("chunk", first ?? Buffer.alloc(0))
  await before.say("chunk", second ?? Buffer.alloc(0))
  before.client.stream.destroy()

  const after = await camera(key)
  const have = after.nextHave()
  await after.say("manifest", manifest.envelope)
  const held = 2 * (65_000 - 21)
  expect(await have).toEqual({ manifest: manifest.hash, held: [held] })
  const receipt = after.receiptOf(manifest)
  for (const chunk of chunksOf(object, held)) await after.say("chunk", chunk)
  await receipt
  expect((await bytesOf(object.entry.id)).equals(object.bytes)).toBe(true)
})

test("repeats are harmless: of a chunk, a manifest, and of everything after the receipt", async () => {
  const one = await camera()
  const object = randomObject(200_000)
  const manifest = manifestOf(one.key, [object])
  const receipt = one.receiptOf(manifest)
  for (const message of [manifest.envelope, manifest.envelope]) await one.say("manifest", message)
  for (const chunk of chunksOf(object)) for (const again of [chunk, chunk]) await one.say("chunk", again)
  await receipt
  const repeated = one.receiptOf(manifest)
  await one.say("manifest", manifest.envelope)
  await repeated
  const unknown = one.nextHave()
  await one.say("chunk", chunksOf(object)[0] ?? Buffer.alloc(0))
  expect(await unknown).toEqual({ unknown: object.entry.id })
  expect(running.cloud.stats).toMatchObject({ objects: 1, pendingBytes: 0 })
  expect(running.cloud.stats.repeats).toBeGreaterThan(4)
})

test("after a restart a known manifest is receipted at once, with the same receipt", async () => {
  const key = newKey()
  const manifest = manifestOf(key, [randomObject(10_000)])
  const first = await (await camera(key)).upload(manifest)
  await running.restart()
  const again = await camera(key)
  const receipt = again.receiptOf(manifest)
  await again.say("manifest", manifest.envelope)
  expect(await receipt).toEqual(first)
})

test("an object whose hash is wrong is never receipted, and begins again at zero", async () => {
  const one = await camera()
  const object = randomObject(100_000)
  const manifest = manifestOf(one.key, [object])
  await one.say("manifest", manifest.envelope)
  const have = one.next((heard) => heard.name === "have" && "held" in heard.have && heard.have.held[0] === 0)
  for (const at of [10, 90_000]) {
    const damaged = Buffer.from(object.bytes)
    damaged[at] = (damaged[at] ?? 0) ^ 1
    for (const chunk of chunksOf({ entry: object.entry, bytes: damaged })) await one.say("chunk", chunk)
  }
  await have
  expect(running.cloud.stats).toMatchObject({ wrongHashes: 2, receipts: 0, refused: { "wrong hash": 2 } })
  const receipt = one.receiptOf(manifest)
  for (const chunk of chunksOf(object)) await one.say("chunk", chunk)
  await receipt
})

test("a chunk out of turn, beyond its object or of no object is answered with what the cloud has", async () => {
  const one = await camera()
  const object = randomObject(150_000)
  const manifest = manifestOf(one.key, [object])
  await one.say("manifest", manifest.envelope)
  const [, second = Buffer.alloc(0)] = chunksOf(object)
  const afterGap = one.nextHave()
  await one.say("chunk", second)
  expect(await afterGap).toEqual({ manifest: manifest.hash, held: [0] })
  for (const chunk of chunksOf(object).slice(0, 2)) await one.say("chunk", chunk)
  const afterBeyond = one.nextHave()
  const longer = chunksOf(
    { entry: object.entry, bytes: Buffer.concat([object.bytes, Buffer.alloc(9)]) },
    129_958,
  )
  await one.say("chunk", longer[0] ?? Buffer.alloc(0))
  expect(await afterBeyond).toEqual({ manifest: manifest.hash, held: [129_958] })
  const stranger = randomObject(1_000)
  const unknown = one.nextHave()
  await one.say("chunk", chunksOf(stranger)[0] ?? Buffer.alloc(0))
  expect(await unknown).toEqual({ unknown: stranger.entry.id })
  expect(running.cloud.stats.refused).toEqual({ gap: 1, "beyond its object": 1, "no such object": 1 })
})
