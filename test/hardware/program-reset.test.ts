import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { openIdentity } from "../../firmware/control/identity.ts"
import type { LogLine } from "../../firmware/log.ts"
import { processClock } from "../../hardware/clock.ts"
import { modelNamed } from "../../hardware/model.ts"
import { live } from "../../hardware/program/life.ts"
import * as resetButton from "../../hardware/program/reset-button.ts"
import { parseSettings } from "../../hardware/settings.ts"
import { virtualBoard } from "../../simulator/board.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { seededRandom } from "../../simulator/random.ts"
import { VirtualIo } from "../../simulator/virtual-io.ts"
import { mutant } from "../mutants.ts"

const BELL = 27
const MOTION = 17
const STATUS = 23
const RESET = 25
const { HELD_FOR, LET_GO_WITHIN, AFTER_BOOT } = resetButton

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

type Module = typeof resetButton

interface Boot {
  readonly pins: VirtualIo
  readonly stop: AbortController
  answer: boolean | null
}

/** A boot with the button as `down` says; `answer` is null until it is known. */
function boot(
  down: boolean,
  { uptime = 20, module = resetButton, reset }: { uptime?: number; module?: Module; reset?: number } = {},
): Boot {
  const pins = new VirtualIo()
  pins.pinMode(BELL, pins.MODES.INPUT)
  if (down) pins.set(BELL, 1)
  const stop = new AbortController()
  const booted: Boot = { pins, stop, answer: null }
  void module
    .heldThroughBoot(
      { pins, clock: processClock(), uptime },
      { bell: BELL, reset, status: STATUS },
      stop.signal,
    )
    .then((answer) => {
      booted.answer = answer
    })
  return booted
}

const pass = (duration: number) => vi.advanceTimersByTimeAsync(duration)

describe("the button at a boot", () => {
  test("held for ten seconds and let go then: the camera is given away, and its light says when", async () => {
    const camera = boot(true)
    await pass(HELD_FOR - 100)
    const holding = camera.pins.patternOf(STATUS)
    expect(camera.answer).toBeNull()
    await pass(200)
    expect(camera.answer).toBeNull()
    expect(camera.pins.patternOf(STATUS)).not.toEqual(holding)
    camera.pins.set(BELL, 0)
    await pass(0)
    expect(camera.answer).toBe(true)
  })

  test("not down: the camera starts at once", async () => {
    const camera = boot(false)
    await pass(0)
    expect(camera.answer).toBe(false)
    expect(camera.pins.patternOf(STATUS)).toBeNull()
  })

  // Each would cost somebody a camera that nobody wanted to give away.
  const HARMLESS = {
    "let go before": async (camera: Boot) => {
      await pass(HELD_FOR - 100)
      camera.pins.set(BELL, 0)
      await pass(LET_GO_WITHIN)
    },
    "never let go, as a wire that got wet": () => pass(HELD_FOR + LET_GO_WITHIN + 100),
    "down when the camera is told to stop": async (camera: Boot) => {
      await pass(HELD_FOR + 100)
      camera.stop.abort()
      camera.pins.set(BELL, 0)
      await pass(0)
    },
  }

  test.each(Object.entries(HARMLESS))("%s: nothing is reset", async (_name, play) => {
    const camera = boot(true)
    await play(camera)
    expect(camera.answer).toBe(false)
  })

  test("leant on while the program is started again long after the boot: nothing is reset", async () => {
    const camera = boot(true, { uptime: AFTER_BOOT + 1 })
    await pass(0)
    expect(camera.answer).toBe(false)
  })

  /** Ten seconds on the button at `pin`, of a camera with a reset button of its own. */
  async function givesAway(pin: number, module: Module = resetButton): Promise<boolean | null> {
    const camera = boot(false, { reset: RESET, module })
    camera.pins.set(pin, 1)
    await pass(HELD_FOR + 100)
    camera.pins.set(pin, 0)
    await pass(100)
    return camera.answer
  }

  test("with a reset button inside the case the bell gives nothing away; a mutant's does", async () => {
    expect(await givesAway(RESET)).toBe(true)
    expect(await givesAway(BELL)).toBe(false)
    const path = "hardware/program/reset-button.ts"
    const mistake = { path, from: "numbers.reset ?? numbers.bell", to: "numbers.bell ?? numbers.reset" }
    expect(await givesAway(BELL, await mutant<Module>(path, mistake))).toBe(true)
  })

  const MISTAKES = {
    "let go before": [
      "await button.becomes(0, HELD_FOR, signal)) return false",
      "await button.becomes(0, HELD_FOR, signal)) return true",
    ],
    "never let go, as a wire that got wet": [
      "return await button.becomes(0, LET_GO_WITHIN, signal)",
      "return !(await button.becomes(0, LET_GO_WITHIN, signal))",
    ],
    "down when the camera is told to stop": [
      "return this.#level === level && !signal.aborted",
      "return this.#level === level || signal.aborted",
    ],
  } as const

  test.each(Object.entries(MISTAKES))("%s: the check fails on a mutant", async (name, [from, to]) => {
    const path = from.includes("#level") ? "hardware/wire.ts" : "hardware/program/reset-button.ts"
    const module = await mutant<Module>("hardware/program/reset-button.ts", { path, from, to })
    const camera = boot(true, { module })
    await HARMLESS[name as keyof typeof HARMLESS](camera)
    expect(camera.answer).toBe(true)
  })
})

