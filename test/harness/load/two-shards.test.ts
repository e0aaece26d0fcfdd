import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { seconds } from "../../../firmware/units.ts"
import { loadPlan } from "../../../harness/load/plan.ts"
import { type Report, readReport } from "../../../harness/load/report.ts"
import { readShard } from "../../../harness/load/shard-file.ts"
import { type Answer, obscura } from "../run-obscura.ts"
import { planOf } from "./small-run.ts"

const CAMERAS = 6
const SEED = 7
const SECONDS = 4
const ARRIVALS = { kind: "steady", perCameraHour: 900, stay: { min: 1, max: 2 } } as const
const WORDS = [
  ...[
    "--no-insiders",
    "--scenario",
    "steady",
    "--cameras",
    CAMERAS,
    "--seconds",
    SECONDS,
    "--seed",
    SEED,
    "--json",
  ],
  ...["--set", 'fleet.pairing="beforehand"', "--set", `arrivals.perCameraHour=${ARRIVALS.perCameraHour}`],
  ...["--set", `arrivals.stay=${JSON.stringify(ARRIVALS.stay)}`],
  // Of the whole run it holds, of a half it would not.
  ...["--set", `thresholds={"clips_delivered":"count>=${CAMERAS}","receipt_latency":"p(95)<60000"}`],
]

let home: string
let ended: readonly Answer[]
let merged: Answer
let whole: Report
let both: Report

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "obscura-shards-"))
  vi.stubEnv("JOB_COMPLETION_INDEX", "1")
  const words = WORDS.map(String)
  ended = [
    await obscura(home, "fleet", ...words, "--out", "whole"),
    await obscura(home, "fleet", ...words, "--shard", "0/2", "--out", "first"),
    await obscura(home, "fleet", ...words, "--shards", "2", "--out", "second"),
  ]
  merged = await obscura(home, "merge", "second", "first", "--json", "--out", "both")
  // What they said is the first thing to know where one of them failed.
  for (const { code, stderr } of [...ended, merged]) if (code !== 0) throw new Error(stderr)
  whole = await readReport(join(home, "whole", "report.json"))
  both = await readReport(join(home, "both", "report.json"))
}, 120_000)

afterAll(async () => {
  vi.unstubAllEnvs()
  await rm(home, { recursive: true, force: true })
})

describe("two shards merged are one run", () => {
  test("every shard ends with 0 when it has run: whether it held is said once", () => {
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0])
    expect(merged.code).toBe(0)
    expect(JSON.parse(merged.stdout)).toEqual(both)
  })

  test("the same counts, by all that a seed repeats", () => {
    expect(both.cameras).toEqual(whole.cameras)
    expect(both.clips).toEqual(whole.clips)
    expect(both.clips.delivered).toBeGreaterThanOrEqual(CAMERAS)
    expect(both.metrics.visits).toMatchObject({ count: countOf(whole, "visits") })
    expect(both.invariants.map(({ name, count, limit }) => [name, count, limit])).toEqual(
      whole.invariants.map(({ name, count, limit }) => [name, count, limit]),
    )
    expect(both.command).toBe(whole.command)
  })

  test("the same clips, by camera and visit", async () => {
    const [one, ...parts] = await Promise.all(["whole", "first", "second"].map(clipsOf))
    expect(parts.flat().sort()).toEqual(one?.sort())
    expect(new Set(one?.map((clip) => clip.split(" ")[0])).size).toBe(CAMERAS)
    expect(parts[0]?.every((clip) => Number(clip.split(" ")[0]) < CAMERAS / 2)).toBe(true)
  })

  test("thresholds are judged once, against the whole", async () => {
    const expressions = both.thresholds.map(({ metric, expr, pass }) => [metric, expr, pass])
    expect(expressions).toEqual(whole.thresholds.map(({ metric, expr, pass }) => [metric, expr, pass]))
    expect(expressions).toHaveLength(2)
    const half = await readReport(join(home, "first", "report.json"))
    expect(half.thresholds).toEqual([])
    expect(half.clips.delivered).toBeLessThan(CAMERAS)
  })

  test("each half says which cameras it had", async () => {
    const shards = await Promise.all(["first", "second"].map((name) => readShard(join(home, name))))
    expect(shards.map(({ file }) => file.shard)).toEqual([
      { index: 0, of: 2, from: 0, to: 3 },
      { index: 1, of: 2, from: 3, to: 6 },
    ])
  })
})

/** "camera visit": of each clip that was recorded, in cameras.log, the visit nearest to its beginning. */
async function clipsOf(name: string): Promise<string[]> {
  const plan = await loadPlan(
    planOf({ fleet: { cameras: CAMERAS }, seconds: SECONDS, arrivals: ARRIVALS }, SEED),
  )
  const text = await readFile(join(home, name, "cameras.log"), "utf8")
  const lines: { camera: number; event: string; time: string; clip?: string }[] = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line))
  const started = new Map(
    lines.filter(({ event }) => event === "started").map(({ camera, time }) => [camera, Date.parse(time)]),
  )
  return lines
    .filter(({ event }) => event === "clip opened")
    .map(({ camera, time }) => {
      const at = Date.parse(time) - (started.get(camera) ?? 0) + plan.startOf(camera)
      const visits = plan.scriptOf(camera).filter(({ what }) => what === "moves")
      const apart = visits.map((visit) => Math.abs(visit.at - at))
      const nearest = apart.indexOf(Math.min(...apart))
      expect(apart[nearest]).toBeLessThan(seconds(SECONDS))
      return `${camera} ${nearest}`
    })
}

function countOf({ metrics }: Report, name: string): unknown {
  const metric = metrics[name]
  return typeof metric === "object" ? metric.count : metric
}
