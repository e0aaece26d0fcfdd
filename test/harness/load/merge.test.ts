import { spawnSync } from "node:child_process"
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { build, encodeIntoCompressedBase64 } from "hdr-histogram-js"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { mergeShards } from "../../../harness/load/merge.ts"
import { mergedNumbers } from "../../../harness/load/merge-numbers.ts"
import { readReport } from "../../../harness/load/report.ts"
import { readShard, type ShardFile, writeShard } from "../../../harness/load/shard-file.ts"
import { mutant } from "../../mutants.ts"
import { root } from "../../support.ts"
import { saved, shardFile } from "./shards.ts"

const MANY = Array.from({ length: 90 }, (_, i) => i + 1)
const FEW = Array.from({ length: 10 }, (_, i) => 1_000 + i)

describe("shards merged", () => {
  test("add up: counts, costs, memory, and how much was tried", () => {
    const { report } = mergeShards(saved(shardFile(1, 3, []), shardFile(0, 3, []), shardFile(2, 3, [])))
    expect(report.cameras).toEqual({ asked: 10, connected: 10, failed: 0 })
    expect(report.clips).toMatchObject({ recorded: 10, delivered: 10, opened: 10 })
    expect(report.metrics).toMatchObject({
      visits: { count: 10 },
      visits_missed: 0.3,
      cameras_up: 0.75,
      recovery: 6,
      memory_cameras: 300,
      memory_broker: 150,
    })
    expect(report.memory.idleKiBPerCamera).toBe(1_024)
    const tries = report.invariants.find(({ name }) => name === "clips opened by others")?.detail
    expect(tries).toBe("4,000 tries by others")
    expect(report.worst.map(({ camera }) => camera)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0])
  })

  test("have the percentiles of all their values, not a mean of theirs", () => {
    const shards = [shardFile(0, 2, MANY), shardFile(1, 2, FEW)]
    const { latency } = mergeShards(saved(...shards)).report
    const one = mergeShards(saved(shardFile(0, 1, [...MANY, ...FEW]))).report
    expect(latency).toEqual(one.latency)
    expect(latency.p95Ms).toBeGreaterThan(1_000)
    expect(latency.p50Ms).toBeLessThan(60)
  })

  test("whose times are forgotten are caught", async () => {
    const wrong = await mutant<typeof import("../../../harness/load/merge.ts")>("harness/load/merge.ts", {
      path: "harness/load/merge-numbers.ts",
      from: 'receipt: histogram("receipt")',
      to: "receipt: parts[0]?.times.receipt ?? null",
    })
    const shards = saved(shardFile(0, 2, MANY), shardFile(1, 2, FEW))
    expect(wrong.mergeShards(shards).report.latency.p95Ms).toBeLessThan(1_000)
  })

  test("are judged once: a threshold that none of them holds alone, and a limit that each holds alone", () => {
    const thresholds = { clips_delivered: "count>=10" }
    const limits = { "clips lost": 1 }
    const shards = [0, 1].map((index) => {
      const file = shardFile(index, 2, MANY, { thresholds, limits })
      return withInvariant(file, "clips lost", 1, 1)
    })
    const { report } = mergeShards(saved(...shards))
    expect(report.thresholds).toEqual([
      { metric: "clips_delivered", expr: "count>=10", value: 10, pass: true },
    ])
    expect(report.exitCode).toBe(1)
    expect(report.invariants.find(({ name }) => name === "clips lost")).toMatchObject({ count: 2, limit: 1 })
    const failing = [0, 1].map((index) => shardFile(index, 2, MANY, { thresholds: { visits: "count>10" } }))
    expect(mergeShards(saved(...failing)).report.exitCode).toBe(99)
  })

  test("show a clip if one of them does, and none if none does", () => {
    const without = (index: number) => {
      const file = withInvariant(shardFile(index, 2, []), "runs without a clip", 1, 0)
      const { clips } = file.numbers
      const failures = ["runs without a clip: no clip was delivered"]
      return { ...file, numbers: { ...file.numbers, failures, clips: { ...clips, delivered: 0 } } }
    }
    const one = mergeShards(saved(without(0), shardFile(1, 2, []))).report
    expect([one.exitCode, one.failures]).toEqual([0, []])
    const none = mergeShards(saved(without(0), without(1))).report
    expect(none.exitCode).toBe(1)
    expect(none.failures).not.toEqual([])
  })

  test("lay their seconds over each other: rates add up, of latencies the worst is shown, gaps stay", () => {
    const { series } = mergeShards(saved(shardFile(0, 2, []), shardFile(1, 2, [])))
    expect(series.at).toEqual([1.001, 2.003, 3.004])
    expect(series.columns.camerasUp).toEqual([10, null, 10])
    expect(series.columns.receiptP95Ms).toEqual([5, null, 5])
    expect(mergedNumbers([shardFile(0, 1, []).numbers]).series).toEqual(shardFile(0, 1, []).numbers.series)
  })

  test("that ended sooner are nothing afterwards, and are no shorter for a second that was skipped", () => {
    const long = shardFile(0, 2, []).numbers
    const at = [1, 3, 4, 5]
    const columns = Object.fromEntries(
      Object.keys(long.series.columns).map((name) => [name, at.map(() => 7)]),
    ) as typeof long.series.columns
    const other = { ...long, series: { ...long.series, at, columns } }
    const { series } = mergedNumbers([long, other])
    expect(series.at).toEqual(at)
    expect(series.columns.camerasUp).toEqual([12, 12, 7, 7])
  })

  test("name some failures of each", () => {
    const [a, b] = [0, 1].map((index) => {
      const { numbers, ...file } = shardFile(index, 2, [])
      const failures = Array.from({ length: 20 }, (_, i) => `clips lost: camera ${index}: ${i}`)
      return { ...file, numbers: { ...numbers, failures } }
    })
    if (!a || !b) throw new Error("no shards")
    const { failures } = mergeShards(saved(a, b)).report
    expect(failures).toHaveLength(20)
    expect(failures.filter((line) => line.includes("camera 1"))).toHaveLength(10)
  })

  test("that did not run at the same time are said", () => {
    const late = { ...shardFile(1, 2, []), begunAt: 1_772_366_490_000 }
    expect(mergeShards(saved(shardFile(0, 2, []), late)).warnings).toEqual([
      expect.stringMatching(/^shards began 90\.0 s apart.*--start-at/),
    ])
    expect(mergeShards(saved(shardFile(0, 2, []), shardFile(1, 2, []))).warnings).toEqual([])
  })
})

