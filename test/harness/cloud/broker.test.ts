import { fork, spawnSync } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { connect as connectSocket } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import mqtt, { connectAsync } from "mqtt"
import { afterEach, beforeEach, expect, test } from "vitest"
import { sign } from "../../../firmware/control/dsse.ts"
import { publicKeyFromHex } from "../../../firmware/control/keys.ts"
import { deviceTopic, PAIRING_BYTES_MAX, pairingTopic } from "../../../firmware/control/protocol.ts"
import { isFault } from "../../../firmware/errors.ts"
import { type Cloud, startCloud } from "../../../harness/cloud/broker.ts"
import { openBucket } from "../../../harness/cloud/bucket.ts"
import type { CloudLine } from "../../../harness/cloud/cloud-log.ts"
import { type CloudKeys, openCloudKeys } from "../../../harness/cloud/keys.ts"
import { judge, root, TYPESCRIPT } from "../../support.ts"
import { chunksOf, heartbeatOf, manifestOf, newKey, password, randomObject, TestCamera } from "./camera.ts"

let folder: string
let keys: CloudKeys
let cloud: Cloud
let lines: CloudLine[]
const ends: (() => Promise<void>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-cloud-"))
  keys = await openCloudKeys(join(folder, "keys.json"))
  cloud = await start()
})

afterEach(async () => {
  for (const end of ends.splice(0)) await end()
  await cloud.close()
  await rm(folder, { recursive: true, force: true })
})

async function start(port = 0): Promise<Cloud> {
  lines = []
  const log = { write: (line: CloudLine) => void lines.push(line) }
  return startCloud({ directory: join(folder, "bucket"), host: "127.0.0.1", port, name: "test", keys, log })
}

async function camera(key = newKey()): Promise<TestCamera> {
  const one = await TestCamera.connect(cloud.port, key, keys.receipt)
  ends.push(() => one.end())
  return one
}

async function owner(key = newKey()): Promise<TestCamera> {
  const one = await TestCamera.connect(cloud.port, key, keys.receipt, { role: "owner" })
  ends.push(() => one.end())
  return one
}

function closed({ client }: { readonly client: mqtt.MqttClient }): Promise<void> {
  return new Promise((resolve) => {
    client.once("close", () => resolve())
  })
}

async function bytesOf(id: string): Promise<Buffer> {
  return Buffer.from((await cloud.bucket.objectBytes(id)) ?? [])
}

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
  expect(cloud.stats).toMatchObject({ objects: 2, bytes: 251_000, receipts: 1, repeats: 0, pendingBytes: 0 })
})

