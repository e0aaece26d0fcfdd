import { vi } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { openIdentity } from "../../firmware/control/identity.ts"
import { OwnershipFile } from "../../firmware/control/ownership.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Frame, Lens, Piece } from "../../firmware/ports.ts"
import type { Check, CheckResult, Finding, Jig } from "../../hardware/selftest/check.ts"
import { LensSeen } from "../../hardware/selftest/lens-seen.ts"
import type { Operator } from "../../hardware/selftest/operator.ts"
import type { SelfTestRecord } from "../../hardware/selftest/record.ts"
import { CHECKS, type SelfTestOptions, selfTest } from "../../hardware/selftest/self-test.ts"
import type { World } from "../../hardware/selftest/world.ts"
import { OwnerKeys } from "../../harness/owner/keys.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { loadScene } from "../../simulator/footage.ts"
import { scriptedHealth } from "../../simulator/health.ts"
import { seededRandom } from "../../simulator/random.ts"
import { VirtualIo } from "../../simulator/virtual-io.ts"
import { ScriptedBroker } from "../scripted-broker.ts"

const scene = await loadScene("day-dog")

/** Virtual time: everything that waits is due as soon as `soon` waits for it. */
export function fakeTime(): void {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  })
}

/** Lets virtual time go on until `work` is done. */
export async function soon<T>(work: Promise<T>): Promise<T> {
  let isDone = false
  const done = () => {
    isDone = true
  }
  work.then(done, done)
  while (!isDone) {
    await vi.advanceTimersByTimeAsync(20)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return work
}

export const config = parseConfig({
  lens: { width: scene.width, height: scene.height, framesPerSecond: 15, bitsPerSecond: 1_000_000 },
  pins: { status: 23, shutter: 18 },
})
export const PINS = { motion: 17, bell: 27, light: 22, status: 23, shutter: 18 } as const

export interface GoodWorld extends World {
  readonly io: VirtualIo
  readonly memory: MemoryDisk
  readonly device: string
}

/** A board on which all is well, a minute after it was switched on. */
export async function goodWorld(changes: Partial<World> = {}): Promise<GoodWorld> {
  const clock = { ...virtualClock(), real: () => ({ at: Date.now(), uncertainty: 1_000 }) }
  const random = seededRandom(7, "self-test")
  const io = new VirtualIo()
  const memory = new MemoryDisk({ clock, random, bytesMax: 32e9 })
  const { device } = await openIdentity(memory)
  const scratch = new MemoryDisk({ clock, random })
  return {
    ...{ config, clock, random, io, memory, device, health: scriptedHealth() },
    network: { defaultRoute: async () => "wlan0", resolve: async () => ["192.0.2.7"] },
    uptime: () => 60_000,
    lens: () => showing({}),
    lensChoice: { program: "rpicam-vid", reason: "it is there" },
    luma: () => noisy({}),
    pins: () => io,
    disk: () => memory,
    scratch: () => scratch,
    keyFile: async () => ({ mode: 0o600, folderMode: 0o700, ours: true }),
    broker: { host: "broker.example", dialler: new ScriptedBroker().dialler },
    ...changes,
  }
}

/** A camera that shows the scene, group by group. */
export function showing({ slower = 1, keyFramesOnlyEvery = 1, flawed = false }): Lens {
  const clock = virtualClock()
  return {
    async *pieces(signal): AsyncGenerator<Piece> {
      for (let index = 0; !signal.aborted; index++) {
        const group = scene.groups[index % scene.groups.length]
        if (!group || index % keyFramesOnlyEvery !== 0) continue
        await clock.sleep((group.duration / 90) * slower, signal)
        const bytes = Uint8Array.from(group.bytes)
        // An SPS that cannot be read.
        if (flawed && index % 2 === 1) bytes.fill(0xff, 5, 12)
        yield { bytes, at: clock.monotonic() }
      }
    },
  }
}

/** Uncompressed pictures of a slope from `dark` to `bright`, with a sensor's noise. */
export function noisy({ dark = 40, bright = 200, noise = 3, pictures = Number.POSITIVE_INFINITY }) {
  const random = seededRandom(3, "noise")
  const clock = virtualClock()
  return async function* (signal: AbortSignal): AsyncGenerator<Frame> {
    const [width, height] = [32, 24]
    const luma = new Uint8Array(width * height)
    for (let index = 0; index < pictures && !signal.aborted; index++) {
      await clock.sleep(250, signal)
      for (let i = 0; i < luma.length; i++)
        luma[i] = dark + ((i % width) / width) * (bright - dark) + Math.floor(random.next() * noise)
      yield { at: clock.monotonic(), width, height, luma }
    }
  }
}

/** Pictures that are dark while the servo's pulse (in microseconds) has the lid before the lens. */
export function behindLid(io: VirtualIo, covers = (pulse: number) => pulse > 1_000) {
  return () => (signal: AbortSignal) =>
    noisy(covers(io.level(PINS.shutter)) ? { dark: 16, bright: 16 } : {})(signal)
}

export const missing = (message: string) => (): never => {
  throw new Fault("unavailable", message)
}

/** Somebody who does as told and says what there is to see. */
export function goodOperator(io: VirtualIo, changes: Partial<Operator> = {}): Operator {
  return {
    tell(text) {
      if (/^Press/.test(text)) {
        io.set(PINS.bell, 1)
        setTimeout(() => io.set(PINS.bell, 0), 300)
      }
      if (/^Now move/.test(text)) io.set(PINS.motion, 1)
    },
    ask: async (question) => io.level(/recording/.test(question) ? PINS.light : PINS.status) > 0,
    ...changes,
  }
}

export function jigOn(world: World, changes: Partial<Jig> = {}): Jig {
  const { signal } = new AbortController()
  return {
    world,
    operator: null,
    serial: "10000000abcdef01",
    seen: [],
    signal,
    lens: new LensSeen(world, signal),
    ...changes,
  }
}

/** What `check` finds on `world`; a thrown Fault as the self-test has it, a failure. */
export async function finding(check: Check, world: World, changes: Partial<Jig> = {}): Promise<Finding> {
  try {
    return await soon(check.run(jigOn(world, changes)))
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { verdict: "fail", why: error.message }
  }
}

export async function wholeTest(
  world: World,
  changes: Partial<SelfTestOptions> = {},
): Promise<CheckResult[]> {
  const all = async () => {
    const results: CheckResult[] = []
    const options = { operator: null, serial: "10000000abcdef01", seen: [], ...changes }
    for await (const result of selfTest(world, options, new AbortController().signal)) results.push(result)
    return results
  }
  return soon(all())
}

/** Gives the camera an owner whose broker has this key. */
export async function pair({ memory, device }: GoodWorld, pin: string | null): Promise<void> {
  const keys = await OwnerKeys.create()
  const identity = await openIdentity(memory)
  const { key } = identity
  await new OwnershipFile(memory, identity).pair({
    owner: keys.signingKeyFor(device).hex,
    broker: { name: "broker.example", pin },
    ...{ receiptKey: key.hex, logKey: key.hex },
    recipients: Buffer.from(keys.recipientsFor(device, 1)).toString("base64"),
  })
}

/** What a jig keeps of a board with this key. */
export function recordOf({
  device,
  ...board
}: { device: string } & Partial<SelfTestRecord["board"]>): SelfTestRecord {
  return {
    ...{ kind: "obscura self-test", version: 1, verdict: "pass", device, operator: false },
    ...{ begunAt: "2026-01-01T00:00:00.000Z", endedAt: "2026-01-01T00:01:00.000Z" },
    board: {
      serial: "1",
      model: "Pi",
      operatingSystem: "Debian",
      kernel: "6",
      firmware: "0",
      node: "v20",
      ...board,
    },
    checks: [
      { name: "lens", verdict: "pass", mandatory: true, why: "", measured: {}, limits: {}, seconds: 1 },
    ],
  }
}

/** By its name. */
export function check(name: string): Check {
  const found = CHECKS.find((each) => each.name === name)
  if (!found) throw new Error(`no check ${name}`)
  return found
}

export function keyFile(changes: object) {
  return { mode: 0o600, folderMode: 0o700, ours: true, ...changes }
}
