import five from "johnny-five"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { type CameraConfig, parseConfig } from "../../firmware/config.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { MotionEvent } from "../../firmware/pins/events.ts"
import { type Pins, wirePins } from "../../firmware/pins/pins.ts"
import type { Lens } from "../../firmware/ports.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { VirtualIo } from "../../simulator/virtual-io.ts"

const config = parseConfig()
const numbers = config.pins
/** Longer than johnny-five debounces. */
const DEBOUNCED = 10

let io: VirtualIo
let lines: LogLine[]
let end: AbortController
beforeEach(() => {
  vi.useFakeTimers({
    toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"],
  })
  io = new VirtualIo()
  lines = []
  end = new AbortController()
})
afterEach(() => {
  end.abort()
  vi.useRealTimers()
})

const clock = virtualClock()
const wire = (more: Partial<CameraConfig> = {}, lens?: Lens): Promise<Pins> =>
  wirePins(
    { pins: io, clock, log: { write: (line) => lines.push(line) }, ...(lens && { lens }) },
    { ...config, ...more },
  )
async function pass(duration: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(duration)
}
async function motion(value: 0 | 1) {
  io.set(numbers.motion, value)
  await pass(DEBOUNCED)
}
async function press() {
  for (const value of [1, 0, 1] as const) {
    io.set(numbers.bell, value)
    await pass(2)
  }
  await pass(DEBOUNCED)
  for (const value of [0, 1, 0] as const) {
    io.set(numbers.bell, value)
    await pass(2)
  }
  await pass(DEBOUNCED)
}
/** Asks for the next event and lets time pass, so that there is no answer only if there is no event. */
async function nextWithin(events: AsyncIterator<MotionEvent>, happening: () => Promise<void>) {
  let event: MotionEvent | null = null
  const asked = events.next().then(({ value }) => {
    event = value ?? null
  })
  await happening()
  await pass(0)
  return { event: event as MotionEvent | null, asked }
}

describe("events", () => {
  test("a motion is an event, quiet from when it ended", async () => {
    const pins = await wire()
    const { event } = await nextWithin(iteratorOf(pins), () => motion(1))
    expect(event?.trigger.kind).toBe("motion")
    expect(event?.quietSince()).toBeNull()
    await pass(5_000)
    expect(event?.quietSince()).toBeNull()
    await motion(0)
    const quietSince = event?.quietSince()
    expect(clock.monotonic() - Number(quietSince)).toBeLessThan(DEBOUNCED)
    await pass(5_000)
    expect(event?.quietSince()).toBe(quietSince)
  })

  test("a bouncing bell press is one event that is quiet at once", async () => {
    const pins = await wire()
    const { event } = await nextWithin(iteratorOf(pins), press)
    expect(event?.trigger.kind).toBe("bell")
    expect(event?.quietSince()).toBe(event?.trigger.at)
    expect(lines.filter((line) => line.event === "motion")).toHaveLength(1)
  })

  test("motion and presses before close are the same event, and the next edge after it another", async () => {
    const pins = await wire()
    const events = iteratorOf(pins)
    const { event: first } = await nextWithin(events, () => motion(1))
    await motion(0)
    await pass(3_000)
    await press()
    const pressedAt = first?.quietSince()
    expect(clock.monotonic() - Number(pressedAt)).toBeLessThan(100)
    await motion(1)
    expect(first?.quietSince()).toBeNull()
    await motion(0)
    first?.close()
    first?.close()
    const { event: second } = await nextWithin(events, async () => {
      await pass(1_000)
      await motion(1)
    })
    expect(second?.trigger.at).toBeGreaterThan(Number(first?.quietSince()))
    expect(first?.quietSince()).not.toBeNull()
  })

  test("a motion that outlasts a clip is another event at once", async () => {
    const pins = await wire()
    const events = iteratorOf(pins)
    const { event: first } = await nextWithin(events, () => motion(1))
    await pass(120_000)
    first?.close()
    const { event: second } = await nextWithin(events, () => pass(0))
    expect(second?.trigger).toEqual({ kind: "motion", at: clock.monotonic() })
    expect(first?.quietSince()).toBe(clock.monotonic())
    expect(second?.quietSince()).toBeNull()
  })

  test("motion that is already going on at boot counts", async () => {
    io.set(numbers.motion, 1)
    const pins = await wire()
    const { event } = await nextWithin(iteratorOf(pins), () => pass(DEBOUNCED))
    expect(event?.trigger.kind).toBe("motion")
    expect(event?.quietSince()).toBeNull()
  })

  test("what was over before anybody asked is forgotten, and a thousand motions are no queue", async () => {
    const pins = await wire()
    for (let i = 0; i < 1_000; i++) {
      await motion(1)
      await motion(0)
    }
    const { event } = await nextWithin(iteratorOf(pins), () => pass(60_000))
    expect(event).toBeNull()
  })

  test("without motion there is none, and the iteration ends with its signal", async () => {
    const pins = await wire()
    const { event, asked } = await nextWithin(iteratorOf(pins), () => pass(60_000))
    expect(event).toBeNull()
    end.abort()
    await asked
  })
})