test("what has a receipt is there after kill -9 the moment the receipt arrives", async () => {
  const script = join(root, "test/harness/cloud/cloud-process.ts")
  const directory = join(folder, "killed")
  const child = fork(script, [directory, join(folder, "keys.json")], {
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
  expect(cloud.stats).toMatchObject({ objects: 1, pendingBytes: 0 })
  expect(cloud.stats.repeats).toBeGreaterThan(4)
})

test("after a restart a known manifest is receipted at once, with the same receipt", async () => {
  const key = newKey()
  const manifest = manifestOf(key, [randomObject(10_000)])
  const first = await (await camera(key)).upload(manifest)
  await cloud.close()
  cloud = await start()
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
  expect(cloud.stats).toMatchObject({ wrongHashes: 2, receipts: 0, refused: { "wrong hash": 2 } })
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
  expect(cloud.stats.refused).toEqual({ gap: 1, "beyond its object": 1, "no such object": 1 })
})

test("a gap in the chain is never refused, and manifests without objects are receipted", async () => {
  const one = await camera()
  const drop = { kind: "drop" as const, from: 3, to: 900, cause: "full" as const }
  const cut = { kind: "cut" as const, clip: "ab".repeat(16), segments: 2 }
  for (const [sequence, entries] of [
    [1_000, [drop, cut]],
    [77, [cut]],
  ] as const) {
    const manifest = manifestOf(one.key, [], { sequence, entries: [...entries], previous: "99".repeat(32) })
    expect(await one.upload(manifest)).toMatchObject({ from: sequence, to: sequence + entries.length - 1 })
  }
  expect(cloud.bucket.newest(one.key.id)?.to).toBe(1_001)
})

test("a second manifest with a sequence that is taken is kept, receipted, and raises an alert", async () => {
  const one = await camera()
  await one.upload(manifestOf(one.key, [randomObject(1_000)], { sequence: 4 }))
  await one.upload(manifestOf(one.key, [randomObject(1_000)], { sequence: 4 }))
  expect(cloud.stats).toMatchObject({ forks: 1, receipts: 2 })
  expect(lines).toContainEqual({ event: "fork", device: one.key.id, sequence: 4 })
  expect(cloud.bucket.manifests(one.key.id)).toHaveLength(2)
})

test("a manifest that is altered, another's, of another kind, or no manifest is refused with a reason", async () => {
  const one = await camera()
  const good = manifestOf(one.key, [randomObject(1_000)])
  const altered = Buffer.from(good.envelope)
  altered[120] = altered[120] === 65 ? 66 : 65
  const cases: [Buffer, string][] = [
    [altered, "bad signature"],
    [manifestOf(newKey(), [randomObject(1_000)], { device: one.key.id }).envelope, "bad signature"],
    [manifestOf(one.key, [randomObject(1_000)], { device: newKey().id }).envelope, "another device"],
    [heartbeatOf(one.key), "bad signature"],
    [Buffer.from(sign("manifest", { device: one.key.id }, one.key)), "malformed"],
    [Buffer.from("{}"), "malformed"],
  ]
  for (const [envelope, reason] of cases) {
    const have = one.nextHave()
    await one.say("manifest", envelope)
    expect(await have).toMatchObject({ refused: reason })
  }
  expect(cloud.bucket.devices()).toEqual([])
})

test("an object id that another camera or manifest holds is refused, and the holder's bytes stay", async () => {
  const object = randomObject(1_000)
  const holder = await camera()
  await holder.upload(manifestOf(holder.key, [object]))
  const thief = await camera()
  const have = thief.nextHave()
  await thief.say("manifest", manifestOf(thief.key, [object]).envelope)
  expect(await have).toMatchObject({ refused: "object id is taken" })
  const twice = holder.nextHave()
  const other = randomObject(2_000)
  await holder.say("manifest", manifestOf(holder.key, [other, other], { sequence: 1 }).envelope)
  expect(await twice).toMatchObject({ refused: "object id is taken" })
  expect((await bytesOf(object.entry.id)).equals(object.bytes)).toBe(true)
})

test("foreign topics, retained messages and oversize payloads end the connection that sent them", async () => {
  const victim = newKey()
  const attempts: [string, Buffer, mqtt.IClientPublishOptions, string][] = [
    [deviceTopic(victim.id, "manifest"), Buffer.from("x"), { qos: 1 }, "foreign topic"],
    [deviceTopic(victim.id, "receipt"), Buffer.from("x"), { qos: 0 }, "foreign topic"],
    ["$SYS/x", Buffer.from("x"), { qos: 0 }, "foreign topic"],
    ["obscura/1", Buffer.from("x"), { qos: 0 }, "foreign topic"],
    ["own", Buffer.from("x"), { qos: 1, retain: true }, "retained"],
    ["own", Buffer.alloc(65_001), { qos: 1 }, "oversize"],
    ["own", Buffer.from("x"), { qos: 2 }, "quality of service 2"],
    [pairingTopic("ab".repeat(16), "hello"), Buffer.alloc(PAIRING_BYTES_MAX + 1), { qos: 1 }, "oversize"],
  ]
  for (const [topic, payload, options, reason] of attempts) {
    const one = await camera()
    const ended = closed(one)
    one.client.publish(
      topic === "own" ? deviceTopic(one.key.id, "beat") : topic,
      payload,
      options,
      () => undefined,
    )
    await ended
    expect(lines).toContainEqual({ event: "door refused", client: one.key.id, reason })
  }
})

test("only literal filters of one's own are granted", async () => {
  const victim = newKey()
  const one = await camera()
  const stranger = await owner()
  const filters = [
    "#",
    "+/+",
    `obscura/1/${one.key.id}/+`,
    `obscura/1/${victim.id}/have`,
    "$SYS/#",
    "obscura/1/pair/#",
  ]
  for (const client of [one.client, stranger.client])
    for (const filter of filters) {
      const granted = await client.subscribeAsync(filter).catch((error: unknown) => error)
      expect(JSON.stringify(granted instanceof Error ? 128 : granted)).toContain("128")
    }
})

test("a bad password with a victim's client id never disconnects the victim", async () => {
  const victim = await camera()
  const thief = newKey()
  const tries = [
    { clientId: victim.key.id, password: password(thief, "camera", "test") },
    { clientId: victim.key.id, password: password(thief, "camera", "test", { client: victim.key.id }) },
    {
      clientId: victim.key.id,
      password: password(thief, "camera", "test", { key: victim.key.hex, client: victim.key.id }),
    },
    { clientId: victim.key.id, password: password(victim.key, "camera", "another broker") },
    { clientId: victim.key.id, password: password(victim.key, "owner", "test") },
    {
      clientId: victim.key.id,
      password: password(victim.key, "camera", "test", { binding: "00".repeat(32) }),
    },
    { clientId: victim.key.id, password: Buffer.from("guess") },
    { clientId: victim.key.id, password: Buffer.alloc(0) },
  ]
  for (const { clientId, password } of tries) {
    const attempt = TestCamera.connect(cloud.port, thief, keys.receipt, { clientId, password })
    await expect(attempt).rejects.toThrow(/not authorized|closed/i)
  }
  expect(victim.client.connected).toBe(true)
  await victim.upload(manifestOf(victim.key, [randomObject(1_000)]))
  expect(cloud.stats).toMatchObject({ connects: 1, failedConnects: tries.length })
})

test("the right password takes over one's own older connection", async () => {
  const key = newKey()
  const old = await camera(key)
  const ended = closed(old)
  const fresh = await camera(key)
  await ended
  await fresh.upload(manifestOf(key, [randomObject(1_000)]))
})

test("a will is the camera's own empty gone, or there is no connection", async () => {
  const key = newKey()
  const gone = deviceTopic(key.id, "gone")
  const refused = [
    { topic: gone, payload: Buffer.from("x") },
    { topic: deviceTopic(newKey().id, "gone"), payload: Buffer.alloc(0) },
    { topic: "any", payload: Buffer.alloc(0) },
    { topic: gone, payload: Buffer.alloc(0), retain: true },
  ]
  for (const will of refused)
    await expect(TestCamera.connect(cloud.port, key, keys.receipt, { will })).rejects.toThrow()
  const one = await TestCamera.connect(cloud.port, key, keys.receipt, {
    will: { topic: gone, payload: Buffer.alloc(0), qos: 1 },
  })
  one.client.stream.destroy()
  await (await camera(key)).upload(manifestOf(key, [randomObject(1_000)]))
})

test("a packet that announces more than any message may have is cut before it is gathered", async () => {
  // PUBLISH of 200 MB, of a client that may stay for as long as its keep-alive.
  const one = await camera()
  const ended = closed(one)
  one.client.stream.write(Buffer.from([0x32, 0x80, 0x80, 0x80, 0x64, 0]))
  await ended
  // CONNECT of as much, of nobody.
  const socket = connectSocket(cloud.port, "127.0.0.1")
  socket.on("error", () => undefined)
  const cut = once(socket, "close")
  socket.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x64, 0]))
  await cut
})

