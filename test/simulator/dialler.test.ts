import { once } from "node:events"
import type { Duplex } from "node:stream"
import { Aedes } from "aedes"
import { MqttClient } from "mqtt"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { minutes, seconds } from "../../firmware/units.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { memoryDialler } from "../../simulator/dialler.ts"
import { type LinkFaults, noFaults } from "../../simulator/faults.ts"
import { FaultyDialler } from "../../simulator/faulty-dialler.ts"
import { seededRandom } from "../../simulator/random.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

const never = new AbortController().signal

interface Ends {
  readonly dialler: FaultyDialler
  readonly camera: Duplex
  readonly broker: Duplex
  /** What has arrived at each end so far. */
  readonly atCamera: () => string
  readonly atBroker: () => string
}

async function connected(faults: Partial<LinkFaults> = {}, seed = 1): Promise<Ends> {
  let broker: Duplex | null = null
  const inner = memoryDialler({
    accept: (stream) => {
      broker = stream
    },
  })
  const dialler = new FaultyDialler(
    inner,
    { ...noFaults.link, ...faults },
    virtualClock(),
    seededRandom(seed),
  )
  const { stream } = await dialler.dial(null, never)
  if (!broker) throw new Error("nobody accepted")
  return { dialler, camera: stream, broker, atCamera: heard(stream), atBroker: heard(broker) }
}

function heard(stream: Duplex): () => string {
  let text = ""
  stream.on("data", (chunk: Buffer) => {
    text += chunk.toString()
  })
  return () => text
}

describe("faulty dialler", () => {
  test("latency holds bytes up in both directions, in order", async () => {
    const { camera, broker, atBroker, atCamera } = await connected({ latency: 100 })
    camera.write("one ")
    camera.write("two")
    broker.write("three")
    await vi.advanceTimersByTimeAsync(99)
    expect([atBroker(), atCamera()]).toEqual(["", ""])
    await vi.advanceTimersByTimeAsync(1)
    expect([atBroker(), atCamera()]).toEqual(["one two", "three"])
  })

  test("a narrow link takes its time, and makes the sender wait", async () => {
    const { camera, atBroker } = await connected({ bytesPerSecond: 100_000 })
    camera.write(Buffer.alloc(50_000, "a"))
    camera.write(Buffer.alloc(50_000, "b"))
    expect(camera.write(Buffer.alloc(50_000, "c"))).toBe(false)
    await vi.advanceTimersByTimeAsync(600)
    expect(atBroker()).toHaveLength(50_000)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(atBroker()).toHaveLength(150_000)
  })

  test("a stall holds everything and loses nothing", async () => {
    const { dialler, camera, broker, atBroker, atCamera } = await connected({ stalled: true })
    camera.write("up")
    broker.write("down")
    await vi.advanceTimersByTimeAsync(minutes(5))
    expect([atBroker(), atCamera()]).toEqual(["", ""])
    dialler.faults = noFaults.link
    await vi.advanceTimersByTimeAsync(0)
    expect([atBroker(), atCamera()]).toEqual(["up", "down"])
  })

  test("a cut ends both sides, and dials are refused until it is over", async () => {
    const { dialler, camera, broker } = await connected({ cutDuration: seconds(10) })
    const closed = Promise.all([once(camera, "close"), once(broker, "close")])
    dialler.cut()
    await closed
    const refused = expect.objectContaining({ kind: "unavailable", definite: true })
    await expect(dialler.dial(null, never)).rejects.toEqual(refused)
    await vi.advanceTimersByTimeAsync(seconds(10))
    const { stream } = await dialler.dial(null, never)
    stream.destroy()
  })

  test("half-open: the broker's side ends, the camera's does not, and its writes vanish", async () => {
    const { dialler, camera, broker, atBroker } = await connected()
    const gone = once(broker, "close")
    const ended = vi.fn()
    camera.on("close", ended).on("end", ended).on("error", ended)
    dialler.halfOpen()
    await gone
    camera.write("is anybody there?")
    await vi.advanceTimersByTimeAsync(minutes(5))
    expect(ended).not.toHaveBeenCalled()
    expect(atBroker()).toBe("")
    const closed = once(camera, "close")
    camera.destroy()
    await closed
  })

  test("random cuts come, a seed repeats them, and a connection that ends first leaves no timer", async () => {
    const lived = async (seed: number) => {
      const { camera } = await connected({ cutsPerHour: 60 }, seed)
      const started = performance.now()
      let ended = 0
      camera.once("close", () => {
        ended = performance.now() - started
      })
      await vi.advanceTimersByTimeAsync(minutes(60))
      return ended
    }
    expect(await lived(1)).toBeGreaterThan(0)
    expect(Math.round(await lived(1))).toBe(Math.round(await lived(1)))
    expect(Math.round(await lived(1))).not.toBe(Math.round(await lived(2)))
    const { camera } = await connected({ cutsPerHour: 60 })
    const closed = once(camera, "close")
    camera.destroy()
    await closed
    expect(vi.getTimerCount()).toBe(0)
  })

  test("refusals come as often as asked", async () => {
    const { dialler } = await connected()
    dialler.faults = { ...noFaults.link, refuse: 1 }
    await expect(dialler.dial(null, never)).rejects.toThrow("connection refused")
  })
})

test("a real MQTT client and a real broker talk over it, and a cut reaches both", async () => {
  vi.useRealTimers()
  const aedes = await Aedes.createBroker()
  const clock = virtualClock()
  const inner = memoryDialler({ accept: (stream) => void aedes.handle(stream) })
  const dialler = new FaultyDialler(inner, { ...noFaults.link, latency: 1 }, clock, seededRandom(1))
  const { stream } = await dialler.dial(null, never)
  const client = new MqttClient(() => stream, { protocolVersion: 4, reconnectPeriod: 0, clientId: "camera" })
  await new Promise((resolve) => client.once("connect", resolve))

  const payload = Buffer.alloc(65_000, 5)
  const published = new Promise<unknown>((resolve) => {
    aedes.on("publish", (packet, publisher) => publisher && resolve(packet.payload))
  })
  await client.publishAsync("obscura/test", payload, { qos: 1 })
  expect(payload.equals((await published) as Buffer)).toBe(true)

  const gone = Promise.all([
    new Promise<void>((resolve) => client.once("close", resolve)),
    new Promise((resolve) => aedes.once("clientDisconnect", resolve)),
  ])
  dialler.cut()
  await gone
  await client.endAsync()
  await new Promise<void>((resolve) => aedes.close(resolve))
})
