import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { Fault } from "../../firmware/errors.ts"
import type { HealthReading } from "../../firmware/ports.ts"
import type { World } from "../../hardware/selftest/world.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { scriptedHealth } from "../../simulator/health.ts"
import { seededRandom } from "../../simulator/random.ts"
import { ScriptedBroker } from "../scripted-broker.ts"
import {
  check,
  config,
  fakeTime,
  finding,
  goodOperator,
  goodWorld,
  jigOn,
  keyFile,
  missing,
  noisy,
  showing,
} from "./selftest-world.ts"

beforeEach(fakeTime)
afterEach(() => void vi.useRealTimers())

const healthy: HealthReading = { temperatureCelsius: 48, undervoltage: false, throttled: false }
const noLuma = missing("raspivid gives H.264 alone")
const healthOf = (reading: Partial<HealthReading>) => ({
  health: scriptedHealth(() => ({ ...healthy, ...reading })),
})
const named = (lens: object): Partial<World> => ({ config: { ...config, lens: { ...config.lens, ...lens } } })

/** A memory that takes `milliseconds` for each put. */
function slowStore(milliseconds: number) {
  const clock = virtualClock()
  const store = new MemoryDisk({ clock, random: seededRandom(1, "disk") })
  const put = store.put.bind(store)
  return Object.assign(store, {
    put: async (name: string, parts: readonly Uint8Array[]) => {
      await clock.sleep(milliseconds)
      await put(name, parts)
    },
  })
}

const fullStore = () => {
  const clock = virtualClock()
  return new MemoryDisk({ clock, random: seededRandom(1, "disk"), bytesMax: 100_000 })
}

