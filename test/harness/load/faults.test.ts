import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { type FleetRun, runFleet } from "../../../harness/load/fleet-run.ts"
import { Screen } from "../../../harness/load/screen.ts"
import { planOf } from "./small-run.ts"

let folder: string
let run: FleetRun

/** Of everything that can strike, something. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-faults-"))
  const plan = planOf(
    {
      fleet: { cameras: 12, startWithin: 1, bitsPerSecond: 400_000 },
      seconds: 10,
      arrivals: { kind: "steady", perCameraHour: 900, stay: { min: 1, max: 2 } },
      faults: [
        { kind: "lens-splits", at: 1, for: 4, share: 0.3 },
        { kind: "link", at: 2, for: 6, share: 0.3, latencyMs: 20, jitterMs: 10, loss: 0.005 },
        { kind: "cloud-slow", at: 2, for: 2, latencyMs: 100 },
        { kind: "power-cut", at: 3.5, for: 1, share: 0.3 },
        { kind: "partition", at: 3, for: 2, share: 0.3 },
        { kind: "wrong-key", at: 3, share: 0.5 },
        { kind: "lens-dies", at: 4, for: 1, share: 0.2 },
        { kind: "clock-jump", at: 4, share: 0.3, seconds: -1e9 },
        { kind: "half-open", at: 4.5, share: 0.2 },
        { kind: "broker-kill", at: 5.5, for: 0.5 },
        { kind: "disk-full", at: 6.5, for: 1, share: 0.2 },
        { kind: "duplicate-client", at: 8, share: 0.2 },
      ],
      final: { within: 40 },
      thresholds: { strangers_let_in: "count==0", visits: "count>5", receipt_latency: "p(95)<0.001" },
    },
    5,
  )
  const screen = new Screen(new PassThrough() as unknown as NodeJS.WriteStream)
  const { signal } = new AbortController()
  run = await runFleet({
    ...{ plan, out: join(folder, "out"), keep: 5, command: "npm start", screen, signal },
    ...{ abortOnFail: false, prometheusPort: null, workers: 2 },
  })
}, 90_000)
afterAll(() => rm(folder, { recursive: true, force: true }))

describe("a fleet in a storm", () => {
  test("loses nothing that was safe, doubles nothing, shows nobody anything, and recovers", () => {
    expect(run.report.failures).toEqual([])
    expect(run.report.invariants.filter(({ count, limit }) => count > limit)).toEqual([])
    expect(run.report.clips.recorded).toBeGreaterThan(5)
    expect(run.report.clips).toMatchObject({ lost: 0, doubled: 0, openedByOthers: 0 })
  })

  test("lets no stranger in under a camera's name", () => {
    expect(run.report.metrics).toMatchObject({ strangers_let_in: { count: 0 } })
  })

  test("says what struck whom and when", () => {
    const told = run.report.faults.map(({ kind }) => kind)
    expect(told).toHaveLength(12)
    expect(run.report.faults.find(({ kind }) => kind === "broker-kill")).toMatchObject({
      ...{ at: 5.5, for: 0.5, target: "cloud" },
    })
    expect(run.report.faults.find(({ kind }) => kind === "power-cut")?.target).toMatch(/^[\d,-]+$/)
  })

  test("whose invariants hold and whose threshold fails says so with a code of its own", () => {
    expect(run.report.thresholds.map(({ pass }) => pass)).toEqual([true, true, false])
    expect(run.report.exitCode).toBe(99)
  })

  test("leaves a page, numbers for programs, and a log for each process of cameras", async () => {
    const names = await readdir(run.folder.directory)
    const wanted =
      "report.html report.json series.json junit.xml metrics.prom cloud.log cameras-0.log cameras-1.log"
    expect(names).toEqual(expect.arrayContaining(wanted.split(" ")))
  })
})
