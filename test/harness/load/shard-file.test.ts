import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { build, encodeIntoCompressedBase64 } from "hdr-histogram-js"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { mergedNumbers } from "../../../harness/load/merge-numbers.ts"
import { readShard, type ShardFile, writeShard } from "../../../harness/load/shard-file.ts"
import { anyText } from "../../any-text.ts"
import { mutant } from "../../mutants.ts"
import { shardFile } from "./shards.ts"

const MANY = Array.from({ length: 90 }, (_, i) => i + 1)

describe("shard.json", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-shard-"))
    await mkdir(join(folder, "first"))
    await writeShard(join(folder, "first"), shardFile(0, 2, MANY))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test("says again what was written", async () => {
    expect((await readShard(join(folder, "first"))).file).toEqual(shardFile(0, 2, MANY))
    expect((await readShard(join(folder, "first", "shard.json"))).file.shard.index).toBe(0)
  })

  const numbers = shardFile(0, 2, MANY).numbers
  test.each<[string, unknown, string]>([
    [
      "more connected than asked",
      { cameras: { asked: 5, connected: 6, failed: 0 } },
      "more cameras than it has",
    ],
    [
      "another fleet's cameras",
      { cameras: { asked: 4, connected: 4, failed: 0 } },
      "4 cameras asked for, of 5",
    ],
    ["a count below nothing", { counts: { ...numbers.counts, visits: -1 } }, "numbers.counts.visits"],
    ["a count beyond measure", { counts: { ...numbers.counts, visits: 1e300 } }, "numbers.counts.visits"],
    ["a half", { bytes: { ...numbers.bytes, sealed: 0.5 } }, "numbers.bytes.sealed"],
    ["more missed than there were", { counts: { ...numbers.counts, missedVisits: 9 } }, "more visits missed"],
    ["more up than there were", { up: { hits: 2, total: 1 } }, "more cameras up"],
    ["a camera of another's", { worst: [{ ...numbers.worst[0], camera: 7 }] }, "a camera of another's"],
    ["an invariant less", { invariants: numbers.invariants.slice(1) }, "other invariants"],
    [
      "another limit",
      { invariants: numbers.invariants.map((each) => ({ ...each, limit: 1_000 })) },
      "another limit of",
    ],
    ["time that runs backwards", { series: { ...numbers.series, at: [1, 3, 2] } }, "run backwards"],
    ["a column too short", { series: { ...numbers.series, at: [1, 2] } }, "not a number for each second"],
    ["no histogram", { times: { ...numbers.times, receipt: "AAAA" } }, "times.receipt is no histogram"],
    ["no base64", { times: { ...numbers.times, receipt: "%" } }, "numbers.times.receipt"],
    [
      "a histogram of another resolution",
      { times: { ...numbers.times, lag: encodedCoarsely() } },
      "times.lag is no histogram of this version",
    ],
    ["a field that nobody knows", { more: 1 }, "is no shard of this version: numbers"],
  ])("with %s is refused in one line", async (_name, wild, why) => {
    const file = { ...shardFile(0, 2, MANY), numbers: { ...numbers, ...(wild as object) } }
    await writeFile(join(folder, "wild.json"), JSON.stringify(file))
    const error: unknown = await readShard(join(folder, "wild.json")).catch((cause: unknown) => cause)
    expect(isFault(error, "usage")).toBe(true)
    expect(messageOf(error)).toContain(why)
    expect(messageOf(error).split("\n")).toHaveLength(1)
  })

  test("of any content is read, or refused in one line", async () => {
    const whole = JSON.stringify(shardFile(0, 2, MANY))
    const path = join(folder, "any.json")
    const mangled = fc.oneof(
      anyText(),
      fc.json(),
      fc.nat(whole.length).map((length) => whole.slice(0, length)),
      fc
        .tuple(fc.constantFrom(...Object.keys(numbers)), fc.jsonValue())
        .map(([name, value]) =>
          JSON.stringify({ ...shardFile(0, 2, MANY), numbers: { ...numbers, [name]: value } }),
        ),
      fc
        .tuple(fc.nat(whole.length - 1), fc.constantFrom("9", "-", "z", "]", "A"))
        .map(([at, text]) => whole.slice(0, at) + text + whole.slice(at + 1)),
    )
    await fc.assert(
      fc.asyncProperty(mangled, async (text) => {
        await writeFile(path, text)
        const read: unknown = await readShard(path).catch((error: unknown) => error)
        if (read instanceof Error) {
          expect(isFault(read, "usage")).toBe(true)
          expect(messageOf(read).split("\n")).toHaveLength(1)
        } else mergedNumbers([(read as { file: ShardFile }).file.numbers])
      }),
    )
  })

  test("that is not looked through would be believed, and that is caught", async () => {
    const wrong = await mutant<typeof import("../../../harness/load/shard-file.ts")>(
      "harness/load/shard-file.ts",
      {
        path: "harness/load/shard-file.ts",
        from: "cameras.connected > asked",
        to: "cameras.connected > asked * 9",
      },
    )
    const wild = { ...numbers, cameras: { asked: 5, connected: 40, failed: 0 } }
    const text = JSON.stringify({ ...shardFile(0, 2, MANY), numbers: wild })
    expect(wrong.parseShardFile(text).numbers.cameras.connected).toBe(40)
  })
})

function encodedCoarsely(): string {
  const histogram = build({ highestTrackableValue: 1_000, numberOfSignificantValueDigits: 1 })
  histogram.recordValue(5)
  return encodeIntoCompressedBase64(histogram)
}