test("a camera that lost its spool is told its newest manifest", async () => {
  const one = await camera()
  const manifest = manifestOf(one.key, [randomObject(1_000)], { sequence: 9 })
  await one.upload(manifest)
  const head = one.next((heard) => heard.name === "other")
  await one.say("beat", heartbeatOf(one.key, { newest: 3 }))
  expect(await head).toMatchObject({ topic: deviceTopic(one.key.id, "head"), payload: manifest.envelope })
})

test("an owner hears and commands the cameras whose heartbeat names it, and no others", async () => {
  const one = await camera()
  const theirs = await owner()
  const stranger = await owner()
  const beat = deviceTopic(one.key.id, "beat")
  await one.say("beat", heartbeatOf(one.key, { owner: theirs.key.id }))
  await theirs.client.subscribeAsync([beat, deviceTopic(one.key.id, "answer")])
  await expect(stranger.client.subscribeAsync(beat)).rejects.toThrow()
  const heard = theirs.next((message) => message.name === "other" && message.topic === beat)
  await one.say("beat", heartbeatOf(one.key, { owner: theirs.key.id, number: 1 }))
  await heard
  const command = one.next((message) => message.name === "other")
  await theirs.client.publishAsync(deviceTopic(one.key.id, "command"), Buffer.from("c"), { qos: 1 })
  expect(await command).toMatchObject({ payload: Buffer.from("c") })
  const ended = closed(stranger)
  stranger.client.publish(deviceTopic(one.key.id, "command"), "c")
  await ended
})

