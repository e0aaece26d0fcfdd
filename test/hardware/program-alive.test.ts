import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { CameraState } from "../../firmware/pins/camera-state.ts"
import type { Lens, Piece } from "../../firmware/ports.ts"
import { minutes, seconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import * as liveness from "../../hardware/program/liveness.ts"
import type { ServiceManager } from "../../hardware/program/service-manager.ts"
import { feedWatchdog } from "../../hardware/program/watchdog.ts"
import { WatchedDisk } from "../../hardware/program/watched-disk.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { seededRandom } from "../../simulator/random.ts"
import { mutant } from "../mutants.ts"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

const { link } = parseConfig()
const LENS_MAX = link.retryMax + minutes(1)
const LINK_MAX = link.connectWithin + link.retryMax + minutes(1)
const PIECE: Piece = { bytes: new Uint8Array(1), at: 0 }
const pass = (duration: number) => vi.advanceTimersByTimeAsync(duration)

/** A lens that gives a piece every second while `gives`. */
function slowLens(): Lens & { gives: boolean } {
  const lens = {
    gives: true,
    async *pieces(signal: AbortSignal) {
      while (!signal.aborted) {
        await processClock().sleep(seconds(1), signal)
        if (lens.gives) yield PIECE
      }
    },
  }
  return lens
}

type Module = typeof liveness

/** A camera that runs and is connected; each play makes one part of it stuck. */
async function camera(module: Module = liveness) {
  const clock = processClock()
  let silence = 0
  const alive = new module.Liveness(clock, link, () => silence)
  const lens = slowLens()
  const stop = new AbortController()
  const reading = (async () => {
    for await (const _ of alive.hears(lens).pieces(stop.signal));
  })()
  alive.note({ event: "started", device: "d" })
  alive.note({ event: "connected" })
  return {
    alive,
    lens,
    disk: (duration: number) => {
      silence = duration
    },
    async end() {
      stop.abort()
      await reading
    },
  }
}
type Camera = Awaited<ReturnType<typeof camera>>

const STUCK: Readonly<Record<string, (camera: Camera) => Promise<unknown>>> = {
  "the lens neither gives pictures nor fails": (camera) => {
    camera.lens.gives = false
    return pass(LENS_MAX + seconds(2))
  },
  // Longer than a lens that must give may be silent.
  "the lens neither gives pictures nor fails, after privacy mode": async (camera) => {
    camera.lens.gives = false
    camera.alive.note({ event: "privacy", on: true })
    await pass(minutes(60))
    expect(camera.alive.stuck()).toBeNull()
    camera.alive.note({ event: "privacy", on: false })
    await pass(minutes(1))
    expect(camera.alive.stuck()).toBeNull()
    await pass(LENS_MAX)
  },
  "the link neither connects nor fails": (camera) => {
    camera.alive.note({ event: "disconnected", reason: "gone", againIn: 1 })
    return pass(LINK_MAX + seconds(2))
  },
  "the disk does not answer": async (camera) => camera.disk(minutes(2)),
}

const MISTAKES: Readonly<Record<keyof typeof STUCK, readonly [string, string]>> = {
  "the lens neither gives pictures nor fails": ["now - this.#lensAt > this.#limits.lens", "false"],
  "the lens neither gives pictures nor fails, after privacy mode": [
    "this.#private = line.on",
    "this.#private = true",
  ],
  "the link neither connects nor fails": ["!this.#connected && now", "this.#connected && now"],
  "the disk does not answer": ["this.#diskSilence() > GRACE", "this.#diskSilence() < 0"],
}

describe("a camera is alive", () => {
  test("while pieces come and it is connected, for hours", async () => {
    const running = await camera()
    await pass(minutes(120))
    expect(running.alive.stuck()).toBeNull()
    await running.end()
  })

  test("while it says again and again that it has neither lens nor broker", async () => {
    const running = await camera()
    running.lens.gives = false
    for (let i = 0; i < 60; i++) {
      running.alive.note({ event: "lens lost", reason: "cable", againIn: link.retryMax })
      running.alive.note({ event: "disconnected", reason: "no network", againIn: link.retryMax })
      await pass(link.retryMax)
      expect(running.alive.stuck()).toBeNull()
    }
    await running.end()
  })

  /** Is it alive after an hour in privacy mode, when no piece comes and nothing is said to be lost? */
  async function isAliveInPrivacy(module: Module): Promise<boolean> {
    const running = await camera(module)
    running.lens.gives = false
    running.alive.note({ event: "privacy", on: true })
    await pass(minutes(60))
    const alive = running.alive.stuck() === null
    await running.end()
    return alive
  }

  test("in privacy mode, in which its lens rests: systemd does not end it; a mutant is ended", async () => {
    expect(await isAliveInPrivacy(liveness)).toBe(true)
    const path = "hardware/program/liveness.ts"
    const mistake = { path, from: "if (!this.#private && now", to: "if (now" }
    expect(await isAliveInPrivacy(await mutant<Module>(path, mistake))).toBe(false)
  })

  test("while it waits for an owner, whose text it reads by another way than its pieces", async () => {
    const alive = new liveness.Liveness(processClock(), link, () => 0)
    alive.note({ event: "no owner yet", device: "d" })
    for (let hour = 0; hour < 3; hour++) {
      alive.note({ event: "looking for a setup text" })
      await pass(minutes(60))
      expect(alive.stuck()).toBeNull()
    }
  })

  test("before it runs and after it stopped, whatever lens and link do", async () => {
    const running = await camera()
    running.lens.gives = false
    running.alive.note({ event: "stopped" })
    await pass(minutes(60))
    expect(running.alive.stuck()).toBeNull()
    await running.end()
  })

  test.each(Object.entries(STUCK))("and is not, when %s", async (reason, play) => {
    const running = await camera()
    await play(running)
    expect(running.alive.stuck()).toBe(reason.split(",")[0])
    await running.end()
  })

  test.each(Object.entries(MISTAKES))("the check fails on a mutant: %s", async (reason, [from, to]) => {
    const path = "hardware/program/liveness.ts"
    const running = await camera(await mutant<Module>(path, { path, from, to }))
    await STUCK[reason]?.(running)
    expect(running.alive.stuck()).toBeNull()
    await running.end()
  })
})

describe("systemd's watchdog", () => {
  function manager(): ServiceManager & { fed: number } {
    const nothing = async () => undefined
    const counted = {
      ...{ fed: 0, watchdog: seconds(30), ready: nothing, stopping: nothing, status: nothing },
      async alive() {
        counted.fed++
      },
    }
    return counted
  }

  test("is fed while the camera is alive, starves when it is not, and the log says once why", async () => {
    const counted = manager()
    const reasons: unknown[] = []
    let why: string | null = null
    const parts = { manager: counted, clock: processClock(), stuck: () => why }
    const stop = feedWatchdog({ ...parts, report: (error) => reasons.push(error) })
    await pass(minutes(5))
    expect(counted.fed).toBe(10)
    why = "the disk does not answer"
    await pass(minutes(5))
    expect(counted.fed).toBe(10)
    expect(reasons).toEqual([expect.objectContaining({ message: expect.stringContaining(why) })])
    why = null
    await pass(minutes(1))
    expect(counted.fed).toBe(12)
    stop()
    await pass(minutes(5))
    expect(counted.fed).toBe(12)
  })
})

describe("a watched disk", () => {
  test("counts what it holds, also after it was opened anew", async () => {
    const clock = processClock()
    const memory = new MemoryDisk({ clock, random: seededRandom(1, "disk", 0) })
    const disk = await WatchedDisk.over(memory, clock)
    await disk.put("object.a", [new Uint8Array(700), new Uint8Array(300)])
    await disk.put("object.b", [new Uint8Array(10)])
    await disk.put("object.b", [new Uint8Array(20)])
    await disk.put("manifest.1", [new Uint8Array(5)])
    await disk.put("manifest.2", [new Uint8Array(5)])
    await disk.put("received.1", [new Uint8Array(5)])
    await disk.private.put("identity", [new Uint8Array(5)])
    const held = { objects: 2, bytes: 1_020, waiting: 1 }
    expect(disk.holdings()).toEqual(held)
    expect((await WatchedDisk.over(memory, clock)).holdings()).toEqual(held)
    await disk.remove("object.a")
    expect(disk.holdings()).toEqual({ objects: 1, bytes: 20, waiting: 1 })
  })

  test("knows for how long it has had no answer, and forgets it with the answer", async () => {
    const clock = processClock()
    const memory = new MemoryDisk({ clock, random: seededRandom(1, "disk", 0) })
    let answer: () => void = () => undefined
    const hangs = new Promise<null>((resolve) => {
      answer = () => resolve(null)
    })
    const disk = await WatchedDisk.over(memory, clock)
    vi.spyOn(memory, "get").mockReturnValue(hangs)
    const asked = disk.get("object.a")
    await pass(minutes(3))
    expect(disk.silence()).toBe(minutes(3))
    answer()
    await asked
    expect(disk.silence()).toBe(0)
  })
})

test("a camera's state is what its light shows: the most urgent of all that is so", async () => {
  const state = new CameraState(processClock())
  const after = (line: Parameters<CameraState["note"]>[0]) => {
    state.note(line)
    return state.now
  }
  expect(state.now).toBe("booting")
  expect(after({ event: "looking for a setup text" })).toBe("pairing")
  expect(after({ event: "paired", device: "d" })).toBe("booting")
  expect(after({ event: "connected" })).toBe("ready")
  expect(after({ event: "light", on: true, holds: ["recording"] })).toBe("recording")
  expect(after({ event: "disconnected", reason: "gone", againIn: 1 })).toBe("recording")
  expect(after({ event: "light", on: false, holds: [] })).toBe("offline")
  expect(after({ event: "lens lost", reason: "cable", againIn: 1 })).toBe("fault")
  await pass(minutes(10))
  expect(state.now).toBe("fault")
  expect(after({ event: "lens back" })).toBe("offline")
  expect(after({ event: "fault", where: "light", kind: "unavailable", reason: "dark" })).toBe("fault")
  await pass(minutes(1))
  expect(state.now).toBe("offline")
})
