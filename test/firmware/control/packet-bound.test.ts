import { PassThrough } from "node:stream"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { openMqtt } from "../../../firmware/control/connection.ts"
import { boundIncomingPackets } from "../../../firmware/control/packet-bound.ts"
import { PAYLOAD_BYTES_MAX } from "../../../firmware/control/protocol.ts"
import { seconds } from "../../../firmware/units.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { mutant } from "../../mutants.ts"
import { ScriptedBroker } from "../../scripted-broker.ts"

const PATH = "firmware/control/packet-bound.ts"
const BYTES_MAX = 300

/** Header and remaining length as MQTT spells them, without the rest. */
function header(length: number): number[] {
  const bytes = [0x30]
  for (let left = length; ; left = Math.floor(left / 128)) {
    bytes.push((left % 128) + (left >= 128 ? 128 : 0))
    if (left < 128) return bytes
  }
}

const packet = fc
  .nat(BYTES_MAX)
  .chain((length) => fc.uint8Array({ minLength: length, maxLength: length }))
  .map((body) => [...header(body.length), ...body])

/** At which byte, split into pieces of `sizes`, the watcher called out; null: never. */
function calledAt(
  bound: typeof boundIncomingPackets,
  bytes: readonly number[],
  sizes: readonly number[],
): number | null {
  const stream = new PassThrough()
  let seen = 0
  let called: number | null = null
  bound(stream, BYTES_MAX, () => {
    called ??= seen
  })
  const pieces = [...sizes, bytes.length]
  for (let at = 0; at < bytes.length && called === null; ) {
    const piece = bytes.slice(at, at + (pieces.shift() ?? bytes.length))
    seen = at += piece.length
    stream.emit("data", Uint8Array.from(piece))
  }
  return called
}

const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 40 })
const oneByOne = (bytes: readonly number[]) => bytes.map(() => 1)

describe("the watch over incoming packets", () => {
  test("lets packets of any length up to the bound pass, split anywhere", () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 8 }), sizes, (packets, split) => {
        expect(calledAt(boundIncomingPackets, packets.flat(), split)).toBeNull()
      }),
    )
  })

  function callsOutInTime(bound: typeof boundIncomingPackets): void {
    const tooLong = fc.integer({ min: BYTES_MAX + 1, max: 268_435_455 })
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 4 }), tooLong, sizes, (packets, length, split) => {
        const bytes = [...packets.flat(), ...header(length)]
        // At the latest when the announcement is complete: not one byte of the packet itself is waited for.
        expect(calledAt(bound, bytes, split)).not.toBeNull()
        expect(calledAt(bound, bytes, oneByOne(bytes))).toBeGreaterThan(packets.flat().length)
      }),
    )
    // A fifth byte of length is no MQTT at all.
    expect(calledAt(bound, [0x30, 0x80, 0x80, 0x80, 0x80], [])).not.toBeNull()
  }

  test("calls out as soon as a packet announces more, before any of it has come", () => {
    callsOutInTime(boundIncomingPackets)
  })

  test.each([
    ["does not compare", "length > bytesMax ||", ""],
    ["reads the length from the wrong end", "* 2 ** shift", "* 2 ** (21 - shift)"],
    ["loses its place at the end of a piece", "toSkip -= skipped", "toSkip -= skipped + 1"],
    ["gathers lengths without end", "(shift === 28 && byte > 0x7f)", "false"],
  ])("one that %s is found out", async (_what, from, to) => {
    const bent = await mutant<{ boundIncomingPackets: typeof boundIncomingPackets }>(PATH, {
      path: PATH,
      from,
      to,
    })
    expect(() => callsOutInTime(bent.boundIncomingPackets)).toThrow()
  })

  test("comes to the same end on any bytes, however they are split", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), sizes, (random, split) => {
        const bytes = [...random]
        const whole = calledAt(boundIncomingPackets, bytes, oneByOne(bytes))
        const cut = calledAt(boundIncomingPackets, bytes, split)
        expect(cut === null).toBe(whole === null)
      }),
    )
  })
})

