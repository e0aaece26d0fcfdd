import { PassThrough } from "node:stream"
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest"
import type { Piece } from "../../firmware/ports.ts"
import type { CheckResult } from "../../hardware/selftest/check.ts"
import { verdictOf } from "../../hardware/selftest/record.ts"
import { CHECKS, selfTest } from "../../hardware/selftest/self-test.ts"
import { TerminalOperator } from "../../hardware/selftest/terminal-operator.ts"
import type { World } from "../../hardware/selftest/world.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { mutant } from "../mutants.ts"
import {
  behindLid,
  fakeTime,
  goodOperator,
  goodWorld,
  missing,
  PINS,
  showing,
  soon,
  wholeTest,
} from "./selftest-world.ts"

beforeEach(fakeTime)
afterEach(() => void vi.useRealTimers())
const never = new AbortController().signal

describe("a self-test", () => {
  test("of a good board with an operator passes, line by line", async () => {
    const world = await goodWorld()
    const operator = goodOperator(world.io)
    const results = await wholeTest({ ...world, luma: behindLid(world.io) }, { operator })
    expect(results.filter(({ verdict }) => verdict !== "pass")).toEqual([])
    expect(results.map(({ name }) => name)).toEqual(CHECKS.map(({ name }) => name))
    expect(verdictOf(results)).toBe("pass")
  })

  test("without an operator skips what needs one, saying why, and passes as a whole", async () => {
    const world = await goodWorld()
    const results = await wholeTest({ ...world, luma: behindLid(world.io) })
    const skipped = results.filter(({ verdict }) => verdict === "skipped")
    expect(skipped.map(({ name }) => name)).toEqual([
      ...["recording light", "status light", "button", "motion sensor"],
    ])
    expect(skipped.every(({ why }) => why.length > 10)).toBe(true)
    expect(verdictOf(results)).toBe("pass")
  })

  test("of a board without a camera tries all the rest", async () => {
    const results = await wholeTest(
      await goodWorld({ lens: missing("no camera is found"), luma: missing("none") }),
    )
    expect(results.filter(({ verdict }) => verdict === "fail").map(({ name }) => name)).toEqual(["lens"])
    expect(results.filter(({ verdict }) => verdict === "pass").length).toBeGreaterThan(6)
  })

  test("goes on when a part never answers", async () => {
    const world = await goodWorld()
    const dead = { ...world.scratch(), put: () => new Promise<never>(() => undefined) }
    const results = await wholeTest({ ...world, scratch: () => dead })
    expect(results.find(({ name }) => name === "disk")).toMatchObject({
      verdict: "fail",
      why: "no answer within 60 s",
    })
    expect(results).toHaveLength(CHECKS.length)
  })

  test("that is stopped ends with a fault, with its lights dark and its shutter closed", async () => {
    const world = await goodWorld()
    const stop = new AbortController()
    const ask = async () => {
      stop.abort()
      return true
    }
    const all = async () => {
      const options = { operator: goodOperator(world.io, { ask }), serial: null, seen: [] }
      for await (const _result of selfTest(world, options, stop.signal));
    }
    await expect(soon(all())).rejects.toMatchObject({
      kind: "unavailable",
      message: expect.stringMatching(/stopped/),
    })
    expect(world.io.level(PINS.light)).toBe(0)
    expect(world.io.level(PINS.shutter)).toBeGreaterThan(1_000)
  })

  test("leaves the camera's disk as it was", async () => {
    const world = await goodWorld()
    await world.memory.put("object.1", [new Uint8Array(10)])
    const before = [await world.memory.list(""), await world.memory.private.list("")]
    await wholeTest(world)
    expect([await world.memory.list(""), await world.memory.private.list("")]).toEqual(before)
    expect(await world.scratch().list("")).toEqual([])
  })
})

describe("while the owner has privacy mode on", () => {
  type SelfTest = typeof selfTest
  const LOOKS = ["lens", "frame rate", "bitrate", "picture", "frozen", "shutter"]

  /** A world that privacy mode is on in; what was looked at, and where the shutter went. */
  async function looks(by: SelfTest, changes: (world: World) => Partial<World> = () => ({})) {
    const world = await goodWorld()
    await world.memory.private.put("privacy", [Buffer.from('{"version":1,"on":true}')])
    const writes = world.io.record(() => 0)
    let looked = 0
    const counted = <T>(pictures: T): T => {
      looked++
      return pictures
    }
    const watched = {
      ...world,
      lens: () => ({ pieces: (signal: AbortSignal) => counted(showing({}).pieces(signal)) }),
      luma: () => (signal: AbortSignal) => counted(world.luma()(signal)),
    }
    const all = async () => {
      const results: CheckResult[] = []
      const options = { operator: null, serial: null, seen: [] }
      for await (const result of by({ ...watched, ...changes(watched) }, options, never)) results.push(result)
      return results
    }
    const results = await soon(all())
    const opened = writes.some(({ pin, value }) => pin === PINS.shutter && value < 1_000)
    return { looked, opened, results }
  }

  test("nothing looks, the shutter stays closed, and what was not looked at is skipped and said", async () => {
    const { looked, opened, results } = await looks(selfTest)
    expect({ looked, opened }).toEqual({ looked: 0, opened: false })
    const skipped = results.filter(({ why }) => /privacy mode/.test(why))
    expect(skipped.map(({ name, verdict }) => `${name}: ${verdict}`)).toEqual(
      LOOKS.map((name) => `${name}: skipped`),
    )
    expect(verdictOf(results)).toBe("incomplete")
  })

  test("a file that is damaged, and a disk that does not open, are no reason to look", async () => {
    const damaged = (await goodWorld()).memory
    await damaged.private.put("privacy", [Buffer.from("{")])
    for (const disk of [() => damaged, missing("the card is dead")]) {
      const { looked, opened } = await looks(selfTest, () => ({ disk }))
      expect({ looked, opened }).toEqual({ looked: 0, opened: false })
    }
  })

  test.each([
    ["looks all the same", "if (LOOK.includes(check) && hidden !== null) return hidden", ""],
    [
      "opens the shutter",
      'if (hidden === null) await moveShutter(jig, "open")',
      'await moveShutter(jig, "open")',
    ],
  ])("a self-test that %s is caught", async (_what, from, to) => {
    const path = "hardware/selftest/self-test.ts"
    const bent = await mutant<{ selfTest: SelfTest }>(path, { path, from, to })
    const { looked, opened } = await looks(bent.selfTest)
    expect(looked > 0 || opened).toBe(true)
  })
})

