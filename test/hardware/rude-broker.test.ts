import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import {
  type AddressInfo,
  connect as connectTcp,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect, TLSSocket } from "node:tls"
import { afterEach, expect, test } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { Link } from "../../firmware/control/link.ts"
import type { LogLine } from "../../firmware/log.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { type Cloud, startCloud } from "../../harness/cloud/broker.ts"
import { openCloudKeys } from "../../harness/cloud/keys.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { seededRandom } from "../../simulator/random.ts"
import { mutant } from "../mutants.ts"
import { selfSigned } from "./certificate.ts"

const ends: (() => Promise<unknown> | unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const DIALLER = "hardware/dialler.ts"
const { certificate, key, pin } = selfSigned()

/** What one end does to the other once they have shaken hands; `tcp` is what lies below `socket`. */
type Rudeness = (socket: TLSSocket, tcp: Socket) => void

/** What a TLS broker may do to a camera that has only just shaken hands with it. */
const RUDENESS: Readonly<Record<string, Rudeness>> = {
  "says goodbye at once": (socket) => socket.end(),
  "hangs up at once": (socket) => socket.destroy(),
  "resets at once": (_socket, tcp) => tcp.resetAndDestroy(),
  "talks nonsense and hangs up": (socket) => socket.end(randomBytes(300)),
}

async function rudeBroker(behave: Rudeness): Promise<number> {
  return listening(
    createTcpServer((tcp) => {
      const socket = new TLSSocket(tcp, { isServer: true, cert: certificate, key })
      for (const each of [tcp, socket]) each.on("error", () => undefined)
      socket.once("secure", () => behave(socket, tcp))
    }),
  )
}

async function listening(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1")
  ends.push(() => server.close())
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

/** A camera's link to such a broker, until it has come back ten times. Rejects if the link does. */
async function comesBack(port: number): Promise<readonly LogLine[]> {
  const lines: LogLine[] = []
  const stop = new AbortController()
  const log = {
    write(line: LogLine) {
      lines.push(line)
      if (lines.filter(({ event }) => event === "disconnected").length === 10) stop.abort()
    },
  }
  const dialler = networkDialler(`mqtts://127.0.0.1:${port}`)
  const parts = { clock: virtualClock(), random: seededRandom(1), dialler, log }
  const { link: config } = parseConfig({ link: { retryFirst: 10, retryMax: 10, connectWithin: 500 } })
  const link = new Link(parts, config, {
    role: "camera",
    key: signingKeyOf(randomBytes(32)),
    broker: { name: "rude.example", pin },
    subscriptions: ["obscura/test"],
  })
  await link.run(stop.signal)
  return lines
}

test.each(Object.entries(RUDENESS))(
  "a TLS broker that %s costs a camera a pause, never its life",
  async (_what, behave) => {
    const lines = await comesBack(await rudeBroker(behave))
    expect(lines.filter(({ event }) => event === "connected")).toEqual([])
  },
)

/** As if the camera came to look at its connection only after the broker had hung up. */
async function lateToLook(check: string, byPin: string | null): Promise<unknown> {
  const port = await rudeBroker((socket) => socket.destroy())
  const from = "if (stream.destroyed)"
  const to = `await new Promise((resolve) => stream.once("close", resolve).resume()); ${check}`
  const late = await mutant<{ networkDialler: typeof networkDialler }>(DIALLER, { path: DIALLER, from, to })
  return late
    .networkDialler(`mqtts://localhost:${port}`, { ca: certificate })
    .dial(byPin, new AbortController().signal)
}

test.each([pin, null])(
  "a connection that is closed by the time it is looked at is a broker that hung up",
  async (by) => {
    await expect(lateToLook("if (stream.destroyed)", by)).rejects.toMatchObject({
      kind: "unavailable",
      definite: true,
      message: expect.stringMatching(/^dial: localhost:[0-9]+: it hung up$/),
    })
  },
)

test("a dialler that does not look whether anybody is there accuses the broker, or dies, and is found out", async () => {
  await expect(lateToLook("if (false)", pin)).rejects.toThrow("its key differs")
  await expect(lateToLook("if (false)", null)).rejects.toThrow(TypeError)
})

test("a broker that ends in the middle of the handshake is unavailable, and nothing stays open", async () => {
  const port = await listening(
    createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())),
  )
  const dial = networkDialler(`mqtts://127.0.0.1:${port}`).dial(pin, new AbortController().signal)
  await expect(dial).rejects.toMatchObject({ kind: "unavailable", definite: true })
})

async function cloud(): Promise<Cloud> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-rude-"))
  const one = await startCloud({
    host: "127.0.0.1",
    port: 0,
    name: "rude.example",
    directory: join(folder, "bucket"),
    keys: await openCloudKeys(join(folder, "keys.json")),
    log: { write: () => undefined },
    tls: { cert: certificate, key },
  })
  ends.push(async () => {
    await one.close()
    await rm(folder, { recursive: true, force: true })
  })
  return one
}

test("clients that shake hands, say half a word and hang up do not end the cloud", async () => {
  const { port, stats } = await cloud()
  const goodbyes: Rudeness[] = [
    ...Object.values(RUDENESS),
    // A whole CONNECT, whose password is looked at when the socket may be gone already.
    (socket, tcp) => socket.write(CONNECT, () => tcp.resetAndDestroy()),
    (socket) => socket.end(CONNECT),
  ]
  for (const goodbye of [...goodbyes, ...goodbyes, ...goodbyes]) {
    const tcp = connectTcp({ port, host: "127.0.0.1" })
    const socket = connect({ socket: tcp, rejectUnauthorized: false })
    for (const each of [tcp, socket]) each.on("error", () => undefined)
    const closed = once(tcp, "close")
    socket.once("secureConnect", () => goodbye(socket.resume(), tcp))
    await closed
  }
  expect(stats.connects).toBe(0)
  expect(stats.failedConnects).toBeGreaterThan(0)
})

/** MQTT 3.1.1 §3.1: clean session, user "camera", a password that proves nothing. */
const CONNECT = (() => {
  const field = (text: string) => Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)])
  const body = Buffer.concat([
    field("MQTT"),
    Buffer.from([4, 0xc2, 0, 60]),
    field("ab".repeat(20)),
    field("camera"),
    field("{}"),
  ])
  return Buffer.concat([Buffer.from([0x10, body.length]), body])
})()