/** Each way in which a board can be broken, and what the check says of it. */
const BROKEN: readonly [check: string, how: string, world: Partial<World>, says: RegExp][] = [
  ["lens", "no camera", { lens: missing("no camera is found: switch the power off") }, /no camera is found/],
  ["lens", "bytes that are no video", { lens: () => garbage() }, /no picture that can be decoded/],
  ["lens", "pictures that stop", { lens: () => showing({ slower: 30 }) }, /stops giving pictures/],
  ["lens", "another size", named({ width: 1920, height: 1080 }), /1920 x 1080 was asked for/],
  ["lens", "key frames too far apart", named({ groupOfPictures: 300 }), /key frame only every/],
  ["lens", "bits that fall over", { lens: () => showing({ flawed: true }) }, /skipped \d+ times/],
  [
    "frame rate",
    "half the pictures",
    { lens: () => showing({ slower: 2 }) },
    /^7\.5 frames a second, 15 asked/,
  ],
  [
    "frame rate",
    "twice the pictures",
    { lens: () => showing({ slower: 0.5 }) },
    /^30 frames a second, 15 asked/,
  ],
  ["bitrate", "too many bits", named({ bitsPerSecond: 100_000 }), /0\.10 Mbit\/s asked for/],
  ["bitrate", "hardly any bits", named({ bitsPerSecond: 20_000_000 }), /20\.00 Mbit\/s asked for/],
  ["picture", "a cap on the lens", { luma: () => noisy({ dark: 16, bright: 16 }) }, /^black/],
  ["picture", "too much light", { luma: () => noisy({ dark: 252, bright: 252 }) }, /^white/],
  ["picture", "no lens before the sensor", { luma: () => noisy({ dark: 90, bright: 92 }) }, /^one even grey/],
  ["picture", "a camera that ends", { luma: () => noisy({ pictures: 3 }) }, /gave 3 uncompressed pictures/],
  ["frozen", "the same picture again and again", { luma: () => noisy({ noise: 0 }) }, /^frozen/],
  ["disk", "a slow card", { scratch: () => slowStore(700) }, /^slow/],
  ["disk", "a full card", { scratch: fullStore }, /no room|full/i],
  ["disk", "no folder", { scratch: missing("disk: may not write /var/lib/obscura") }, /may not write/],
  ["free space", "a small card", { disk: fullStore }, /a larger card/],
  [
    "clock",
    "no NTP",
    { clock: { ...virtualClock(), real: () => ({ at: 0, uncertainty: Infinity }) } },
    /NTP/,
  ],
  ["clock", "time that falls", { clock: fallingClock() }, /fell \d+ times/],
  ["clock", "time that stands", { clock: { ...virtualClock(), monotonic: () => 5 } }, /took 0 ms/],
  [
    "network",
    "no cable",
    { network: { defaultRoute: async () => null, resolve: async () => noName() } },
    /no default route/,
  ],
  [
    "network",
    "no name",
    { network: { defaultRoute: async () => "eth0", resolve: async () => noName() } },
    /no such name/,
  ],
  [
    "broker",
    "nobody there",
    { broker: { host: "b", dialler: { dial: missing("dial: b: connection refused") } } },
    /refused/,
  ],
  ["key", "no key", { keyFile: async () => null }, /none yet/],
  ["key", "a key that others may read", { keyFile: async () => keyFile({ mode: 0o644 }) }, /others may read/],
  [
    "key",
    "a folder that others may enter",
    { keyFile: async () => keyFile({ folderMode: 0o755 }) },
    /others may read/,
  ],
  ["key", "another user's key", { keyFile: async () => keyFile({ ours: false }) }, /another user's/],
  ["temperature", "a hot board", healthOf({ temperatureCelsius: 82 }), /^hot: 82\.0/],
  ["power", "undervoltage", healthOf({ undervoltage: true }), /^undervoltage/],
  ["power", "throttling", healthOf({ throttled: true }), /^throttled/],
  ["recording light", "no pins", { pins: missing("no GPIO chip") }, /no GPIO chip/],
  ["button", "no pins", { pins: missing("no GPIO chip") }, /no GPIO chip/],
]

describe("each check passes on a good board", () => {
  test.each([...new Set(BROKEN.map(([name]) => name))])("%s", async (name) => {
    const world = await goodWorld()
    const found = await finding(check(name), world, { operator: goodOperator(world.io) })
    expect([found.verdict, found.why]).toEqual(["pass", expect.any(String)])
  })
})

describe("and fails, saying why, on", () => {
  test.each(BROKEN)("%s: %s", async (name, _how, changes, says) => {
    const world = await goodWorld(changes)
    const found = await finding(check(name), world)
    expect(found).toMatchObject({ verdict: "fail", why: expect.stringMatching(says) })
  })
})

test("a slow sealer is measured by the clock", async () => {
  let now = 0
  const clock = { ...virtualClock(), monotonic: () => (now += 900) }
  const found = await finding(check("crypto"), await goodWorld({ clock }))
  expect(found).toMatchObject({ verdict: "fail", why: expect.stringMatching(/carries 0|carries 1/) })
})

test("a sealer that keeps up says how many streams one core carries", async () => {
  vi.useRealTimers()
  const found = await check("crypto").run(jigOn(await goodWorld()))
  expect(found).toMatchObject({
    verdict: "pass",
    why: expect.stringMatching(/MB\/s sealed: one core carries \d+/),
  })
})

test("without uncompressed pictures nobody can say what is to be seen, and the whole is not a pass", async () => {
  const world = await goodWorld({ luma: noLuma })
  for (const name of ["picture", "frozen"])
    expect(await finding(check(name), world)).toMatchObject({
      verdict: "skipped",
      why: "raspivid gives H.264 alone",
    })
  expect(check("frozen").mandatory).toBe(true)
})

test("what the settings have no pin for is skipped", async () => {
  const world = await goodWorld({ config: parseConfig() })
  for (const name of ["status light", "shutter"])
    expect(await finding(check(name), world)).toMatchObject({
      verdict: "skipped",
      why: expect.stringMatching(/no pin/),
    })
})

test("a network without a broker to look up is skipped, and one of this machine needs no way out", async () => {
  const alone = { defaultRoute: async () => null, resolve: async () => noName() }
  expect(await finding(check("network"), await goodWorld({ broker: null }))).toMatchObject({
    verdict: "skipped",
  })
  const { dialler } = new ScriptedBroker()
  const local = await goodWorld({ network: alone, broker: { host: "127.0.0.1", dialler } })
  expect(await finding(check("network"), local)).toMatchObject({ verdict: "pass" })
})

test("a kernel that tells nothing of heat and power is skipped", async () => {
  const world = await goodWorld(healthOf({ temperatureCelsius: null, undervoltage: null, throttled: null }))
  for (const name of ["temperature", "power"])
    expect((await finding(check(name), world)).verdict).toBe("skipped")
})

test("a key that everybody knows fails", async () => {
  const world = await goodWorld()
  const known = { version: 1, seed: "00".repeat(32) }
  await world.memory.private.put("identity", [Buffer.from(JSON.stringify(known))])
  expect(await finding(check("key"), world)).toMatchObject({
    verdict: "fail",
    why: expect.stringMatching(/everybody knows/),
  })
})

test("a damaged key fails, and is not repeated", async () => {
  const world = await goodWorld()
  await world.memory.private.put("identity", [Buffer.from('{"version":1,"seed":"c0ffee"}')])
  const { verdict, why } = await finding(check("key"), world)
  expect(verdict).toBe("fail")
  expect(why).not.toContain("c0ffee")
})

function noName(): never {
  throw new Fault("unavailable", "broker.example: no such name")
}

function fallingClock() {
  const clock = virtualClock()
  let asked = 0
  return { ...clock, monotonic: () => clock.monotonic() - (++asked % 100 === 0 ? 5 : 0) }
}

function garbage() {
  const clock = virtualClock()
  return {
    async *pieces(signal: AbortSignal) {
      while (!signal.aborted) {
        await clock.sleep(500, signal)
        yield { bytes: new Uint8Array(1_000).fill(0x55), at: clock.monotonic() }
      }
    },
  }
}
