import { createRequire } from "node:module"
import * as nodeTimers from "node:timers"
import {
  setInterval as every,
  setImmediate as immediate,
  scheduler,
  setTimeout as sleep,
} from "node:timers/promises"
import { promisify } from "node:util"
import { describe, expect, test, vi } from "vitest"
import { seconds, time } from "../../../harness/virtual/testing.ts"
import { virtualClock } from "../../../simulator/clock.ts"

/** What happened, and when by virtual time since the diary was opened. */
function openDiary() {
  const from = time.now
  const entries: string[] = []
  return { entries, note: (what: string) => void entries.push(`${time.now - from} ${what}`) }
}

describe("virtual time", () => {
  test("stands still until it is told to go on, whatever the wall clock does", async () => {
    const now = () => [performance.now(), Date.now(), Number(process.hrtime.bigint() / 1_000_000n)]
    const before = now()
    for (let turn = 0; turn < 50; turn++) await immediate()
    expect(now()).toEqual(before)
    await time.advance(1_500)
    expect(now()).toEqual(before.map((each) => each + 1_500))
    expect(process.hrtime()[0]).toBe(Math.floor(time.now / 1_000))
  })

  test("has dates that are dates, and leaves those that are given alone", () => {
    expect(new Date(0).toISOString()).toBe("1970-01-01T00:00:00.000Z")
    expect(new Date(2_020, 1, 2).getMonth()).toBe(1)
    const now = new Date()
    expect(now.getTime()).toBe(time.unixNow)
    expect(now).toBeInstanceOf(Date)
    expect(typeof Date()).toBe("string")
    expect(Date.UTC(1970, 0, 2)).toBe(86_400_000)
  })

  test("runs timers by instant, and in one instant in the order in which they were set", async () => {
    const { entries, note } = openDiary()
    setTimeout(note, 20, "b")
    setTimeout(note, 10, "a")
    setTimeout(note, 20, "c")
    setTimeout(() => setTimeout(note, 10, "d"), 10)
    await time.advance(30)
    expect(entries).toEqual(["10 a", "20 b", "20 c", "20 d"])
  })

  test("ends each timer's ticks, promises and immediates before it goes on", async () => {
    const { entries, note } = openDiary()
    setTimeout(() => {
      process.nextTick(note, "first: tick")
      void Promise.resolve().then(() => note("first: promise"))
      setImmediate(() => setImmediate(() => setImmediate(note, "first: third immediate")))
    }, 5)
    setTimeout(note, 5, "second")
    setTimeout(note, 6, "third")
    await time.advance(10)
    expect(entries).toEqual([
      "5 first: tick",
      "5 first: promise",
      "5 second",
      "5 first: third immediate",
      "6 third",
    ])
  })

  test("counts delays as Node does: whole milliseconds, at least one", async () => {
    const { entries, note } = openDiary()
    setTimeout(note, 2.9, "2.9")
    setTimeout(note, 0, "0")
    setTimeout(note, -5, "-5")
    setTimeout(note, undefined, "undefined")
    setTimeout(note, 2 ** 31, "too long")
    await time.advance(10)
    expect(entries).toEqual(["1 0", "1 -5", "1 undefined", "1 too long", "2 2.9"])
  })

  test("repeats intervals until they are cleared, also by themselves", async () => {
    const { entries, note } = openDiary()
    const outside = setInterval(note, 10, "outside")
    let left = 2
    const itself = setInterval(() => {
      note("itself")
      if (--left === 0) clearInterval(itself)
    }, 15)
    await time.advance(35)
    clearInterval(outside)
    await time.advance(100)
    expect(entries).toEqual(["10 outside", "15 itself", "20 outside", "30 itself", "30 outside"])
  })

  test("lets a cleared timer stay dead, refreshed or not", async () => {
    const { entries, note } = openDiary()
    const dead = setTimeout(note, 10, "dead")
    clearTimeout(dead)
    dead.refresh()
    setTimeout(() => clearTimeout(sameInstant), 5)
    const sameInstant = setTimeout(note, 5, "cleared in its own instant")
    const numbered = setTimeout(note, 10, "by its number")
    clearTimeout(Number(numbered))
    const text = setTimeout(note, 10, "by its number as text")
    clearTimeout(`${Number(text)}`)
    const shut = setTimeout(note, 10, "closed")
    shut.close()
    clearTimeout(undefined)
    clearTimeout(123_456_789)
    await time.advance(100)
    expect(entries).toEqual([])
  })

  test("starts a refreshed timer anew: before it fired, in its own instant, and after", async () => {
    const { entries, note } = openDiary()
    const timer = setTimeout(note, 10, "fired")
    await time.advance(6)
    timer.refresh()
    await time.advance(6)
    expect(entries).toEqual([])
    await time.advance(6)
    expect(entries).toEqual(["16 fired"])
    timer.refresh()
    await time.advance(20)
    expect(entries).toEqual(["16 fired", "28 fired"])

    const early = setTimeout(() => late.refresh(), 10)
    const late = setTimeout(note, 10, "late")
    await time.advance(15)
    expect(entries).toHaveLength(2)
    await time.advance(15)
    expect(entries).toHaveLength(3)
    expect(early.hasRef()).toBe(true)
  })

  test("remembers ref and unref, and fires all the same", async () => {
    const { entries, note } = openDiary()
    const timer = setTimeout(note, 10, "fired").unref()
    expect(timer.hasRef()).toBe(false)
    expect(timer.ref().hasRef()).toBe(true)
    timer.unref()
    await time.advance(10)
    expect(entries).toEqual(["10 fired"])
  })

  test("takes no work that is none, as Node", () => {
    const set: (callback: unknown) => unknown = setTimeout as never
    expect(() => set("alert(1)")).toThrow(TypeError)
  })

  test("clears immediates, and is not held up by them", async () => {
    const { entries, note } = openDiary()
    clearImmediate(setImmediate(note, "cleared"))
    await time.advance(1)
    expect(entries).toEqual([])
  })

  test("is everywhere: node:timers, node:timers/promises, promisify, AbortSignal.timeout", async () => {
    const { entries, note } = openDiary()
    nodeTimers.setTimeout(note, 10, "node:timers")
    createRequire(import.meta.url)("timers").setTimeout(note, 11, "required")
    void sleep(12, "node:timers/promises").then(note)
    void promisify(setTimeout)(13, "promisify").then((value) => note(String(value)))
    void scheduler.wait(14).then(() => note("scheduler"))
    AbortSignal.timeout(15).addEventListener("abort", () => note("AbortSignal"))
    const abort = new AbortController()
    const asleep = sleep(50, null, { signal: abort.signal })
    setTimeout(() => abort.abort(), 20)
    const refused = expect(asleep).rejects.toMatchObject({ name: "AbortError", code: "ABORT_ERR" })
    void (async () => {
      for await (const _ of every(30)) {
        note("each")
        if (entries.length > 7) return
      }
    })()
    await time.advance(100)
    await refused
    expect(entries).toEqual([
      "10 node:timers",
      "11 required",
      "12 node:timers/promises",
      "13 promisify",
      "14 scheduler",
      "15 AbortSignal",
      "30 each",
      "60 each",
    ])
  })

  test("waits for the thread pool: what WebCrypto answers belongs to the instant that asked", async () => {
    const { entries, note } = openDiary()
    setTimeout(async () => {
      for (let i = 0; i < 3; i++) await crypto.subtle.digest("SHA-256", Buffer.alloc(200_000))
      note("hashed")
    }, 5)
    setTimeout(note, 6, "next")
    await time.advance(10)
    expect(entries).toEqual(["5 hashed", "6 next"])
  })

  test("passes once at a time, and says so", async () => {
    const first = time.advance(10)
    await expect(time.advance(10)).rejects.toMatchObject({ kind: "usage" })
    await first
  })

  test("stops when a condition holds, or its time is up", async () => {
    const from = time.now
    expect(await time.advanceUntil(() => false, 100)).toBe(false)
    expect(time.now - from).toBe(100)
    setTimeout(() => undefined, 30)
    expect(await time.advanceUntil(() => time.now - from >= 130, 100)).toBe(true)
    expect(time.now - from).toBe(130)
    await expect(time.settle(new Promise(() => undefined), 10)).rejects.toMatchObject({ kind: "unavailable" })
    await expect(time.settle(Promise.reject(new Error("mine")), 10)).rejects.toThrow("mine")
  })

  test("runs the board's clock", async () => {
    const { entries, note } = openDiary()
    const clock = virtualClock()
    const from = clock.monotonic()
    clock.after(seconds(90), () => note("after"))
    clock.after(seconds(90), () => note("cancelled"))()
    void clock.sleep(2 ** 31 + 5_000).then(() => note("slept four weeks"))
    await time.advance(2 ** 31 + 5_000)
    expect(entries).toEqual(["90000 after", `${2 ** 31 + 5_000} slept four weeks`])
    expect(clock.monotonic() - from).toBe(2 ** 31 + 5_000)
  })

  test("leaves vitest its own", async () => {
    await vi.waitFor(() => undefined)
  })
})
