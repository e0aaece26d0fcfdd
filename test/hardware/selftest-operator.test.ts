import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import type { Check } from "../../hardware/selftest/check.ts"
import type { Operator } from "../../hardware/selftest/operator.ts"
import type { World } from "../../hardware/selftest/world.ts"
import { mutant } from "../mutants.ts"
import {
  behindLid,
  check,
  config,
  fakeTime,
  finding,
  type GoodWorld,
  goodOperator,
  goodWorld,
  keyFile,
  missing,
  PINS,
} from "./selftest-world.ts"

beforeEach(fakeTime)
afterEach(() => void vi.useRealTimers())
const noLuma = missing("raspivid gives H.264 alone")

describe("a light", () => {
  const answers = (answer: (io: GoodWorld["io"]) => boolean | null) => async (name: string) => {
    const world = await goodWorld()
    const operator = goodOperator(world.io, { ask: async () => answer(world.io) })
    const found = await finding(check(name), world, { operator })
    // Dark afterwards, whatever came of it.
    expect([world.io.level(PINS.light), world.io.level(PINS.status)]).toEqual([0, 0])
    return found.verdict
  }
  test.each(["recording light", "status light"])(
    "%s: who always says yes, or no, or nothing, fails",
    async (name) => {
      expect(await answers(() => true)(name)).toBe("fail")
      expect(await answers(() => false)(name)).toBe("fail")
      expect(await answers(() => null)(name)).toBe("fail")
    },
  )

  test.each(["recording light", "status light"])(
    "%s: one that does not follow is never seen to",
    async (name) => {
      const world = await goodWorld()
      world.io.breakPin(PINS.light)
      world.io.breakPin(PINS.status)
      for (const operator of [null, goodOperator(world.io)])
        expect(await finding(check(name), world, { operator })).toMatchObject({ verdict: "fail" })
    },
  )

  test.each(["recording light", "status light"])(
    "%s: without an operator it is driven, and skipped",
    async (name) => {
      const found = await finding(check(name), await goodWorld())
      expect(found).toMatchObject({
        verdict: "skipped",
        why: expect.stringMatching(/--no-operator.*could be driven/),
      })
    },
  )
})

describe("a mistake in a check is caught", () => {
  const checks = "hardware/selftest/checks"
  const allAlike = { random: { next: () => 0.1 } }
  const yesMan = (world: GoodWorld) => ({ operator: goodOperator(world.io, { ask: async () => true }) })

  test("a light that is always on", async () => {
    const mistake = {
      ...{
        path: `${checks}/light-pattern.ts`,
        from: "pattern.every((on) => on === pattern[0])",
        to: "rounds < 0",
      },
    }
    const wrong = await mutant<{ recordingLight: Check }>(`${checks}/recording-light.ts`, mistake)
    for (const [recordingLight, verdict] of [
      [check("recording light"), "fail"],
      [wrong.recordingLight, "pass"],
    ] as const) {
      const world = await goodWorld(allAlike)
      expect((await finding(recordingLight, world, yesMan(world))).verdict).toBe(verdict)
    }
  })

  test("a key that others may read", async () => {
    const mistake = { path: `${checks}/key.ts`, from: "(mode & 0o077) !== 0 || ", to: "" }
    const wrong = await mutant<{ key: Check }>(`${checks}/key.ts`, mistake)
    const world = await goodWorld({ keyFile: async () => keyFile({ mode: 0o604 }) })
    expect((await finding(check("key"), world)).verdict).toBe("fail")
    expect((await finding(wrong.key, world)).verdict).toBe("pass")
  })
})

