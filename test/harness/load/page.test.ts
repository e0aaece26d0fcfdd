import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import fc from "fast-check"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest"
import { reportPage } from "../../../harness/load/page/report-page.ts"
import type { Report } from "../../../harness/load/report.ts"
import { pathsIn } from "../../../harness/load/run-folder.ts"
import { SERIES, type Series, type SeriesName } from "../../../harness/load/series.ts"
import { writeReports } from "../../../harness/load/write-reports.ts"
import { mutant } from "../../mutants.ts"
import { judge } from "../../support.ts"
import { REPORT } from "./readings.ts"

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const SECONDS = 90
const CHARTS = 9

function seriesOf(length: number, value: (name: SeriesName, second: number) => number | null): Series {
  const at = Array.from({ length }, (_, i) => i + 1)
  const names = Object.keys(SERIES) as SeriesName[]
  const columns = names.map((name) => [name, at.map((second) => value(name, second))])
  return { schema: "obscura.series.v1", at, columns: Object.fromEntries(columns) }
}

const MEASURED = seriesOf(SECONDS, (_, second) => (second % 7 === 0 ? null : 40 + 30 * Math.sin(second / 5)))
const EMPTY = seriesOf(0, () => null)

/** A run that failed in every way, struck by every kind of target. */
const FAILED: Report = {
  ...REPORT,
  exitCode: 1,
  invariants: [{ name: "clips lost", count: 3, limit: 0, detail: "counted" }, ...REPORT.invariants],
  thresholds: [
    { metric: "receipt_latency", expr: "p(95)<500", value: 912.5, pass: false },
    { metric: "recovery", expr: "value<60", value: null, pass: false },
    { metric: "backoff", expr: "p(50)>500", value: 900, pass: true },
  ],
  faults: [
    { at: 10, for: 20, kind: "broker-kill", detail: "", target: "cloud" },
    { at: 40, for: null, kind: "cut", detail: "", target: "0-3,7" },
    { at: 80, for: 5, kind: "wrong-key", detail: "", target: "5" },
  ],
  worst: [
    {
      ...{ camera: 7, up: false, connects: 2, clips: 3, lost: 3, dropped: 0, p95Ms: null },
      complaints: ["disk full"],
    },
  ],
  generator: { lagP99Ms: 240 },
}

/** Nobody connected, nothing happened. */
const IDLE: Report = {
  ...REPORT,
  exitCode: 1,
  cameras: { asked: 2, connected: 0, failed: 2 },
  clips: { ...REPORT.clips, recorded: 0, delivered: 0, opened: 0, discarded: 0 },
  invariants: [{ name: "runs without a clip", count: 1, limit: 0, detail: "" }],
  thresholds: [],
  metrics: {},
  connects: { perSecond: null, ratio: null },
  latency: { p50Ms: null, p95Ms: null },
  live: null,
  cpu: {
    ...{ camerasSecondsPerGB: null, sealingSecondsPerGB: null },
    ...{ brokerSecondsPerGB: null, ingestSecondsPerGB: null },
  },
}