/** When, after the program's start, the motion sensor is heard whose wire is high all the time. */
async function heardAfter(uptimeSeconds: number): Promise<number> {
  const lines: LogLine[] = []
  const dialler = { dial: () => Promise.reject(new Error("nobody calls")) }
  const footage = { name: "none", groups: [], boxes: [] } as never
  const disk = new MemoryDisk({ clock: processClock(), random: seededRandom(1) })
  const log = { write: (line: LogLine) => void lines.push(line) }
  const board = virtualBoard({ seed: 1, index: 0, footage, canary: "", dialler, log, disk })
  board.pins.set(MOTION, 1)
  const stop = new AbortController()
  const about = { uptime: uptimeSeconds, settingsFile: "camera.json", onKnown: () => undefined }
  const settings = parseSettings({ broker: "mqtts://cloud.example" }, modelNamed(""))
  const living = live({ ...about, board, readSetupText: async () => null }, settings, stop.signal)
  await vi.waitFor(() => expect(lines[0]).toMatchObject({ event: "no owner yet" }))
  let seconds = 0
  while (!lines.some(({ event }) => event === "motion") && seconds < 120) {
    await pass(1_000)
    seconds++
  }
  stop.abort()
  await living
  return seconds
}

test("a motion sensor warms up once a boot, not once a start of the program", async () => {
  expect(await heardAfter(3_600)).toBeLessThanOrEqual(2)
  const afterBoot = await heardAfter(20)
  expect(afterBoot).toBeGreaterThanOrEqual(38)
  expect(afterBoot).toBeLessThanOrEqual(42)
})

test("a camera that was given away is another one, has no owner, and nothing of the old one's", async () => {
  const lines: LogLine[] = []
  const dialler = { dial: () => Promise.reject(new Error("nobody calls")) }
  const footage = { name: "none", groups: [], boxes: [] } as never
  const disk = new MemoryDisk({ clock: processClock(), random: seededRandom(1) })
  const old = await openIdentity(disk)
  await disk.put("object.0", [new Uint8Array(10)])
  await disk.private.put("pairing", [new Uint8Array(10)])
  const log = { write: (line: LogLine) => void lines.push(line) }
  const board = virtualBoard({ seed: 1, index: 0, footage, canary: "", dialler, log, disk })
  board.pins.pinMode(BELL, board.pins.MODES.INPUT)
  board.pins.set(BELL, 1)
  const stop = new AbortController()
  const known: { device: string; paired: boolean }[] = []
  const living = live(
    {
      ...{ board, uptime: 20, settingsFile: "camera.json", onKnown: (facts) => void known.push(facts) },
      readSetupText: async () => null,
    },
    parseSettings({ broker: "mqtts://cloud.example" }, modelNamed("")),
    stop.signal,
  )
  await pass(HELD_FOR + 100)
  board.pins.set(BELL, 0)
  await vi.waitFor(() => expect(lines.at(-1)).toMatchObject({ event: "no owner yet" }))
  stop.abort()
  await living
  expect(lines[0]).toEqual({ event: "reset", device: old.device })
  const { device } = await openIdentity(disk)
  expect(device).not.toBe(old.device)
  expect(known).toEqual([{ device, paired: false }])
  expect(await disk.list("")).toEqual([])
  expect((await disk.private.list("")).map(({ name }) => name)).toEqual(["identity"])
})
