import { once } from "node:events"
import { type AddressInfo, createServer, type Server } from "node:net"
import type { Duplex } from "node:stream"
import { createServer as createTlsServer, type TLSSocket } from "node:tls"
import { afterEach, describe, expect, test } from "vitest"
import type { Dialler } from "../../firmware/ports.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { memoryDialler } from "../../simulator/dialler.ts"
import { noFaults } from "../../simulator/faults.ts"
import { FaultyDialler } from "../../simulator/faulty-dialler.ts"
import { seededRandom } from "../../simulator/random.ts"
import { selfSigned } from "../hardware/certificate.ts"

interface DiallerUnderTest {
  readonly dialler: Dialler
  /** What the right broker proves; null: it proves nothing. */
  readonly pin: string | null
  /** The broker's end of the connection that was dialled last, and what its side takes for the binding. */
  accepted(): Promise<{ stream: Duplex; binding: Uint8Array | null }>
  /** From now on nobody accepts. */
  goAway?(): Promise<void>
}

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})
const never = new AbortController().signal
const wrongPin = "ab".repeat(32)

async function listening(server: Server): Promise<number> {
  servers.push(server.listen(0, "127.0.0.1"))
  await once(server, "listening")
  return (server.address() as AddressInfo).port
}

async function goAway(server: Server): Promise<void> {
  servers.splice(servers.indexOf(server), 1)
  server.close()
  await once(server, "close")
}

function inMemory(): DiallerUnderTest {
  let broker: Duplex
  return {
    dialler: memoryDialler({
      accept: (stream) => {
        broker = stream
      },
      pin: "cd".repeat(32),
    }),
    pin: "cd".repeat(32),
    accepted: async () => ({ stream: broker, binding: null }),
  }
}

const makers: Readonly<Record<string, () => Promise<DiallerUnderTest>>> = {
  async TCP() {
    const server = createServer()
    const dialler = networkDialler(`mqtt://127.0.0.1:${await listening(server)}`)
    const connection = once(server, "connection")
    return {
      dialler,
      pin: null,
      accepted: async () => ({ stream: (await connection)[0] as Duplex, binding: null }),
      goAway: () => goAway(server),
    }
  },
  async TLS() {
    const { certificate, key, pin } = selfSigned()
    const server = createTlsServer({ cert: certificate, key, minVersion: "TLSv1.3" })
    const dialler = networkDialler(`mqtts://127.0.0.1:${await listening(server)}`)
    const connection = once(server, "secureConnection")
    return {
      dialler,
      pin,
      async accepted() {
        const [stream] = (await connection) as [TLSSocket]
        const binding = stream.exportKeyingMaterial(32, "EXPORTER-Channel-Binding", Buffer.alloc(0))
        return { stream, binding }
      },
      goAway: () => goAway(server),
    }
  },
  async memory() {
    return inMemory()
  },
  async "memory through a faulty network without faults"() {
    const { dialler, ...rest } = inMemory()
    return { ...rest, dialler: new FaultyDialler(dialler, noFaults.link, virtualClock(), seededRandom(1)) }
  },
}

describe.each(Object.entries(makers))("%s dialler", (_name, make) => {
  test("bytes arrive on both sides as they were sent, more of them than any buffer holds", async () => {
    const { dialler, pin, accepted } = await make()
    const { stream } = await dialler.dial(pin, never)
    const broker = (await accepted()).stream
    broker.on("error", ignoreReset).pipe(broker)
    const sent = Buffer.alloc(3_000_000, "all work and no play ")
    const echoed = collect(stream, sent.length)
    for (let offset = 0; offset < sent.length; offset += 65_000)
      if (!stream.write(sent.subarray(offset, offset + 65_000))) await once(stream, "drain")
    expect(sent.equals(await echoed)).toBe(true)
    stream.destroy()
  })

  test("a receiver that does not read makes the sender wait", async () => {
    const { dialler, pin, accepted } = await make()
    const { stream } = await dialler.dial(pin, never)
    const broker = (await accepted()).stream
    const chunk = Buffer.alloc(65_536)
    // 32 MB are more than any loopback socket buffers: a sender that is never told to wait never gets out of here.
    while (stream.writableLength < 500 * chunk.length && stream.write(chunk)) await nextTurn()
    expect(stream.writableNeedDrain).toBe(true)
    broker.on("error", ignoreReset).resume()
    await once(stream, "drain")
    stream.destroy()
  })

  test.each(["end", "destroy"] as const)("the camera's %s ends the broker's side", async (way) => {
    const { dialler, pin, accepted } = await make()
    const { stream } = await dialler.dial(pin, never)
    const broker = (await accepted()).stream
    const closed = once(broker.resume().on("error", ignoreReset), "close")
    stream[way]()
    await closed
  })

  test.each(["end", "destroy"] as const)("the broker's %s ends the camera's side", async (way) => {
    const { dialler, pin, accepted } = await make()
    const { stream } = await dialler.dial(pin, never)
    const broker = (await accepted()).stream
    const closed = once(stream.resume().on("error", ignoreReset), "close")
    broker[way]()
    await closed
  })

  test("what was written before an end still arrives", async () => {
    const { dialler, pin, accepted } = await make()
    const { stream } = await dialler.dial(pin, never)
    const broker = (await accepted()).stream
    const received = collect(broker, 100_000)
    stream.end(Buffer.alloc(100_000, 7))
    expect((await received).equals(Buffer.alloc(100_000, 7))).toBe(true)
  })

  test("another key than the pinned one is Fault refused, definite", async () => {
    const { dialler } = await make()
    await expect(dialler.dial(wrongPin, never)).rejects.toEqual(
      expect.objectContaining({ kind: "refused", definite: true }),
    )
  })

  test("both sides have the same binding", async () => {
    const { dialler, pin, accepted } = await make()
    const { stream, binding } = await dialler.dial(pin, never)
    expect(binding).toEqual((await accepted()).binding)
    stream.destroy()
  })

  test("a dial that is given up is Fault unavailable, definite", async () => {
    const { dialler, pin } = await make()
    await expect(dialler.dial(pin, AbortSignal.abort())).rejects.toEqual(
      expect.objectContaining({ kind: "unavailable", definite: true }),
    )
  })
})

describe.each(["TCP", "TLS"])("%s dialler", (name) => {
  test("a broker that is not there is Fault unavailable, definite, in one line that says so", async () => {
    const { dialler, pin, goAway } = (await makers[name]?.()) ?? {}
    await goAway?.()
    const dial = dialler?.dial(pin ?? null, never)
    await expect(dial).rejects.toEqual(expect.objectContaining({ kind: "unavailable", definite: true }))
    await expect(dial).rejects.toThrow(
      /^dial: 127\.0\.0\.1:\d+: connection refused: is the broker running\?$/,
    )
  })
})

function collect(stream: Duplex, length: number): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let received = 0
    stream.on("data", (chunk: Buffer) => {
      chunks.push(chunk)
      received += chunk.length
      if (received >= length) resolve(Buffer.concat(chunks))
    })
  })
}

/** An end that was still writing or had not read everything hears of the other's end as an error, on sockets too. */
function ignoreReset(error: Error & { code?: string }): void {
  expect(["ECONNRESET", "EPIPE"]).toContain(error.code)
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