describe("presses", () => {
  test("the next press is told, an earlier one is not, and an abort ends the wait", async () => {
    const pins = await wire()
    await press()
    const before = clock.monotonic()
    const next = pins.nextPress(end.signal)
    await press()
    expect(await next).toBeGreaterThanOrEqual(before)
    const never = pins.nextPress(end.signal)
    end.abort()
    expect(await never).toBeNull()
    expect(await pins.nextPress(end.signal)).toBeNull()
  })
})

describe("light", () => {
  test("is dark at boot, on before hold resolves, and off when the last hold goes", async () => {
    const pins = await wire()
    expect(io.level(numbers.light)).toBe(0)
    const release = await pins.light.hold("recording")
    expect(io.level(numbers.light)).toBe(1)
    const releaseSecond = await pins.light.hold("live view")
    release()
    release()
    expect(io.level(numbers.light)).toBe(1)
    releaseSecond()
    expect(io.level(numbers.light)).toBe(0)
    expect(lines.filter((line) => line.event === "light")).toEqual([
      { event: "light", on: true, holds: ["recording"] },
      { event: "light", on: true, holds: ["recording", "live view"] },
      { event: "light", on: true, holds: ["live view"] },
      { event: "light", on: false, holds: [] },
    ])
  })

  test("a light that cannot be lit refuses the hold, and recovers with the next", async () => {
    const pins = await wire()
    io.breakPin(numbers.light)
    await expect(pins.light.hold("recording")).rejects.toEqual(
      expect.objectContaining({ kind: "unavailable", definite: true }),
    )
    expect(lines).toEqual([])
    io.reset()
    const release = await pins.light.hold("recording")
    expect(io.level(numbers.light)).toBe(1)
    release()
  })

  test("hold waits for the wire, not for the write", async () => {
    const pins = await wire()
    let onTheWire: () => void = () => undefined
    vi.spyOn(io, "driven").mockReturnValueOnce(
      new Promise((resolve) => {
        onTheWire = resolve
      }),
    )
    const held = vi.fn()
    const hold = pins.light.hold("recording").then(held)
    await pass(1_000)
    expect(held).not.toHaveBeenCalled()
    onTheWire()
    await hold
    expect(held).toHaveBeenCalledOnce()
  })

  test("close puts it out whoever holds it, and nobody can hold it any more", async () => {
    const pins = await wire()
    const release = await pins.light.hold("recording")
    pins.close()
    expect(io.level(numbers.light)).toBe(0)
    release()
    await expect(pins.light.hold("recording")).rejects.toThrow("the camera is stopping")
  })
})

describe("wiring", () => {
  test("a camera that restarts on its IO adds nothing to johnny-five's caches, and no listener", async () => {
    const first = await wire()
    first.close()
    const boards = five.Board.cache.length
    const components = registered(io)
    const listeners = io.eventNames().map((name) => [name, io.listenerCount(name)])
    for (let i = 0; i < 10; i++) (await wire()).close()
    expect(five.Board.cache.length).toBe(boards)
    expect(registered(io)).toBe(components)
    expect(io.eventNames().map((name) => [name, io.listenerCount(name)])).toEqual(listeners)
  })

  test("a restarted camera hears motion and drives its light, and the stopped one does neither", async () => {
    const first = await wire()
    const stopped = nextWithin(iteratorOf(first), () => pass(0))
    first.close()
    io.reset()
    const second = await wire()
    const { event } = await nextWithin(iteratorOf(second), () => motion(1))
    expect(event?.trigger.kind).toBe("motion")
    expect((await stopped).event).toBeNull()
    await second.light.hold("recording")
    expect(io.level(numbers.light)).toBe(1)
  })

  test("an error of the IO becomes a line, not the end of the process", async () => {
    await wire()
    io.emit("error", new Error("gpio helper exited 1"))
    expect(lines).toEqual([
      { event: "fault", where: "pins", kind: "unavailable", reason: "gpio helper exited 1" },
    ])
  })

  test("an IO that fails before it is ready is Fault unavailable", async () => {
    const wired = wire()
    io.emit("error", new Error("no gpio chip"))
    await expect(wired).rejects.toEqual(expect.objectContaining({ kind: "unavailable" }))
    await expect(wired).rejects.toThrow("no gpio chip")
  })

  test("no signal handler is left in the process", async () => {
    const before = process.listenerCount("SIGINT")
    await wire()
    expect(process.listenerCount("SIGINT")).toBe(before)
  })
})

function iteratorOf(pins: Pins): AsyncIterator<MotionEvent> {
  return pins.events(end.signal)[Symbol.asyncIterator]()
}

function registered(io: VirtualIo): number | undefined {
  return five.Board.cache.find((board) => board.io === io)?.register.length
}
