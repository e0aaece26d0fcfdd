import { spawnSync } from "node:child_process"
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { compareReports, type Row } from "../../../harness/load/compare.ts"
import { comparisonPage } from "../../../harness/load/compare-page.ts"
import { comparisonTable } from "../../../harness/load/compare-table.ts"
import { METRIC_NAMES, METRICS } from "../../../harness/load/metrics.ts"
import { printReport, type Report, reportShape } from "../../../harness/load/report.ts"
import { readRun } from "../../../harness/load/saved-run.ts"
import { SERIES, type Series, seriesShape } from "../../../harness/load/series.ts"
import { mutant } from "../../mutants.ts"
import { root } from "../../support.ts"
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
    const values = fc.oneof(number, fc.dictionary(fc.string({ unit: "binary" }), number))
    const name = fc.oneof(fc.constantFrom(...METRIC_NAMES), fc.string({ unit: "binary" }))
    fc.assert(
      fc.property(fc.dictionary(name, values), fc.string({ unit: "binary" }), (metrics, text) => {
        const report = { ...REPORT, metrics, scenario: `s${text}`, commit: `c${text}` }
        const comparison = compareReports(REPORT, report, TOLERANCE)
        const [a, b] = [
          { path: "a", report: REPORT },
          { path: text, report },
        ]
        const table = comparisonTable(comparison, a, b, TOLERANCE)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
        expect(table).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
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

describe("the page of two runs", () => {
  const series = (values: readonly (number | null)[]): Series => {
    const nothing = Object.fromEntries(Object.keys(SERIES).map((name) => [name, values.map(() => null)]))
    const columns = { ...nothing, receiptP95Ms: [...values], megabytesPerSecond: [...values] }
    return seriesShape.parse({ schema: "obscura.series.v1", at: values.map((_, at) => at), columns })
  }
  const sides = [
    { path: "a", report: REPORT },
    { path: "<b>", report: { ...REPORT, scenario: '"><script>alert(1)</script>' } },
  ] as const
  const page = (a: Series, b: Series) =>
    comparisonPage(compareReports(REPORT, sides[1].report, TOLERANCE), ...sides, TOLERANCE, { a, b })

  test("draws both over each other, breaks off where nothing was measured, and asks nobody for anything", () => {
    const html = page(series([1, 2, null, 4, 5]), series([5, 5, 5]))
    const paths = [...html.matchAll(/<path class="line (a|b)" d="([^"]+)"/g)]
    expect(paths.map(([, side]) => side)).toEqual(["a", "b", "a", "b"])
    expect(paths[0]?.[2]?.match(/M/g)).toHaveLength(2)
    expect(html).not.toMatch(/https?:|<script|url\(|@import|NaN|Infinity/)
    expect(html).toContain("&lt;b&gt;")
  })

  test("that takes a name for markup is caught", async () => {
    const wrong = await mutant<typeof import("../../../harness/load/compare-page.ts")>(
      "harness/load/compare-page.ts",
      { path: "harness/load/page/html.ts", from: '"<": "&lt;"', to: '"<": "<"' },
    )
    const comparison = compareReports(REPORT, sides[1].report, TOLERANCE)
    const pages = [comparisonPage, wrong.comparisonPage].map((draw) =>
      draw(comparison, ...sides, TOLERANCE, null),
    )
    expect(pages.map((html) => html.includes("<script"))).toEqual([false, true])
  })

  test("of a day second by second stays small, and keeps its one peak", () => {
    const day = series(Array.from({ length: 86_400 }, (_, at) => (at === 40_000 ? 1_000 : 1)))
    const html = page(day, day)
    expect(html.length).toBeLessThan(60_000)
    // The top of the scale is 1,000, so the peak touches it.
    expect(html).toMatch(/L\d+\.\d 8\.0L/)
  })

  test("is drawn of any series that its shape lets in", () => {
    const column = fc.array(fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })), { maxLength: 40 })
    const at = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 40 })
    fc.assert(
      fc.property(column, column, at, at, (a, b, left, right) => {
        const html = page({ ...series(a), at: left }, { ...series(b), at: right })
        expect(html).not.toMatch(/NaN|Infinity/)
      }),
    )
  })
})

