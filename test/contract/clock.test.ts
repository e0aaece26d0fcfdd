import { getEventListeners } from "node:events"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { Clock } from "../../firmware/ports.ts"
import { processClock } from "../../hardware/clock.ts"
import { virtualClock } from "../../simulator/clock.ts"

const clocks: Readonly<Record<string, () => Clock>> = { process: processClock, virtual: virtualClock }
const days = (n: number) => n * 86_400_000

describe.each(Object.entries(clocks))("%s clock", (_name, make) => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date", "performance"], now: 1_000_000 })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  test("monotonic time never falls, also when real time steps back", () => {
    const clock = make()
    const before = clock.monotonic()
    vi.setSystemTime(5)
    expect(clock.monotonic()).toBeGreaterThanOrEqual(before)
    expect(clock.real().at).toBe(5)
  })

  test("sleep resolves after its duration, and monotonic time has passed", async () => {
    const clock = make()
    const before = clock.monotonic()
    const slept = clock.sleep(250)
    await vi.advanceTimersByTimeAsync(250)
    await slept
    expect(clock.monotonic() - before).toBe(250)
  })

  test("sleep ends early on abort, without throwing, and leaves neither timer nor listener", async () => {
    const clock = make()
    const abort = new AbortController()
    const slept = clock.sleep(days(1), abort.signal)
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(1)
    abort.abort()
    await slept
    expect(vi.getTimerCount()).toBe(0)
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0)
    await clock.sleep(days(1), abort.signal)
    expect(vi.getTimerCount()).toBe(0)
  })

  test("a sleep that ended by itself leaves no listener", async () => {
    const clock = make()
    const abort = new AbortController()
    const slept = clock.sleep(10, abort.signal)
    await vi.advanceTimersByTimeAsync(10)
    await slept
    expect(getEventListeners(abort.signal, "abort")).toHaveLength(0)
  })

  test("after runs its task once, and not at all when cancelled; cancelling twice is harmless", async () => {
    const clock = make()
    const task = vi.fn()
    const cancelled = vi.fn()
    clock.after(10, task)
    const cancel = clock.after(10, cancelled)
    cancel()
    cancel()
    await vi.advanceTimersByTimeAsync(100)
    expect(task).toHaveBeenCalledOnce()
    expect(cancelled).not.toHaveBeenCalled()
  })

  test("a duration longer than a timer can count is waited for whole", async () => {
    const clock = make()
    const task = vi.fn()
    clock.after(days(30), task)
    await vi.advanceTimersByTimeAsync(days(30) - 1)
    expect(task).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(task).toHaveBeenCalledOnce()
  })
})

test("a camera that has heard no NTP answer yet says that its real time may be anything", () => {
  expect(processClock("/nonexistent").real().uncertainty).toBe(Infinity)
  expect(processClock("/").real().uncertainty).toBeLessThan(60_000)
  expect(virtualClock(() => ({ uncertainty: Infinity })).real().uncertainty).toBe(Infinity)
})

test("a skewed virtual clock is wrong about real time alone", () => {
  vi.useFakeTimers({ toFake: ["Date", "performance"], now: 1_000 })
  const skewed = virtualClock(() => ({ skew: -400 }))
  expect(skewed.real().at).toBe(600)
  expect(skewed.monotonic()).toBe(virtualClock().monotonic())
  vi.useRealTimers()
})
