import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { compareReports, type Row } from "../../../harness/load/compare.ts"
import { comparisonPage } from "../../../harness/load/compare-page.ts"
import { comparisonTable } from "../../../harness/load/compare-table.ts"
import { METRIC_NAMES, METRICS } from "../../../harness/load/metrics.ts"
import type { Report } from "../../../harness/load/report.ts"
import { anyText } from "../../any-text.ts"
import { mutant } from "../../mutants.ts"
import { REPORT } from "./readings.ts"

const TOLERANCE = 10

function withMetrics(metrics: Report["metrics"]): Report {
  return { ...REPORT, metrics: { ...REPORT.metrics, ...metrics } }
}

function rowOf(rows: readonly Row[], name: string, part = ""): Row | undefined {
  return rows.find((row) => row.name === name && row.part === part)
}

/** What is said of one metric of B, where A has `a`. */
function verdictOn(name: string, a: Report["metrics"][string], b: Report["metrics"][string], part = "") {
  const { metrics } = compareReports(withMetrics({ [name]: a }), withMetrics({ [name]: b }), TOLERANCE)
  return rowOf(metrics, name, part)?.verdict
}

describe("two runs compared", () => {
  test("are the same where nothing changed", () => {
    const { metrics, verdicts, warnings, regressions } = compareReports(REPORT, REPORT, 0)
    expect([...metrics, ...verdicts].map(({ verdict }) => verdict)).toEqual(
      [...metrics, ...verdicts].map(() => "same"),
    )
    expect([warnings, regressions]).toEqual([[], 0])
  })

  test.each([
    ["latency is better when it is lower", "receipt_latency", { p95: 100 }, { p95: 80 }, "p95", "better"],
    ["and worse when it is higher", "receipt_latency", { p95: 100 }, { p95: 120 }, "p95", "worse"],
    [
      "within the tolerance it fails nothing",
      "receipt_latency",
      { p95: 100 },
      { p95: 110 },
      "p95",
      "a little worse",
    ],
    ["less than a millisecond is noise", "receipt_latency", { p95: 1 }, { p95: 1.9 }, "p95", "same"],
    ["the greatest value of all is chance", "receipt_latency", { max: 100 }, { max: 900 }, "max", "differs"],
    ["throughput is better when it is higher", "upload_rate", { med: 4 }, { med: 8 }, "med", "better"],
    ["and worse when it is lower", "upload_rate", { med: 4 }, { med: 3 }, "med", "worse"],
    [
      "one clip lost after none is worse by any tolerance",
      "clips_lost",
      { count: 0 },
      { count: 1 },
      "",
      "worse",
    ],
    [
      "one more after many is so too: those are promises",
      "strangers_let_in",
      { count: 900 },
      { count: 901 },
      "",
      "worse",
    ],
    [
      "the luckiest seconds of throughput decide nothing",
      "upload_rate",
      { p95: 9 },
      { p95: 3 },
      "p95",
      "differs",
    ],
    ["a counter without its count is shown", "connects", { rate: 1 }, { rate: 9 }, "rate", "differs"],
    ["a metric that we do not know is shown", "louvre", { x: 1 }, { x: 9 }, "x", "differs"],
    [
      "and so is one with an awkward name",
      "receipt_latency",
      { constructor: 1 },
      {},
      "constructor",
      "only in A",
    ],
    ["cameras that are up less", "cameras_up", 0.99, 0.5, "", "worse"],
    ["how many came by is the script's", "visits", { count: 9 }, { count: 90 }, "", "differs"],
    ["memory that grew", "memory_broker", 100, 150, "", "worse"],
  ])("%s", (_, name, a, b, part, verdict) => {
    expect(verdictOn(name, a as Report["metrics"][string], b as Report["metrics"][string], part)).toBe(
      verdict,
    )
  })

  test("say which metric is missing on which side, and do not judge it", () => {
    const { recovery, ...rest } = { ...REPORT.metrics, recovery: 3 }
    const more = withMetrics({ recovery })
    const less = { ...REPORT, metrics: rest }
    expect(rowOf(compareReports(more, less, TOLERANCE).metrics, "recovery")?.verdict).toBe("only in A")
    expect(rowOf(compareReports(less, more, TOLERANCE).metrics, "recovery")?.verdict).toBe("only in B")
    expect(compareReports(more, less, TOLERANCE).regressions).toBe(0)
  })

  test.each([
    [0, 0, "same"],
    [0, 99, "worse"],
    [0, 1, "worse"],
    [99, 1, "worse"],
    [1, 99, "better"],
    [1, 0, "better"],
    [99, 99, "same"],
  ] as const)("with exit codes %i and %i: %s", (a, b, verdict) => {
    const { verdicts } = compareReports({ ...REPORT, exitCode: a }, { ...REPORT, exitCode: b }, 1_000)
    expect(rowOf(verdicts, "exit code")?.verdict).toBe(verdict)
  })

  test("fail on a threshold that held before and on an invariant that broke once more, whatever is tolerated", () => {
    const [threshold, invariant] = [REPORT.thresholds[0], REPORT.invariants[0]]
    if (!threshold || !invariant) throw new Error("the example has one of each")
    const worse = {
      ...REPORT,
      thresholds: [{ ...threshold, pass: false }],
      invariants: [{ ...invariant, count: 1 }],
    }
    const { verdicts, regressions } = compareReports(REPORT, worse, 1_000)
    expect(regressions).toBe(2)
    expect(rowOf(verdicts, "receipt_latency: p(95)<500")).toMatchObject({ a: 1, b: 0, verdict: "worse" })
    expect(rowOf(verdicts, "clips lost")).toMatchObject({ a: 0, b: 1, verdict: "worse" })
    expect(compareReports(worse, REPORT, 0).regressions).toBe(0)
  })

  test("of different scenarios, sizes, seeds or clocks, or on a machine that was too slow, are compared with a warning", () => {
    const other: Report = {
      ...REPORT,
      scenario: "spike",
      seed: 7,
      cameras: { ...REPORT.cameras, asked: 900 },
      virtual: { seconds: 9, wallSeconds: 1 },
      generator: { lagP99Ms: 120 },
    }
    const said = compareReports(REPORT, other, TOLERANCE).warnings.join("\n")
    for (const word of [
      "scenarios: A steady, B spike",
      "A 2, B 900",
      "A 42, B 7",
      "A real, B virtual",
      "machine of B",
    ])
      expect(said).toContain(word)
  })

  test("of which one or both are shards are compared with a warning, in one line", () => {
    const shard = (part: string): Report => ({ ...REPORT, command: `${REPORT.command} --shard ${part}` })
    const said = (a: Report, b: Report) => compareReports(a, b, TOLERANCE).warnings
    expect(said(shard("0/4"), REPORT)).toEqual([expect.stringMatching(/^A is shard 0\/4 of a run, .* merge/)])
    expect(said(REPORT, shard("3/4"))).toEqual([expect.stringMatching(/^B is shard 3\/4 of a run/)])
    expect(said(shard("0/4"), shard("1/4"))).toEqual([
      expect.stringMatching(/^A is shard 0\/4, B is shard 1\/4 of/),
    ])
  })

  test("that have no metric in common by which one could be worse are not said to be without a regression", () => {
    const only = (metrics: Report["metrics"]): Report => ({ ...REPORT, metrics })
    for (const [a, b] of [
      [only({}), only({})],
      [only({ memory_broker: 1 }), only({ memory_cameras: 1 })],
      [only({ visits: { count: 1 }, louvre: 1 }), only({ visits: { count: 1 }, louvre: 1 })],
    ] as const) {
      const comparison = compareReports(a, b, TOLERANCE)
      const sides = [
        { path: "a", report: a },
        { path: "b", report: b },
      ] as const
      const [table, page] = [
        comparisonTable(comparison, ...sides, TOLERANCE),
        comparisonPage(comparison, ...sides, TOLERANCE, null),
      ]
      expect(comparison).toMatchObject({ judged: 0, regressions: 0 })
      for (const text of [table, page]) {
        expect(text).toContain("Nothing could be compared")
        expect(text).not.toContain("No regression")
      }
    }
    // A promise that broke is one, whatever was measured.
    const broken = compareReports(only({}), { ...only({}), exitCode: 1 }, TOLERANCE)
    expect(broken).toMatchObject({ judged: 0, regressions: 1 })
  })

  test("never make a regression of what is the same or better, nor overlook what is worse in either order", () => {
    const value = fc.double({ min: 0, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(value, value, fc.nat(200), (a, b, tolerance) => {
        const compared = compareReports(
          withMetrics({ memory_broker: a }),
          withMetrics({ memory_broker: b }),
          tolerance,
        )
        const beyond = b - a > 2 && (a === 0 || (100 * (b - a)) / a > tolerance)
        expect(compared.regressions).toBe(beyond ? 1 : 0)
      }),
    )
  })

  test("are shown whatever their reports hold", () => {
    const number = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })
    const values = fc.oneof(number, fc.dictionary(anyText(), number))
    const name = fc.oneof(fc.constantFrom(...METRIC_NAMES), anyText())
    fc.assert(
      fc.property(fc.dictionary(name, values), anyText(), (metrics, text) => {
        const report = { ...REPORT, metrics, scenario: `s${text}`, commit: `c${text}` }
        const comparison = compareReports(REPORT, report, TOLERANCE)
        const [a, b] = [
          { path: "a", report: REPORT },
          { path: text, report },
        ]
        const table = comparisonTable(comparison, a, b, TOLERANCE)
        expect(table).not.toMatch(/[^\P{Cc}\n]/u)
        expect(table.split("\n").length).toBeLessThan(200 + 4 * Object.keys(metrics).length)
        const page = comparisonPage(comparison, a, b, TOLERANCE, null)
        expect(page).not.toContain("<script")
      }),
    )
  })

  test("by a judge that takes throughput for latency are judged wrong, and that is caught", async () => {
    const wrong = await mutant<typeof import("../../../harness/load/compare.ts")>("harness/load/compare.ts", {
      path: "harness/load/compare.ts",
      from: 'upload_rate: "higher"',
      to: 'upload_rate: "lower"',
    })
    const slower = withMetrics({ upload_rate: { med: 1 } })
    const regressions = [compareReports, wrong.compareReports].map(
      (compared) => compared(REPORT, slower, TOLERANCE).regressions,
    )
    expect(regressions).toEqual([1, 0])
  })
})