test("an owner stops hearing a camera that names another owner", async () => {
  const one = await camera()
  const former = await owner()
  const latter = await owner()
  const beat = deviceTopic(one.key.id, "beat")
  await one.say("beat", heartbeatOf(one.key, { owner: former.key.id }))
  await former.client.subscribeAsync(beat)
  await one.say("beat", heartbeatOf(one.key, { owner: latter.key.id, number: 1 }))
  await latter.client.subscribeAsync(beat)
  const heard = latter.next(() => true)
  await one.say("beat", heartbeatOf(one.key, { owner: latter.key.id, number: 2 }))
  await heard
  expect(former.heard).toEqual([])
})

test("whoever knows the rendezvous can pair through it", async () => {
  const one = await camera()
  const two = await owner()
  const topic = pairingTopic("ab".repeat(16), "hello")
  await two.client.subscribeAsync(topic)
  const heard = two.next(() => true)
  await one.client.publishAsync(topic, "hello", { qos: 1 })
  expect(await heard).toMatchObject({ topic, payload: Buffer.from("hello") })
})

test("a taken port, a host off loopback without TLS and a used bucket are one line of advice each", async () => {
  const log = { write: () => undefined }
  const options = {
    directory: join(folder, "other"),
    host: "127.0.0.1",
    port: cloud.port,
    name: "test",
    keys,
    log,
  }
  const cases = [
    [options, /is taken; stop what listens there/],
    [{ ...options, host: "0.0.0.0" }, /plain TCP is for loopback/],
    [{ ...options, directory: join(folder, "bucket"), port: 0 }, /another process uses it/],
  ] as const
  for (const [wrong, advice] of cases)
    await expect(startCloud(wrong)).rejects.toSatisfy(
      (error) => isFault(error, "usage") && error.definite && advice.test(error.message),
    )
})

test("over TLS a password is bound to its connection", async () => {
  const openssl = judge("openssl")
  if (openssl === null) return
  const path = (name: string): string => join(folder, name)
  const made = spawnSync(openssl, [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test".split(" "),
    ...["-keyout", path("tls.key"), "-out", path("tls.crt")],
  ])
  expect(made.status).toBe(0)
  const tls = { key: await readFile(path("tls.key"), "utf8"), cert: await readFile(path("tls.crt"), "utf8") }
  const log = { write: () => undefined }
  const secure = await startCloud({
    directory: path("tls"),
    host: "127.0.0.1",
    port: 0,
    name: "test",
    keys,
    log,
    tls,
  })
  expect(secure.identity.brokerKey).toMatch(/^[0-9a-f]{64}$/)
  const key = newKey()
  const attempt = async (binding: (exporter: string) => string | null): Promise<boolean> => {
    const stream = connectTls({ port: secure.port, host: "127.0.0.1", rejectUnauthorized: false })
    await once(stream, "secureConnect")
    const exporter = stream
      .exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0))
      .toString("hex")
    const client = new mqtt.MqttClient(() => stream, {
      protocolVersion: 4,
      reconnectPeriod: 0,
      clientId: key.id,
      username: "camera",
      password: password(key, "camera", "test", { binding: binding(exporter) }),
    })
    client.on("error", () => undefined)
    let connected = false
    const answered = new Promise<void>((resolve) => {
      client.once("connect", () => {
        connected = true
        resolve()
      })
    })
    await Promise.race([answered, closed({ client })])
    await client.endAsync(true)
    return connected
  }
  expect(await attempt((exporter) => exporter)).toBe(true)
  expect(await attempt(() => null)).toBe(false)
  expect(await attempt(() => "ab".repeat(32))).toBe(false)
  await secure.close()
})

test("MQTT 5 is refused", async () => {
  const key = newKey()
  const attempt = connectAsync(
    `mqtt://127.0.0.1:${cloud.port}`,
    {
      protocolVersion: 5,
      reconnectPeriod: 0,
      clientId: key.id,
      username: "camera",
      password: password(key, "camera", "test"),
    },
    false,
  )
  await expect(attempt).rejects.toThrow()
})