describe("no picture is left in memory", () => {
  /** What is left of the pieces that the lens gave. */
  async function leftOf(seeStream: (world: World, signal: AbortSignal) => Promise<unknown>): Promise<number> {
    const given: Uint8Array[] = []
    const lens = {
      async *pieces(signal: AbortSignal): AsyncGenerator<Piece> {
        for await (const piece of showing({}).pieces(signal)) {
          given.push(piece.bytes)
          yield piece
        }
      },
    }
    await soon(seeStream(await goodWorld({ lens: () => lens }), never))
    expect(given.length).toBeGreaterThan(5)
    return given.flatMap((bytes) => [...bytes]).filter((byte) => byte !== 0).length
  }
  type Module = typeof import("../../hardware/selftest/stream-seen.ts")
  const entry = "hardware/selftest/stream-seen.ts"

  test("when the stream has been seen", async () => {
    const { seeStream } = await import("../../hardware/selftest/stream-seen.ts")
    expect(await leftOf(seeStream)).toBe(0)
  })

  test("a self-test that does not wipe is caught", async () => {
    const mistake = { path: entry, from: "bytes.fill(0)", to: "bytes.at(0)" }
    const { seeStream } = await mutant<Module>(entry, mistake)
    expect(await leftOf(seeStream)).toBeGreaterThan(0)
  })
})

describe("a verdict", () => {
  const line = (verdict: "pass" | "fail" | "skipped", mandatory = true) => ({ verdict, mandatory })
  test.each([
    ["pass", [line("pass"), line("skipped", false)]],
    ["fail", [line("pass"), line("fail", false), line("skipped")]],
    ["incomplete", [line("pass"), line("skipped")]],
    ["incomplete", []],
  ] as const)("is %s", (verdict, checks) => {
    expect(verdictOf(checks)).toBe(verdict)
  })

  test("counts key, disk, lens and sealer as what must be tried", () => {
    const mandatory = CHECKS.filter((check) => check.mandatory).map(({ name }) => name)
    expect(mandatory).toEqual([
      "key",
      "disk",
      "free space",
      "lens",
      "frame rate",
      "bitrate",
      "picture",
      "frozen",
      "crypto",
    ])
  })
})

describe("an operator at a terminal", () => {
  const asked = () => {
    const input = new PassThrough()
    const said: string[] = []
    const operator = new TerminalOperator(input, virtualClock(), (text) => said.push(text))
    onTestFinished(() => operator.close())
    return { input, said, operator }
  }
  const typed = async (...lines: string[]) => {
    const { input, said, operator } = asked()
    const answer = operator.ask("is it on?", 5_000, never)
    for (const line of lines) input.write(`${line}\n`)
    return { answer: await soon(answer), said }
  }
  test("says yes or no, whatever the letters", async () => {
    for (const [line, answer] of [
      ["y", true],
      [" YES ", true],
      ["n", false],
      ["No\r", false],
    ] as const)
      expect(await typed(line)).toMatchObject({ answer })
  })

  test("is asked again after anything else, and has not answered when time is up", async () => {
    expect(await typed("maybe", "", "yep", "n")).toMatchObject({ answer: false })
    const { answer, said } = await typed("perhaps")
    expect(answer).toBeNull()
    expect(said).toEqual(["is it on? [y/n]", "y for yes, n for no:"])
  })

  test("who typed ahead has not looked", async () => {
    const { input, operator } = asked()
    input.write("y\ny\ny\n")
    await soon(new Promise((resolve) => setImmediate(resolve)))
    expect(await soon(operator.ask("is it on?", 5_000, never))).toBeNull()
  })

  test("who has gone away gives no answer", async () => {
    const { input, operator } = asked()
    const answer = operator.ask("is it on?", 5_000, never)
    input.end()
    expect(await soon(answer)).toBeNull()
    expect(await soon(operator.ask("and now?", 5_000, never))).toBeNull()
  })
})