describe("the table of two runs", () => {
  test("has a line for each number, with the difference and a bar of it", () => {
    const slower = withMetrics({ receipt_latency: { med: 50, p95: 142.5 }, memory_broker: 49.75 })
    const table = comparisonTable(
      compareReports(REPORT, slower, TOLERANCE),
      { path: "runs/a", report: REPORT },
      { path: "runs/b", report: slower },
      TOLERANCE,
    )
    expect(table).toContain("A  runs/a: steady, 2 cameras, seed 42, commit 0123abc, exit 0")
    expect(table).toMatch(/receipt_latency p95 ms +95 +142\.5 +\+50\.0 % +│████ +worse/)
    expect(table).toMatch(/memory_broker MiB +99\.5 +49\.75 +-50\.0 % +████│ +better/)
    expect(table).toMatch(/receipt_latency p99 ms +99 +- +only in A/)
    expect(table).toMatch(/\n1 regression \(tolerance 10 %\): receipt_latency$/)
  })
})

test("every metric has a unit that a difference can be too small in", () => {
  for (const name of METRIC_NAMES) {
    const { kind } = METRICS[name]
    const values = kind === "trend" ? { med: 5 } : kind === "counter" ? { count: 5 } : 5
    expect(verdictOn(name, values, values, kind === "trend" ? "med" : "")).toBe("same")
  }
})
