import { fork } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { type CloudKeys, openCloudKeys } from "../../../harness/cloud/keys.ts"
import { type Subscriber, startSubscriber } from "../../../harness/cloud/subscriber.ts"
import { judge, root, TYPESCRIPT } from "../../support.ts"
import { freePort, startMosquitto } from "../mosquitto-broker.ts"
import { chunksOf, heartbeatOf, manifestOf, newKey, randomObject, TestCamera } from "./camera.ts"

const mosquitto = judge("mosquitto")
const key = newKey()
let folder: string
let keys: CloudKeys
let port: number
let broker: Awaited<ReturnType<typeof startMosquitto>> | null = null

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-subscriber-"))
  keys = await openCloudKeys(join(folder, "keys.json"))
  if (mosquitto === null) return
  broker = await startMosquitto(mosquitto, folder)
  port = broker.port
})

afterEach(async () => {
  await broker?.stop()
  await rm(folder, { recursive: true, force: true })
})

function subscribe(share?: string): Promise<Subscriber> {
  return startSubscriber({
    url: `mqtt://127.0.0.1:${port}`,
    directory: join(folder, "bucket"),
    keys,
    log: { write: () => undefined },
    keyOf: (device) => (device === key.id ? key : null),
    ...(share === undefined ? {} : { share }),
  })
}

test.skipIf(mosquitto === null)(
  "mosquitto instead of the embedded broker still delivers and receipts",
  async () => {
    for (const share of [undefined, "cloud"]) {
      const cloud = await subscribe(share)
      const camera = await TestCamera.connect(port, key, keys.receipt)
      const object = randomObject(200_000)
      const manifest = manifestOf(key, [object], { sequence: share === undefined ? 0 : 1 })
      await camera.upload(manifest)
      expect(Buffer.from((await cloud.bucket.objectBytes(object.entry.id)) ?? []).equals(object.bytes)).toBe(
        true,
      )
      const head = camera.next((heard) => heard.name === "other")
      await camera.say("beat", heartbeatOf(key))
      expect(await head).toMatchObject({ payload: manifest.envelope })
      await camera.end()
      await cloud.close()
    }
  },
)

test.skipIf(mosquitto === null)(
  "what a broker acknowledged while no ingest listened is receipted once one does",
  async () => {
    const camera = await TestCamera.connect(port, key, keys.receipt)
    const manifest = manifestOf(key, [randomObject(200_000)])
    // Every PUBACK comes, and nobody was there.
    await camera.say("manifest", manifest.envelope)
    for (const object of manifest.objects)
      for (const chunk of chunksOf(object)) await camera.say("chunk", chunk)
    expect(camera.heard).toEqual([])
    const cloud = await subscribe()
    await camera.upload(manifest)
    expect(cloud.stats.receipts).toBe(1)
    await camera.end()
    await cloud.close()
  },
)

test.skipIf(mosquitto === null)(
  "a stalled ingest loses nothing: what it missed has no receipt, and is sent again",
  async () => {
    const script = join(root, "test/harness/cloud/subscriber-process.ts")
    const url = `mqtt://127.0.0.1:${port}`
    const stalled = fork(script, [url, join(folder, "bucket"), join(folder, "keys.json"), key.hex], {
      execArgv: ["--import", TYPESCRIPT],
      cwd: root,
    })
    await once(stalled, "message")
    stalled.kill("SIGSTOP")
    const camera = await TestCamera.connect(port, key, keys.receipt)
    // More than sockets hold, so that the broker must drop what it acknowledged.
    const manifests = Array.from({ length: 60 }, (_, n) =>
      manifestOf(key, [randomObject(250_000)], { sequence: n }),
    )
    for (const manifest of manifests) {
      await camera.say("manifest", manifest.envelope)
      for (const object of manifest.objects)
        for (const chunk of chunksOf(object)) await camera.say("chunk", chunk)
    }
    expect(camera.heard).toEqual([])
    stalled.kill("SIGKILL")
    await once(stalled, "exit")
    const cloud = await subscribe()
    for (const manifest of manifests) await camera.upload(manifest)
    for (const { objects } of manifests)
      for (const { entry, bytes } of objects)
        expect(Buffer.from((await cloud.bucket.objectBytes(entry.id)) ?? []).equals(bytes)).toBe(true)
    await camera.end()
    await cloud.close()
  },
  60_000,
)

test.skipIf(mosquitto === null)(
  "an ingest that shares its broker takes what its own cameras say and nothing else",
  async () => {
    const cloud = await startSubscriber({
      url: `mqtt://127.0.0.1:${port}`,
      directory: join(folder, "bucket"),
      keys,
      log: { write: () => undefined },
      admits: (device) => device === key.id,
      ...{ share: "cloud", connections: 3 },
    })
    const other = await TestCamera.connect(port, newKey(), keys.receipt)
    const camera = await TestCamera.connect(port, key, keys.receipt)
    await other.say("beat", heartbeatOf(other.key))
    await camera.say("beat", heartbeatOf(key))
    const theirs = manifestOf(other.key, [randomObject(90_000)])
    await other.say("manifest", theirs.envelope)
    await camera.upload(manifestOf(key, [randomObject(400_000), randomObject(300_000)]))
    expect(cloud.bucket.devices()).toEqual([key.id])
    expect([cloud.stats.receipts, cloud.stats.refused, other.heard]).toEqual([1, {}, []])
    await other.end()
    await camera.end()
    await cloud.close()
  },
)

test.skipIf(mosquitto === null)(
  "garbage, strangers and foreign topics at a foreign broker cost the subscriber nothing",
  async () => {
    const cloud = await subscribe()
    const stranger = await TestCamera.connect(port, newKey(), keys.receipt)
    await stranger.say("manifest", manifestOf(stranger.key, [randomObject(99)]).envelope)
    await stranger.client.publishAsync(`obscura/1/${key.id}/manifest`, "garbage", { qos: 1 })
    await stranger.client.publishAsync("obscura/1/+x/manifest".replace("+", ""), "garbage", { qos: 1 })
    const camera = await TestCamera.connect(port, key, keys.receipt)
    await camera.upload(manifestOf(key, [randomObject(1_000)]))
    expect(cloud.stats).toMatchObject({ receipts: 1, refused: { "unknown key": 1, malformed: 1 } })
    await stranger.end()
    await camera.end()
    await cloud.close()
  },
)

test("a broker that is away is one line of advice", async () => {
  const away = startSubscriber({
    url: `mqtt://127.0.0.1:${await freePort()}`,
    directory: join(folder, "bucket"),
    keys,
    log: { write: () => undefined },
    keyOf: () => null,
  })
  await expect(away).rejects.toSatisfy((error) => isFault(error, "unavailable") && error.definite)
})
