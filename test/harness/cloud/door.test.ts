import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { connect as connectSocket } from "node:net"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import mqtt, { connectAsync } from "mqtt"
import { expect, test } from "vitest"
import { deviceTopic, PAIRING_BYTES_MAX, pairingTopic } from "../../../firmware/control/protocol.ts"
import { startCloud } from "../../../harness/cloud/broker.ts"
import { judge } from "../../support.ts"
import { manifestOf, newKey, password, randomObject, TestCamera } from "./camera.ts"
import { closed, runningCloud } from "./running-cloud.ts"

const running = runningCloud()
const { camera, owner } = running

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
    expect(running.lines).toContainEqual({ event: "door refused", client: one.key.id, reason })
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
    const attempt = TestCamera.connect(running.cloud.port, thief, running.keys.receipt, {
      clientId,
      password,
    })
    await expect(attempt).rejects.toThrow(/not authorized|closed/i)
  }
  expect(victim.client.connected).toBe(true)
  await victim.upload(manifestOf(victim.key, [randomObject(1_000)]))
  expect(running.cloud.stats).toMatchObject({ connects: 1, failedConnects: tries.length })
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
    await expect(
      TestCamera.connect(running.cloud.port, key, running.keys.receipt, { will }),
    ).rejects.toThrow()
  const one = await TestCamera.connect(running.cloud.port, key, running.keys.receipt, {
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
  const socket = connectSocket(running.cloud.port, "127.0.0.1")
  socket.on("error", () => undefined)
  const cut = once(socket, "close")
  socket.write(Buffer.from([0x10, 0x80, 0x80, 0x80, 0x64, 0]))
  await cut
})

test("over TLS a password is bound to its connection", async () => {
  const openssl = judge("openssl")
  if (openssl === null) return
  const path = (name: string): string => join(running.folder, name)
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
    keys: running.keys,
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
    `mqtt://127.0.0.1:${running.cloud.port}`,
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
