import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { type CameraConfigInput, parseConfig } from "../../firmware/config.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { State } from "../../firmware/pins/camera-state.ts"
import { type Pins, wirePins } from "../../firmware/pins/pins.ts"
import { LIGHT_CODES } from "../../firmware/pins/status-light.ts"
import type { Lens } from "../../firmware/ports.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { VirtualIo } from "../../simulator/virtual-io.ts"

const STATUS = 23
const SHUTTER = 18
const CUT = 24

let io: VirtualIo
let lines: LogLine[]
beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  })
  io = new VirtualIo()
  lines = []
})
afterEach(() => {
  vi.useRealTimers()
})

function wire(input: CameraConfigInput = {}, lens?: Partial<Lens>): Promise<Pins> {
  const config = parseConfig({
    ...input,
    pins: { status: STATUS, shutter: SHUTTER, infraredCut: CUT, ...input.pins },
  })
  const whole: Lens = {
    pieces: () => {
      throw new Error("nobody looks here")
    },
    ...lens,
  }
  return wirePins(
    { pins: io, clock: virtualClock(), log: { write: (line) => lines.push(line) }, lens: whole },
    config,
  )
}

describe("the status light", () => {
  const shown = () => io.patternOf(STATUS)
  const shownAfter = async (...told: LogLine[]): Promise<State | undefined> => {
    const pins = await wire()
    for (const line of told) pins.log.write(line)
    const pattern = shown()
    return (Object.keys(LIGHT_CODES) as State[]).find((state) => LIGHT_CODES[state] === pattern)
  }
  const connected: LogLine = { event: "connected" }
  const light = (...holds: string[]): LogLine => ({ event: "light", on: holds.length > 0, holds })

  test.each<[State, LogLine[]]>([
    ["booting", []],
    ["pairing", [{ event: "looking for a setup text" }]],
    ["ready", [connected]],
    ["offline", [connected, { event: "disconnected", reason: "", againIn: 1 }]],
    ["recording", [connected, light("recording")]],
    ["live", [connected, light("recording"), light("recording", "live view")]],
    ["ready", [connected, light("recording"), light()]],
    ["fault", [connected, { event: "lens lost", reason: "", againIn: 1 }, light("recording")]],
    [
      "recording",
      [connected, light("recording"), { event: "lens lost", reason: "", againIn: 1 }, { event: "lens back" }],
    ],
  ])("shows %s", async (state, told) => {
    expect(await shownAfter(...told)).toBe(state)
  })

  test("a fault that nothing takes back is shown for a minute", async () => {
    expect(
      await shownAfter(connected, { event: "fault", where: "pins", kind: "unavailable", reason: "" }),
    ).toBe("fault")
    await vi.advanceTimersByTimeAsync(60_000)
    expect(shown()).toBe(LIGHT_CODES.ready)
  })

  test("all codes differ, and each has as many darknesses as flashes", () => {
    const codes = Object.values(LIGHT_CODES)
    expect(new Set(codes.map(String)).size).toBe(codes.length)
    for (const code of codes) expect(code.length % 2).toBe(0)
  })

  test("what it shows is logged as ever", async () => {
    const pins = await wire()
    pins.log.write(connected)
    expect(lines).toEqual([connected])
  })

  test("is dark after close, whatever is logged then", async () => {
    const pins = await wire()
    pins.close()
    pins.log.write({ event: "stopped" })
    pins.log.write({ event: "fault", where: "pins", kind: "unavailable", reason: "" })
    expect(shown()).toBeNull()
    expect(io.level(STATUS)).toBe(0)
  })
})

describe("the shutter", () => {
  /** johnny-five's servo: 0 degrees are pulses of 600 microseconds, 180 are 2,400. */
  const CLOSED = 1_500
  test("is open while the firmware runs, and closed once it has stopped", async () => {
    const pins = await wire()
    expect(io.level(SHUTTER)).toBe(600)
    pins.close()
    expect(io.level(SHUTTER)).toBe(CLOSED)
  })

  test("closes and opens when told, by the configured angles", async () => {
    const pins = await wire({ shutter: { openDegrees: 180, closedDegrees: 90 } })
    await pins.shutter?.close()
    expect(io.level(SHUTTER)).toBe(CLOSED)
    await pins.shutter?.open()
    expect(io.level(SHUTTER)).toBe(2_400)
  })

  test("one that does not follow is said, as a fault", async () => {
    io.breakPin(SHUTTER)
    const pins = await wire()
    await vi.advanceTimersByTimeAsync(0)
    expect(lines).toContainEqual(expect.objectContaining({ event: "fault", where: "pins" }))
    await expect(pins.shutter?.close()).rejects.toEqual(expect.objectContaining({ kind: "unavailable" }))
  })
})

test("the infrared-cut filter is out of the way by night, and only then", async () => {
  await wire()
  expect(io.level(CUT)).toBe(0)
  io = new VirtualIo()
  await wire({ lens: { night: true } })
  expect(io.level(CUT)).toBe(1)
})

describe("motion", () => {
  const motions = () => lines.filter(({ event }) => event === "motion").length
  const felt = async (level: 0 | 1) => {
    io.set(17, level)
    await vi.advanceTimersByTimeAsync(10)
  }

  test("a sensor that warms up is not heard, and what it still says then is", async () => {
    await wire({ motion: { warmUp: 60_000 } })
    for (const level of [1, 0, 1] as const) await felt(level)
    expect(motions()).toBe(0)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(motions()).toBe(1)
  })

  test("what the lens sees is motion as well, and one motion when both see it", async () => {
    let tell: (moving: boolean, at: number) => void = () => undefined
    const stop = vi.fn()
    const pins = await wire(
      {},
      {
        watchMotion(onEdge) {
          tell = onEdge
          return stop
        },
      },
    )
    const events = pins.events(new AbortController().signal)[Symbol.asyncIterator]()
    tell(true, 5)
    const { value: event } = await events.next()
    expect(event?.trigger).toEqual({ kind: "motion", at: 5 })
    await felt(1)
    tell(false, 7)
    expect(event?.quietSince()).toBeNull()
    await felt(0)
    expect(event?.quietSince()).not.toBeNull()
    expect(motions()).toBe(1)
    pins.close()
    expect(stop).toHaveBeenCalledOnce()
  })
})

describe("pins that cannot be", () => {
  test.each([
    [{ motion: 22 }, "pins: motion and light are both GPIO 22"],
    [{ status: 27 }, "pins: bell and status are both GPIO 27"],
    [{ shutter: 5 }, "GPIO 5 cannot move a servo; 12, 13, 18, 19 can"],
    [{ light: 28 }, "pins.light"],
  ])("%o is refused", (pins, says) => {
    expect(() => parseConfig({ pins })).toThrow(says)
  })
})