describe("obscura compare", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-compare-"))
    await mkdir(join(folder, "run"))
    await mkdir(join(folder, "empty"))
    const put = (name: string, text: string) => writeFile(join(folder, name), text)
    await put("run/report.json", printReport(REPORT))
    await put("slower.json", printReport(withMetrics({ receipt_latency: { med: 50, p95: 120, p99: 130 } })))
    await put("broken.json", printReport({ ...REPORT, exitCode: 1 }))
    await put("older.json", printReport(REPORT).replace("obscura.report.v2", "obscura.report.v1"))
    await put("text.json", "this is no report")
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  function run(...words: readonly string[]) {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(root, "harness", "obscura.js"), "compare", ...words],
      { cwd: folder, encoding: "utf8", timeout: 45_000, killSignal: "SIGKILL" },
    )
    return { code: status, stdout, stderr }
  }

  test("takes folders and files, and its exit code says whether there is a regression beyond the tolerance", async () => {
    expect(run("run", "run/report.json")).toMatchObject({ code: 0, stderr: "" })
    expect(run("run", "slower.json").code).toBe(1)
    expect(run("run", "slower.json", "--tolerance", "50%").code).toBe(0)
    expect(run("run", "broken.json", "--tolerance", "1000%").code).toBe(1)
    const { code, stdout } = run("slower.json", "run", "--json", "--html", "page.html")
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "obscura.comparison.v1",
      tolerance: 10,
      a: { path: "slower.json", scenario: "steady", exitCode: 0 },
      regressions: 0,
    })
    expect(await readFile(join(folder, "page.html"), "utf8")).toContain("No regression (tolerance 10 %)")
  }, 120_000)

  test.each([
    [["none", "run"], "none: is not there; give a run's folder or its report.json"],
    [["empty", "run"], "empty/report.json: is not there"],
    [["run", "text.json"], "text.json: is no report: not JSON"],
    [["run", "older.json"], "older.json: is no report: schema:"],
    [["run", "run", "--tolerance", "10"], "it looks like 10%"],
    [["run", "run", "--html", "run/report.json"], "it looks like page.html"],
    [["run", "run", "--html", "none/page.html"], "none/page.html: cannot be written"],
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

  test("whatever the file holds: a report, or one line that says why not", async () => {
    const path = join(folder, "any.json")
    const mangled = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json(),
      fc
        .tuple(fc.constantFrom(...Object.keys(REPORT)), fc.jsonValue())
        .map(([name, value]) => JSON.stringify({ ...REPORT, [name]: value })),
    )
    await fc.assert(
      fc.asyncProperty(mangled, async (text) => {
        await writeFile(path, text)
        const read: unknown = await readRun(path).catch((error: unknown) => error)
        if (read instanceof Error) {
          expect(isFault(read, "usage")).toBe(true)
          expect(messageOf(read).split("\n")).toHaveLength(1)
        } else {
          expect(reportShape.safeParse(JSON.parse(text)).success).toBe(true)
        }
      }),
    )
  })

  test("a series that is none costs the charts, and is said", async () => {
    await mkdir(join(folder, "torn"), { recursive: true })
    await writeFile(join(folder, "torn", "report.json"), printReport(REPORT))
    await writeFile(join(folder, "torn", "series.json"), '{"schema":')
    expect(await readRun(join(folder, "torn"))).toMatchObject({
      series: null,
      warning: expect.stringMatching(/series\.json: no charts from it: not JSON$/),
    })
  })
})

test("every metric has a unit that a difference can be too small in", () => {
  for (const name of METRIC_NAMES) {
    const { kind } = METRICS[name]
    const values = kind === "trend" ? { med: 5 } : kind === "counter" ? { count: 5 } : 5
    expect(verdictOn(name, values, values, kind === "trend" ? "med" : "")).toBe("same")
  }
})