describe("the page of a run", () => {
  const here = judge("chromium")
  let browser: Browser
  /** The same for all: a new one each time costs several times what it shows. */
  let page: Page
  let troubles: string[] = []
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-page-"))
    if (here === null) return
    browser = await chromium.launch({ executablePath: here, args: ["--no-sandbox"], headless: true })
    page = await browser.newPage()
    const address = pathToFileURL(join(folder, "report.html")).href
    page.on("console", (message) => troubles.push(message.text()))
    page.on("pageerror", (error) => troubles.push(error.message))
    page.on("dialog", (dialog) => troubles.push(dialog.message()))
    page.on("request", (request) => request.url() !== address && troubles.push(request.url()))
  })
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** From a file, as a person opens it; from then on `troubles` is everything that a page may not do. */
  async function open(html: string, width = 1_200) {
    const file = join(folder, "report.html")
    await writeFile(file, html)
    await page.setViewportSize({ width, height: 900 })
    await page.emulateMedia({ media: null, colorScheme: null })
    troubles = []
    await page.goto(pathToFileURL(file).href)
  }

  test.runIf(here)("draws every chart, asks nobody for anything and complains of nothing", async () => {
    await open(reportPage(FAILED, MEASURED))
    expect(await page.locator("canvas").count()).toBe(CHARTS)
    expect(await inked(page)).toEqual(Array.from({ length: CHARTS }, () => true))
    expect(await page.getByRole("img", { name: /^Cameras up, cameras: connected from \d/ }).count()).toBe(1)
    expect(await page.locator("#lane .strike").count()).toBe(3)
    expect(troubles).toEqual([])
  })

  test.runIf(here)("shows a second that was measured between two that were not", async () => {
    const lonely = seriesOf(9, (name, second) => (name === "alertP95Ms" && second === 5 ? 40 : null))
    await open(reportPage(REPORT, lonely))
    // As many pixels as a disc has that a person finds without looking for it.
    expect(await page.evaluate(PIXELS_OF_AMBER)).toBeGreaterThan(25)
  })

  test.runIf(here)("says first what failed, then what held", async () => {
    await open(reportPage(FAILED, MEASURED))
    expect(await page.locator("h1").textContent()).toContain("It broke")
    expect(await page.locator(".verdict li b").allTextContents()).toEqual([
      "3 clips lost",
      "receipt_latency p(95)<500",
      "recovery value<60",
    ])
    expect(await page.locator(".warning").textContent()).toContain("240")
    expect(await page.locator("table").first().locator(".badge").allTextContents()).toEqual([
      "failed",
      "failed",
      "held",
    ])
  })

  test.runIf(here).each([
    [0, "It held"],
    [99, "not within its thresholds"],
    [1, "It broke"],
  ] as const)("with exit code %i says: %s", async (exitCode, words) => {
    await open(reportPage({ ...REPORT, exitCode }, MEASURED))
    expect(await page.locator("h1").textContent()).toContain(words)
    expect(await page.title()).toContain(words)
  })

  test.runIf(here)("has bars of faults at the same seconds as the charts, zoomed in too", async () => {
    await open(reportPage(FAILED, MEASURED))
    const where = () =>
      page.evaluate(`(() => {
        const over = document.querySelector(".u-over").getBoundingClientRect()
        const bar = document.querySelector("#lane .strike").getBoundingClientRect()
        return [(bar.left - over.left) / over.width, bar.width / over.width]
      })()`) as Promise<[number, number]>
    const [left, width] = await where()
    expect(left).toBeCloseTo(10 / SECONDS, 2)
    expect(width).toBeCloseTo(20 / SECONDS, 2)
    const box = await page.locator(".u-over").first().boundingBox()
    if (box === null) throw new Error("no chart")
    await page.mouse.move(box.x, box.y + 20)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width / 2, box.y + 20, { steps: 4 })
    await page.mouse.up()
    await expect.poll(async () => (await where())[1]).toBeCloseTo(20 / (SECONDS / 2), 1)
    expect((await where())[0]).toBeCloseTo(10 / (SECONDS / 2), 1)
  })

  test.runIf(here)("fits a telephone and a sheet of paper", async () => {
    const wide = "document.documentElement.scrollWidth > innerWidth"
    await open(reportPage(FAILED, MEASURED), 400)
    expect(await page.evaluate(wide)).toBe(false)
    await open(reportPage(FAILED, MEASURED), 760)
    await page.emulateMedia({ media: "print", colorScheme: "dark" })
    await page.evaluate('dispatchEvent(new Event("beforeprint"))')
    expect(await page.evaluate(wide)).toBe(false)
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(255, 255, 255)")
    expect(await page.locator("canvas").count()).toBe(CHARTS)
    expect(troubles).toEqual([])
  })

  test.runIf(here)("copies the line that repeats the run", async () => {
    await open(reportPage(FAILED, MEASURED))
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"])
    await page.locator("#copy").click()
    await expect.poll(() => page.locator("#copy").textContent()).toBe("copied")
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(REPORT.command)
  })

  test.runIf(here).each([
    ["that did nothing and measured nothing", IDLE, EMPTY, 0],
    ["whose series are all gaps", FAILED, seriesOf(SECONDS, () => null), 0],
    ["of a single second", REPORT, seriesOf(1, () => 5), CHARTS],
    ["of which only zeros were measured", REPORT, seriesOf(SECONDS, () => 0), CHARTS],
    ["whose numbers are absurd", REPORT, seriesOf(SECONDS, (_, i) => (i % 2 ? 1e300 : 1e-300)), CHARTS],
    ["of a day", REPORT, seriesOf(86_400, (_, i) => i % 60), CHARTS],
    ["with one measured column", REPORT, seriesOf(9, (name) => (name === "lagMs" ? 3 : null)), 1],
  ])("of a run %s works", async (_, report, series, charts) => {
    const html = reportPage(report, series)
    expect(html.length).toBeLessThan(700_000)
    await open(html)
    expect(await page.locator("canvas").count()).toBe(charts)
    expect(troubles).toEqual([])
  })

  test.runIf(here)("shows every text literally, whatever markup it holds", async () => {
    const nasty = fc.constantFrom(
      ...["</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--", "]]>", "&lt;&amp;"],
      ...["'\"><b onclick=alert(1)>", "</title><h1>", "$1 $& $$", "\u2028", "</style>", "<!-- <script>"],
    )
    const word = fc.oneof(nasty, fc.string({ unit: "grapheme", minLength: 1 }))
    await fc.assert(
      fc.asyncProperty(word, word, word, word, async (one, two, three, four) => {
        await open(reportPage(wordy(one, two, three, four), MEASURED))
        expect(await texts(page, ".verdict p b")).toEqual([one])
        expect(await page.evaluate('document.getElementById("repeat").textContent')).toBe(`a ${two} b`)
        expect(await texts(page, "#lane .strike b")).toEqual([three])
        expect(await texts(page, "td li")).toEqual([four, one])
        expect(await page.locator("canvas").count()).toBe(CHARTS)
        expect(troubles).toEqual([])
      }),
      { numRuns: 8 },
    )
  })

  test.runIf(here)(
    "made without escaping fails that, and still runs nothing that is not its own",
    async () => {
      const { reportPage: careless } = await mutant<
        typeof import("../../../harness/load/page/report-page.ts")
      >("harness/load/page/report-page.ts", {
        path: "harness/load/page/html.ts",
        from: "/[&<>\"']/g",
        to: "/[&]/g",
      })
      const attack = "<i id=planted></i><script>alert(1)</script>"
      await open(careless(wordy(attack, "", "link", ""), MEASURED))
      expect(await page.locator("#planted").count()).toBeGreaterThan(0)
      expect(troubles.join()).toContain("Content Security Policy")
      expect(troubles).not.toContain("1")
    },
  )

  test("lies in the run's folder, beside what programs read", async () => {
    const run = await mkdtemp(join(folder, "run-"))
    await writeReports(pathsIn(run), FAILED, MEASURED)
    expect((await readdir(run)).sort()).toEqual([
      ...["junit.xml", "metrics.prom", "report.html", "report.json", "series.json"],
    ])
    expect(await readFile(join(run, "report.html"), "utf8")).toBe(reportPage(FAILED, MEASURED))
  })

  test("names the threshold that a chart shows, in its chart alone", () => {
    const html = reportPage(FAILED, MEASURED)
    expect(html.match(/"label":"receipt p\(95\)\\u003c500"/g)).toHaveLength(1)
  })
})