describe("what is no run", () => {
  const first = shardFile(0, 2, [])
  const second = shardFile(1, 2, [])
  const of = (run: Partial<ShardFile["run"]>) => ({ ...second, run: { ...second.run, ...run } })

  test.each<[string, readonly ShardFile[], string]>([
    ["other seeds", [first, of({ seed: 8 })], "results of different runs: seed 42 in shard-0, 8 in shard-1"],
    ["other commits", [first, of({ commit: "f" })], "results of different runs: commit 0123abc"],
    ["other scenarios", [first, of({ name: "spike" })], "results of different runs: scenario steady"],
    [
      "other fields of one scenario",
      [first, shardFile(1, 2, [], { seconds: 31 })],
      "results of different runs: the scenario in shard-0 is not that in shard-1",
    ],
    ["other numbers of shards", [first, shardFile(1, 3, [])], "results of different runs: shards 2"],
    ["one that is missing", [first], "shard 1/2 is missing: give the folders of all 2"],
    ["many that are missing", [shardFile(3, 10, [])], "0/10, 1/10, 2/10, 4/10, 5/10 and 4 more is missing"],
    ["one that is there twice", [first, second, second], "shard 1/2 is there twice: shard-1 and shard-1"],
    ["nothing", [], "there is nothing to merge"],
  ])("%s", (_name, files, why) => {
    expect(refusal(() => mergeShards(saved(...files)))).toContain(why)
  })

  test("the same film elsewhere is the same run", () => {
    const fleet = (scene: string) => ({ fleet: { cameras: 10, scene } })
    const shards = [shardFile(0, 2, [], fleet("/a/film.mp4")), shardFile(1, 2, [], fleet("/b/film.mp4"))]
    expect(mergeShards(saved(...shards)).report.cameras.asked).toBe(10)
  })
})

describe("shard.json", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-merge-"))
    for (const [name, file] of [
      ["first", shardFile(0, 2, MANY)],
      ["second", shardFile(1, 2, FEW)],
      ["other", { ...shardFile(1, 2, FEW), run: { ...shardFile(1, 2, FEW).run, seed: 9 } }],
    ] as const) {
      await mkdir(join(folder, name))
      await writeShard(join(folder, name), file)
    }
    await mkdir(join(folder, "empty"))
    await mkdir(join(folder, "torn"))
    const text = await readFile(join(folder, "first", "shard.json"), "utf8")
    await writeFile(join(folder, "torn", "shard.json"), text.slice(0, text.length / 2))
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
      fc.string({ unit: "binary" }),
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

  function run(...words: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, "harness", "obscura.js"), "merge", ...words],
      { cwd: folder, encoding: "utf8", timeout: 45_000, killSignal: "SIGKILL" },
    )
    return { code: status, stdout, stderr }
  }

  test("of all shards become one run's folder", async () => {
    const { code, stdout, stderr } = run("second", "first", "--json", "--out", "both")
    expect(stderr).toContain("merged 2 shards")
    expect(stderr).toMatch(/It held.*\nseed 42 · commit 0123abc · npm start -- --seed 42/)
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual(await readReport(join(folder, "both", "report.json")))
    expect((await readdir(join(folder, "both"))).filter((name) => !name.startsWith(".")).sort()).toEqual([
      ...["junit.xml", "metrics.prom", "report.html", "report.json", "series.json"],
    ])
  }, 60_000)

  test.each([
    [["first"], "shard 1/2 is missing"],
    [["first", "other"], "results of different runs: seed 42 in first, 9 in other"],
    [["first", "first"], "shard 0/2 is there twice: first and first"],
    [["first", "none"], "none: is not there; give the folder of each shard"],
    [["first", "empty"], "empty/shard.json: is not there: did its shard end?"],
    [["first", "torn"], "torn/shard.json: is not whole JSON: did its shard end?"],
    [["first", "second", "--out", "first"], "is not empty"],
    [[], "missing required argument"],
  ])(
    "%j is refused in one line: %s",
    (words, why) => {
      const { code, stderr } = run(...words)
      expect(stderr).toContain(why)
      expect(stderr.trim().split("\n")).toHaveLength(1)
      expect(code).toBe(2)
    },
    60_000,
  )
})

function withInvariant(file: ShardFile, name: string, count: number, limit: number): ShardFile {
  const invariants = file.numbers.invariants.map((each) =>
    each.name === name ? { ...each, count, limit } : each,
  )
  return { ...file, numbers: { ...file.numbers, invariants } }
}

function encodedCoarsely(): string {
  const histogram = build({ highestTrackableValue: 1_000, numberOfSignificantValueDigits: 1 })
  histogram.recordValue(5)
  return encodeIntoCompressedBase64(histogram)
}

function refusal(merge: () => unknown): string {
  try {
    merge()
  } catch (error) {
    expect(isFault(error, "usage")).toBe(true)
    expect(messageOf(error).split("\n")).toHaveLength(1)
    return messageOf(error)
  }
  throw new Error("nothing was refused")
}
