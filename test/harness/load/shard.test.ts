import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { camerasOf, parseShard, SHARDS_MAX, shardFrom } from "../../../harness/load/shard.ts"
import { parseStartAt, untilStart } from "../../../harness/load/start-at.ts"
import { mutant } from "../../mutants.ts"

type ShardModule = typeof import("../../../harness/load/shard.ts")

const NOW = Date.parse("2026-03-01T12:00:00Z")
const INDEX = (index: string) => ({ JOB_COMPLETION_INDEX: index })

describe("--shard", () => {
  test("counts from 0", () => {
    expect(parseShard("0/1")).toEqual({ index: 0, of: 1 })
    expect(parseShard("3/4")).toEqual({ index: 3, of: 4 })
  })

  test.each([
    ["3/2", "the last of 2 is 1/2"],
    ["2/2", "the last of 2 is 1/2"],
    ["0/0", `1 to ${SHARDS_MAX}`],
    ["0/99999", `1 to ${SHARDS_MAX}`],
    ["first", "it looks like 0/4"],
    ["", "it looks like 0/4"],
    ["-1/2", "it looks like 0/4"],
    ["1.5/2", "it looks like 0/4"],
    ["1/2/3", "it looks like 0/4"],
    [" 1/2", "it looks like 0/4"],
    ["9999999999999999999/2", "it looks like 0/4"],
  ])("%j is refused: %s", (text, why) => {
    expect(refusal(() => parseShard(text))).toContain(why)
  })

  test("is --shards with the index of an Indexed Job's pod", () => {
    expect(shardFrom(undefined, 4, INDEX("2"))).toEqual({ index: 2, of: 4 })
    expect(shardFrom({ index: 1, of: 4 }, 4, INDEX("2"))).toEqual({ index: 1, of: 4 })
    // A job that says nothing of shards runs the whole fleet.
    expect(shardFrom(undefined, undefined, INDEX("2"))).toBeNull()
  })

  test("says in one line what is missing or does not fit", () => {
    expect(refusal(() => shardFrom(undefined, 4, {}))).toMatch(
      /give --shard 0\/4, or set JOB_COMPLETION_INDEX/,
    )
    expect(refusal(() => shardFrom(undefined, 2, INDEX("3")))).toMatch(/^JOB_COMPLETION_INDEX="3".* is 1\/2$/)
    expect(refusal(() => shardFrom(undefined, 2, INDEX("x\ny")))).toMatch(/it looks like 0\/4/)
    expect(refusal(() => shardFrom({ index: 0, of: 2 }, 3, {}))).toMatch(/give one of them/)
    expect(refusal(() => camerasOf(3, { index: 0, of: 4 }))).toMatch(/4 shards of 3 cameras/)
  })
})

describe("shards of a fleet", () => {
  const everyCameraOnce = (
    { camerasOf: of }: Pick<ShardModule, "camerasOf">,
    cameras: number,
    shards: number,
  ) => {
    const owned = Array.from({ length: shards }, (_, index) => of(cameras, { index, of: shards })).flatMap(
      ({ from, to }) => Array.from({ length: to - from }, (_, i) => from + i),
    )
    return owned.length === cameras && owned.every((camera, position) => camera === position)
  }

  test("have every camera once, and as many each but for one", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(), (cameras, some) => {
        const shards = 1 + (some % cameras)
        expect(everyCameraOnce({ camerasOf }, cameras, shards)).toBe(true)
        const sizes = Array.from({ length: shards }, (_, index) => {
          const { from, to } = camerasOf(cameras, { index, of: shards })
          return to - from
        })
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test("that leave a camera out are caught", async () => {
    const wrong = await mutant<ShardModule>("harness/load/shard.ts", {
      path: "harness/load/shard.ts",
      from: "((index + 1) * cameras) / of",
      to: "((index + 1) * (cameras - 1)) / of",
    })
    expect(everyCameraOnce(wrong, 10, 3)).toBe(false)
  })
})

describe("--start-at", () => {
  test.each([
    ["+30s", NOW + 30_000],
    ["+5m", NOW + 300_000],
    ["1772366460", NOW + 60_000],
    ["2026-03-01T12:01:00Z", NOW + 60_000],
    ["2026-03-01T14:01:00.500+02:00", NOW + 60_500],
  ])("%s", (text, at) => {
    expect(parseStartAt(text, NOW)).toBe(at)
  })

  test.each([
    ["2026-03-01T11:59:00Z", "60.0 s ago"],
    ["1772366400.000", null],
    ["2026-03-03T12:00:00Z", "more than a day ahead"],
    ["+99999m", "more than a day ahead"],
    ["2026-03-01T12:01:00", "with its zone"],
    ["2026-99-01T12:01:00Z", "it looks like"],
    ["soon", "it looks like"],
    ["", "it looks like"],
    ["-30s", "it looks like"],
    ["30", "it looks like"],
  ])("%j: %s", (text, why) => {
    if (why === null) expect(parseStartAt(text, NOW)).toBe(NOW)
    else expect(refusal(() => parseStartAt(text, NOW))).toContain(why)
  })

  test("holds back until that moment, by the wall's clock", async () => {
    let now = NOW
    const looks: number[] = []
    await untilStart(NOW + 20, new AbortController().signal, () => {
      looks.push(now)
      now += 5
      return now
    })
    expect(looks.at(-1)).toBeGreaterThanOrEqual(NOW + 10)
  })

  test("ends on Ctrl-C", async () => {
    const stop = new AbortController()
    const held = untilStart(NOW + 60_000, stop.signal, () => NOW)
    stop.abort()
    await expect(held).resolves.toBeUndefined()
  })

  test("that is past when the cameras are ready fails: the others have begun", async () => {
    const late = untilStart(NOW, new AbortController().signal, () => NOW + 3_000)
    await expect(late).rejects.toThrow("--start-at: the cameras were ready 3.0 s after it")
  })
})

function refusal(parse: () => unknown): string {
  try {
    parse()
  } catch (error) {
    expect(isFault(error, "usage")).toBe(true)
    expect(messageOf(error).split("\n")).toHaveLength(1)
    return messageOf(error)
  }
  throw new Error("nothing was refused")
}
