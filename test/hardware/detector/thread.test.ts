import { describe, expect, test } from "vitest"
import type { LogLine } from "../../../firmware/log.ts"
import type { Clock } from "../../../firmware/ports.ts"
import { processClock } from "../../../hardware/clock.ts"
import { Thread } from "../../../hardware/detector/thread.ts"

const never = new AbortController().signal

/** A thread of a few words of JavaScript; `port` is its end. */
function threadOf(code: string, answerWithin = 5_000) {
  const lines: LogLine[] = []
  // Its own time, so that nobody waits for a pause.
  let ahead = 0
  const real = processClock()
  const clock: Clock = {
    ...real,
    monotonic: () => real.monotonic() + ahead,
    after: real.after,
    sleep: real.sleep,
  }
  const source = `import { parentPort as port, workerData } from "node:worker_threads"; ${code}`
  const thread = new Thread<string, string, string>({
    ...{ name: "thinker", program: { file: new URL(`data:text/javascript,${encodeURIComponent(source)}`) } },
    ...{ data: "given", startWithin: 5_000, answerWithin, clock, log: { write: (line) => lines.push(line) } },
  })
  const wait = (time: number) => {
    ahead += time
  }
  return { thread, lines, wait }
}

const READY = `port.postMessage({ kind: "ready", facts: workerData });`
const say = (what: string) => `port.postMessage({ kind: "answer", answer: ${what} })`
const asked = (then: string) => `${READY} port.on("message", (question) => { ${then} });`

describe("a thread that thinks", () => {
  test("answers what it is asked, one at a time and in order", async () => {
    const { thread, lines } = threadOf(
      asked(`globalThis.busy = (globalThis.busy ?? 0) + 1; const both = globalThis.busy > 1;
        setTimeout(() => { globalThis.busy--; ${say("both ? 'two at once' : question + '!'")} }, question === "a" ? 50 : 1)`),
    )
    expect(await thread.facts()).toBe("given")
    expect(await Promise.all(["a", "b", "c"].map((each) => thread.ask(each, [], never)))).toEqual([
      "a!",
      "b!",
      "c!",
    ])
    expect(lines).toEqual([])
    await thread.close()
  })

  test("that crashes is a fault that says so, and another is started after a pause that grows", async () => {
    const { thread, lines, wait } = threadOf(
      asked(`if (question === "crash") throw new Error("out of ideas"); ${say("question")}`),
    )
    const crash = expect(thread.ask("crash", [], never)).rejects
    await crash.toMatchObject({
      kind: "unavailable",
      definite: false,
      message: "thinker: it crashed (out of ideas)",
    })
    await expect(thread.ask("at once", [], never)).rejects.toMatchObject({
      kind: "unavailable",
      message: "thinker: it crashed (out of ideas); again in 1 s",
    })
    wait(1_000)
    await expect(thread.ask("crash", [], never)).rejects.toMatchObject({ kind: "unavailable" })
    wait(1_000)
    await expect(thread.ask("too soon", [], never)).rejects.toMatchObject({ kind: "unavailable" })
    wait(1_000)
    expect(await thread.ask("better", [], never)).toBe("better")
    await expect(thread.ask("crash", [], never)).rejects.toMatchObject({ kind: "unavailable" })
    expect(lines).toMatchObject(
      [1_000, 2_000, 1_000].map((againIn) => ({ event: "helper restarted", againIn })),
    )
    await thread.close()
  })

  test("that hangs is ended, even in a loop, and never blocks who asked", async () => {
    const { thread, lines, wait } = threadOf(
      asked(`if (question === "hang") for (;;); ${say("question")}`),
      200,
    )
    const hung = expect(thread.ask("hang", [], never)).rejects
    let turns = 0
    const turning = setInterval(() => turns++, 10)
    await hung.toMatchObject({ kind: "unavailable", message: "thinker: it was silent for 0.2 s" })
    clearInterval(turning)
    expect(turns).toBeGreaterThan(0)
    wait(1_000)
    expect(await thread.ask("better", [], never)).toBe("better")
    expect(lines).toMatchObject([{ event: "helper restarted", helper: "thinker" }])
    await thread.close()
  })

  test("that has no memory left is a fault, and not the end of the process", async () => {
    const { thread } = threadOf(
      asked(`const all = []; for (;;) all.push(new Array(1e6).fill(question + all.length))`),
      18_000,
    )
    await expect(thread.ask("more", [], never)).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(/crashed \(.*memory/),
    })
    await thread.close()
  })

  test("that says why it cannot start is believed, and is no crash", async () => {
    const fault = { kind: "malformed", message: "this is no model", definite: true }
    const { thread, lines } = threadOf(`port.postMessage({ kind: "fault", fault: ${JSON.stringify(fault)} })`)
    await expect(thread.facts()).rejects.toMatchObject(fault)
    expect(lines).toEqual([])
    await thread.close()
  })

  test.each([
    ["ends at once", "process.exit(0)"],
    ["is no program", "this is no program"],
  ])("that %s is a fault", async (_name, code) => {
    const { thread } = threadOf(code)
    await expect(thread.ask("x", [], never)).rejects.toMatchObject({ kind: "unavailable", definite: false })
    await thread.close()
  })

  test("lets go of who gives up, and the next is answered by what was asked of it", async () => {
    const { thread } = threadOf(asked(`setTimeout(() => { ${say("question")} }, 30)`))
    const gone = new AbortController()
    const first = expect(thread.ask("first", [], gone.signal)).rejects.toMatchObject({ kind: "unavailable" })
    const second = thread.ask("second", [], never)
    const third = expect(thread.ask("third", [], gone.signal)).rejects.toMatchObject({ kind: "unavailable" })
    gone.abort()
    await Promise.all([first, third])
    expect(await second).toBe("second")
    expect(await thread.ask("fourth", [], never)).toBe("fourth")
    await thread.close()
  })

  test("that is closed while it starts is gone at once", async () => {
    const { thread, lines } = threadOf("setInterval(() => undefined, 1_000)")
    const starting = expect(thread.facts()).rejects.toMatchObject({
      kind: "unavailable",
      message: "thinker: it was closed",
    })
    await thread.close()
    await starting
    expect(lines).toEqual([])
  })

  test("that was closed answers nobody", async () => {
    const { thread } = threadOf(asked(""))
    const waiting = expect(thread.ask("x", [], never)).rejects.toMatchObject({ kind: "unavailable" })
    await thread.facts()
    await thread.close()
    await waiting
    await expect(thread.ask("y", [], never)).rejects.toMatchObject({ kind: "unavailable" })
  })
})
