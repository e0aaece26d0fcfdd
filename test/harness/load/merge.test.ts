import { describe, expect, test } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { mergeShards } from "../../../harness/load/merge.ts"
import { mergedNumbers } from "../../../harness/load/merge-numbers.ts"
import type { ShardFile } from "../../../harness/load/shard-file.ts"
import { mutant } from "../../mutants.ts"
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

function withInvariant(file: ShardFile, name: string, count: number, limit: number): ShardFile {
  const invariants = file.numbers.invariants.map((each) =>
    each.name === name ? { ...each, count, limit } : each,
  )
  return { ...file, numbers: { ...file.numbers, invariants } }
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
