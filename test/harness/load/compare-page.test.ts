import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { compareReports } from "../../../harness/load/compare.ts"
import { comparisonPage } from "../../../harness/load/compare-page.ts"
import { SERIES, type Series, seriesShape } from "../../../harness/load/series.ts"
import { mutant } from "../../mutants.ts"
import { REPORT } from "./readings.ts"

const TOLERANCE = 10

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

  test("shows a second that was measured between two that were not as a dot, of the first and of the last too", () => {
    const html = page(series([1, null, 3, 4, null, 6]), series([5, 5, 5]))
    const dots = [...html.matchAll(/<circle class="dot (a|b)" cx="[\d.]+" cy="[\d.]+" r="3"/g)]
    expect(dots.map(([, side]) => side)).toEqual(["a", "a", "a", "a"])
    expect(html).not.toMatch(/d="M[\d. ]+"/)
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
