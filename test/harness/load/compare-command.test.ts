import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { printReport, reportShape } from "../../../harness/load/report.ts"
import { readRun } from "../../../harness/load/saved-run.ts"
import { anyText } from "../../any-text.ts"
import { obscura } from "../run-obscura.ts"
import { REPORT } from "./readings.ts"

describe("obscura compare", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-compare-"))
    await mkdir(join(folder, "run"))
    await mkdir(join(folder, "empty"))
    const metrics = { ...REPORT.metrics, receipt_latency: { med: 50, p95: 120, p99: 130 } }
    const put = (name: string, text: string) => writeFile(join(folder, name), text)
    await put("run/report.json", printReport(REPORT))
    await put("slower.json", printReport({ ...REPORT, metrics }))
    await put("broken.json", printReport({ ...REPORT, exitCode: 1 }))
    await put("older.json", printReport(REPORT).replace("obscura.report.v2", "obscura.report.v1"))
    await put("text.json", "this is no report")
    await put("unmeasured.json", printReport({ ...REPORT, metrics: {} }))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const run = (...words: readonly string[]) => obscura(folder, "compare", ...words)

  test("takes folders and files, and its exit code says whether there is a regression beyond the tolerance", async () => {
    expect(await run("run", "run/report.json")).toMatchObject({ code: 0, stderr: "" })
    expect((await run("run", "slower.json")).code).toBe(1)
    expect((await run("run", "slower.json", "--tolerance", "50%")).code).toBe(0)
    expect((await run("run", "broken.json", "--tolerance", "1000%")).code).toBe(1)
    const nothing = await run("run", "unmeasured.json")
    expect(nothing).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/\nNothing could be compared: .*\n$/),
    })
    const { code, stdout } = await run("slower.json", "run", "--json", "--html", "page.html")
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "obscura.comparison.v1",
      tolerance: 10,
      a: { path: "slower.json", scenario: "steady", exitCode: 0 },
      regressions: 0,
    })
    expect(await readFile(join(folder, "page.html"), "utf8")).toContain("No regression (tolerance 10 %)")
  }, 60_000)

  test.each([
    [["none", "run"], "none: is not there; give a run's folder or its report.json"],
    [["empty", "run"], "empty/report.json: is not there"],
    [["run", "text.json"], "text.json: is no report: not JSON"],
    [["run", "older.json"], "older.json: is no report: schema:"],
    [["run", "run", "--tolerance", "10"], "it looks like 10%"],
    [["run", "run", "--html", "run/report.json"], "it looks like page.html"],
    [["run", "run", "--html", "none/page.html"], "none/page.html: cannot be written"],
  ])("%j is refused in one line: %s", async (words, why) => {
    const { code, stderr } = await run(...words)
    expect(stderr).toContain(why)
    expect(stderr.trim().split("\n")).toHaveLength(1)
    expect(code).toBe(2)
  })

  test("whatever the file holds: a report, or one line that says why not", async () => {
    const path = join(folder, "any.json")
    const mangled = fc.oneof(
      anyText(),
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