/** A camera's connection, and what it heard; `open` may be a mutant's. */
async function connected(open: typeof openMqtt = openMqtt) {
  const broker = new ScriptedBroker()
  const heard: number[] = []
  const { signal } = new AbortController()
  const connection = await open(await broker.dialler.dial(null, signal), virtualClock(), {
    clientId: "camera",
    username: "camera",
    password: Buffer.from("password"),
    keepAlive: seconds(60),
    connectWithin: seconds(5),
    subscriptions: ["to/camera"],
    willTopic: null,
    onMessage: (_topic, payload) => void heard.push(payload.length),
    signal,
  })
  return { broker, connection, heard }
}

/** Resolves false if the connection still stands when a later message has come through. */
async function ends({ broker, connection, heard }: Awaited<ReturnType<typeof connected>>): Promise<boolean> {
  const before = heard.length
  broker.say("to/camera", Buffer.alloc(7))
  const cameThrough = (async () => {
    while (heard.length === before) await new Promise((resolve) => setImmediate(resolve))
    return false
  })()
  return Promise.race([cameThrough, connection.ended.then(() => true)])
}

describe("a camera's connection", () => {
  test("takes the longest message that there is, and stays", async () => {
    const one = await connected()
    one.broker.say("to/camera", Buffer.alloc(PAYLOAD_BYTES_MAX), 1)
    expect(await ends(one)).toBe(false)
    expect(one.heard).toEqual([PAYLOAD_BYTES_MAX, 7])
    one.connection.end()
  })

  const huge = (one: Awaited<ReturnType<typeof connected>>) => one.broker.bytes(Buffer.from(header(200_000)))
  const exactlyOnce = (one: Awaited<ReturnType<typeof connected>>) =>
    one.broker.say("to/camera", Buffer.alloc(9), 2)

  test("ends when a packet announces more than any message may have, before its bytes come", async () => {
    const one = await connected()
    huge(one)
    await one.connection.ended
  })

  test("ends when the broker sends at quality 2, and the message is not heard", async () => {
    const one = await connected()
    exactlyOnce(one)
    await one.connection.ended
    expect(one.heard).toEqual([])
  })

  test.each([
    ["quality 2", exactlyOnce, 'if (packet.cmd === "publish" && packet.qos > 1) end()', ""],
    ["too long", huge, "boundIncomingPackets(stream, PAYLOAD_BYTES_MAX + TOPIC_BYTES_MAX, end)", ""],
  ])("that does not look at what is %s stays, and is found out", async (_what, attack, from, to) => {
    const path = "firmware/control/connection.ts"
    const { openMqtt: bent } = await mutant<{ openMqtt: typeof openMqtt }>(path, { path, from, to })
    const one = await connected(bent)
    attack(one)
    // What was announced and never came would swallow what follows: so the bytes are made good first.
    if (attack === huge) one.broker.bytes(Buffer.concat([Buffer.from([0, 1, 65]), Buffer.alloc(199_997)]))
    expect(await ends(one)).toBe(false)
    one.connection.end()
  })

  test("survives any bytes, split anywhere: it goes on or ends, and nothing is thrown", async () => {
    const noise = fc.uint8Array({ maxLength: 60 }).map((bytes) => [...bytes])
    const almost = fc
      .tuple(fc.nat(255), fc.uint8Array({ maxLength: 30 }), fc.integer({ min: -2, max: 2 }))
      .map(([type, body, error]) => [type, Math.max(0, body.length + error), ...body])
    const piece = fc.oneof(noise, almost, almost)
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), sizes, async (pieces, split) => {
        const one = await connected()
        const bytes = Buffer.from(pieces.flat())
        let at = 0
        for (const size of [...split, bytes.length]) {
          one.broker.bytes(bytes.subarray(at, at + size))
          at += size
          await new Promise((resolve) => setImmediate(resolve))
        }
        for (const length of one.heard) expect(length).toBeLessThanOrEqual(PAYLOAD_BYTES_MAX)
        one.connection.end()
        await one.connection.ended
      }),
      { numRuns: 150 },
    )
  })
})
