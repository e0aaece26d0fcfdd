import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { checkDescriptors, checkRoom } from "../../../harness/load/precheck.ts"
import { parseReport, printReport, type Report } from "../../../harness/load/report.ts"
import { makeRunFolder } from "../../../harness/load/run-folder.ts"

const report: Report = {
  schema: "obscura.report.v2",
  scenario: "steady",
  seed: 42,
  commit: "unknown",
  command: "npm start -- --seed 42",
  exitCode: 0,
  seconds: 30,
  failures: [],
  cameras: { asked: 2, connected: 2, failed: 0 },
  clips: {
    recorded: 2,
    discarded: 1,
    cut: 0,
    delivered: 2,
    opened: 2,
    lost: 0,
    doubled: 0,
    openedByOthers: 0,
  },
  segments: { sealed: 9, delivered: 9, dropped: 0 },
  bytes: { sealed: 900_000, padding: 200_000 },
  invariants: [{ name: "clips lost", count: 0, limit: 0, detail: "counted" }],
  latency: { p50Ms: 4.5, p95Ms: null },
  live: { pictures: 300, p50Ms: 4, p95Ms: 9.5 },
  thresholds: [{ metric: "receipt_latency", expr: "p(95)<500", value: 12.5, pass: true }],
  faults: [{ at: 2, for: 3, kind: "power-cut", detail: "torn 0.5", target: "0-1" }],
  metrics: { clips_recorded: 2, receipt_latency: { "p(95)": 12.5 } },
  worst: [],
  connects: { perSecond: 2, ratio: null },
  cpu: {
    camerasSecondsPerGB: 9.5,
    sealingSecondsPerGB: 3.2,
    brokerSecondsPerGB: 4.1,
    ingestSecondsPerGB: null,
  },
  memory: { camerasMiB: 170.2, brokerMiB: 99.9, idleKiBPerCamera: null },
  generator: { lagP99Ms: 3.1 },
  virtual: null,
  eventLogHash: null,
}

describe("a report", () => {
  test("is read as it was written", () => {
    expect(parseReport(printReport(report))).toEqual(report)
  })

  test.each([
    ["another version", { ...report, schema: "obscura.report.v1" }],
    ["a field too many", { ...report, more: 1 }],
    ["a field too few", { ...report, latency: undefined }],
    ["a negative count", { ...report, seed: -1 }],
  ])("with %s is none", (_, wrong) => {
    expect(() => parseReport(JSON.stringify(wrong))).toThrow(/not a report/)
  })
})

describe("before a run", () => {
  test("too many cameras for this machine are refused, with how many it carries and how to raise that", () => {
    expect(() => checkDescriptors(904, 1_024)).not.toThrow()
    expect(() => checkDescriptors(1_000, 1_024)).toThrow(/carries 904.*ulimit -n 1120/)
  })

  test("a disk that is too small is refused", () => {
    expect(() => checkRoom(1_000_000, 10 ** 9)).not.toThrow()
    expect(() => checkRoom(10 ** 9, 10 ** 9)).toThrow(/choose another disk with --out/)
  })
})

describe("the folder of a run", () => {
  let home: string
  const before = process.cwd()
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "obscura-runs-"))
    process.chdir(home)
  })
  afterEach(async () => {
    process.chdir(before)
    await rm(home, { recursive: true, force: true })
  })

  test("is one of the newest few; what a fleet did not make is never removed", async () => {
    await mkdir(join(home, "runs", "1999-mine"), { recursive: true })
    await writeFile(join(home, "runs", "1999-notes"), "mine too")
    for (let run = 0; run < 4; run++) await makeRunFolder(null, run, 2)
    const left = await readdir(join(home, "runs"))
    expect(left.slice(0, 2)).toEqual(["1999-mine", "1999-notes"])
    expect(left.slice(2).map((name) => name.slice(-2))).toEqual(["-2", "-3"])
  })

  test("takes no more room together than it may: the oldest run leaves, the newest never", async () => {
    for (let run = 0; run < 4; run++) {
      const { bucket } = await makeRunFolder(null, run, 5, 25_000)
      await mkdir(bucket)
      await writeFile(join(bucket, "volume"), Buffer.alloc(10_000))
    }
    const names = async () => (await readdir(join(home, "runs"))).filter((name) => /-\d$/.test(name))
    expect((await names()).map((name) => name.slice(-2))).toEqual(["-1", "-2", "-3"])
    await makeRunFolder(null, 4, 5, 1)
    expect((await names()).map((name) => name.slice(-2))).toEqual(["-4"])
  })

  test("two runs of one second do not share it", async () => {
    const [first, second] = [await makeRunFolder(null, 7, 5), await makeRunFolder(null, 7, 5)]
    expect(first.directory).not.toBe(second.directory)
  })

  test("asked for by name must be new or empty, and may not be a file", async () => {
    await makeRunFolder("fresh", 1, 5)
    await writeFile("file", "")
    for (const [out, why] of [
      ["fresh", /not empty/],
      ["file", /file is in the way/],
      ["file/below", /file is in the way/],
    ] as const) {
      const refused = await makeRunFolder(out, 1, 5).catch((error: unknown) => error)
      expect(isFault(refused, "usage")).toBe(true)
      expect(String(refused)).toMatch(why)
    }
  })
})