/** A report in which each of them stands wherever text may come from outside. */
function wordy(one: string, two: string, three: string, four: string): Report {
  return {
    ...FAILED,
    ...{ scenario: one, command: `a ${two} b`, commit: two, eventLogHash: three },
    invariants: [{ name: three, count: 1, limit: 0, detail: four }],
    thresholds: [{ metric: one, expr: three, value: 1, pass: false }],
    faults: [{ at: 1, for: 2, kind: three, detail: four, target: one }],
    metrics: { [two]: 1, [three]: { [four]: 2 } },
    worst: FAILED.worst.map((camera) => ({ ...camera, complaints: [four, one] })),
  }
}

function texts(page: Page, selector: string): Promise<unknown> {
  return page.evaluate(
    `[...document.querySelectorAll(${JSON.stringify(selector)})].map((each) => each.textContent)`,
  )
}

/** How many pixels of the first chart are of its line's colour. */
const PIXELS_OF_AMBER = `(() => {
  const canvas = document.querySelector("canvas")
  const ctx = canvas.getContext("2d")
  const { data } = ctx.getImageData(0, 0, canvas.width, canvas.height)
  const amber = getComputedStyle(document.documentElement).getPropertyValue("--amber").trim()
  const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(amber.slice(at, at + 2), 16))
  let count = 0
  for (let at = 0; at < data.length; at += 4)
    if (data[at + 3] === 255 && data[at] === red && data[at + 1] === green && data[at + 2] === blue) count++
  return count
})()`

/** Whether each canvas has anything on it. */
function inked(page: Page): Promise<unknown> {
  return page.evaluate(`[...document.querySelectorAll("canvas")].map((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
    return data.some((byte) => byte !== 0)
  })`)
}