describe("a button", () => {
  const tried = async (
    tell: (io: GoodWorld["io"]) => void,
    before: (io: GoodWorld["io"]) => void = () => undefined,
  ) => {
    const world = await goodWorld()
    before(world.io)
    return finding(check("button"), world, {
      operator: goodOperator(world.io, { tell: () => tell(world.io) }),
    })
  }
  test("that nobody presses in time, or that stays down, fails", async () => {
    expect(await tried(() => undefined)).toMatchObject({
      why: expect.stringMatching(/no press/),
      verdict: "fail",
    })
    expect(await tried((io) => io.set(PINS.bell, 1))).toMatchObject({
      ...{ verdict: "fail", why: expect.stringMatching(/not let go/) },
    })
  })

  test("that is down before anybody pressed fails, with or without an operator", async () => {
    const stuck = (io: GoodWorld["io"]) => io.set(PINS.bell, 1)
    expect(await tried(() => undefined, stuck)).toMatchObject({
      verdict: "fail",
      why: expect.stringMatching(/stuck/),
    })
    const world = await goodWorld()
    stuck(world.io)
    expect(await finding(check("button"), world)).toMatchObject({ verdict: "fail" })
  })
})

describe("a motion sensor", () => {
  const tried = async (play: (io: GoodWorld["io"], text: string) => void, changes: Partial<World> = {}) => {
    const world = await goodWorld(changes)
    const told: string[] = []
    const tell = (text: string) => {
      told.push(text)
      play(world.io, text)
    }
    const found = await finding(check("motion sensor"), world, { operator: goodOperator(world.io, { tell }) })
    return { ...found, told }
  }
  const whenMoved = (io: GoodWorld["io"], text: string) => {
    if (/^Now move/.test(text)) io.set(PINS.motion, 1)
  }

  test("that feels a motion passes, and is waited for while it warms up", async () => {
    const cold = { ...config, motion: { warmUp: 60_000 } }
    const found = await tried(whenMoved, { config: cold, uptime: () => 20_000 })
    const told = [/warms up for 40 s/, /^Stand still/, /^Now move/].map((each) => expect.stringMatching(each))
    expect(found).toMatchObject({ verdict: "pass", told })
  })

  test("that is stuck low, stuck high, or floats fails", async () => {
    expect(await tried(() => undefined)).toMatchObject({
      verdict: "fail",
      why: expect.stringMatching(/stays low/),
    })
    const high = await tried((io) => io.set(PINS.motion, 1))
    expect(high).toMatchObject({ verdict: "fail", why: expect.stringMatching(/does not stay low/) })
    const floats = await tried((io, text) => {
      for (let at = 500; /^Stand/.test(text) && at < 60_000; at += 500)
        setTimeout(() => io.set(PINS.motion, (at / 500) % 2 === 0 ? 0 : 1), at)
    })
    expect(floats).toMatchObject({ verdict: "fail", why: expect.stringMatching(/does not stay low/) })
  })

  test("before which nobody stands is skipped", async () => {
    expect(await finding(check("motion sensor"), await goodWorld())).toMatchObject({ verdict: "skipped" })
  })
})

describe("a shutter", () => {
  /** Pictures are dark while the servo is at its closed end, unless the lid has come off. */
  const withLid = async (covers: (pulse: number) => boolean) => {
    const world = await goodWorld()
    const found = await finding(check("shutter"), { ...world, luma: behindLid(world.io, covers) })
    return { ...found, pulse: world.io.level(PINS.shutter) }
  }
  test("that covers the lens and frees it passes, and is open afterwards", async () => {
    const found = await withLid((pulse) => pulse > 1_000)
    expect(found.verdict).toBe("pass")
    expect(found.pulse).toBeLessThan(1_000)
  })

  test("whose lid has come off, or never opens, fails", async () => {
    expect(await withLid(() => false)).toMatchObject({
      verdict: "fail",
      why: expect.stringMatching(/does not cover/),
    })
    expect(await withLid(() => true)).toMatchObject({
      verdict: "fail",
      why: expect.stringMatching(/still covers/),
    })
  })

  test("is the operator's where the camera cannot see it, and nobody's without one", async () => {
    const world = await goodWorld({ luma: noLuma })
    const ask: Operator["ask"] = async (question) => /closed|open/.test(question)
    expect(
      await finding(check("shutter"), world, { operator: goodOperator(world.io, { ask }) }),
    ).toMatchObject({ verdict: "pass" })
    const deny = goodOperator(world.io, { ask: async () => false })
    expect(await finding(check("shutter"), world, { operator: deny })).toMatchObject({ verdict: "fail" })
    expect(await finding(check("shutter"), world)).toMatchObject({ verdict: "skipped" })
  })
})
