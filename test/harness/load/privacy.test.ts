import { describe, expect, test } from "vitest"
import { mergedPrivacy } from "../../../harness/load/merge-privacy.ts"
import { privacySection } from "../../../harness/load/page/privacy-section.ts"
import { reportPage } from "../../../harness/load/page/report-page.ts"
import type { Check, PrivacyFindings } from "../../../harness/load/privacy-shape.ts"
import { parseReport, printReport, type Report } from "../../../harness/load/report.ts"
import { REPORT } from "./readings.ts"

/** What insiders came to, in reports, on pages and over shards. */

const check = (id: string, more: Partial<Check> = {}): Check => ({
  ...{ id, says: `${id} holds`, incident: "Ring 2016", asset: "clips", tries: 10, violations: 0 },
  ...{ mutantViolations: null, by: [{ insider: "executive", tries: 10, violations: 0 }], evidence: [] },
  ...more,
})
const leak = { what: "sizes", value: 0.5, unit: "bits a segment", against: null, samples: 9 }
const findings = (...checks: readonly Check[]): PrivacyFindings => ({
  ...{ checks: [...checks], insiders: [{ name: "executive", has: "an e-mail" }], leakage: [leak] },
})
const SEEN: Report = {
  ...REPORT,
  ...findings(
    check("C1"),
    check("C4", {
      ...{ asset: "live view", violations: 2, mutantViolations: 7, evidence: ["<script>2 frames</script>"] },
      by: [{ insider: "executive", tries: 10, violations: 2 }],
    }),
  ),
}
const EMPTY = { schema: "obscura.series.v1", at: [], columns: {} } as never

describe("a report with insiders", () => {
  test("is read back as it was written, and so is one without", () => {
    expect(parseReport(printReport(SEEN))).toEqual(SEEN)
    expect(parseReport(printReport(REPORT)).checks).toBeUndefined()
  })

  test.each([
    ["an id that is none", { id: "D1" }],
    ["negative tries", { tries: -1 }],
    ["a made-up number", { mutantViolations: 0.5 }],
  ])("with %s is refused", (_what, more) => {
    const text = JSON.stringify({ ...SEEN, checks: [{ ...check("C1"), ...more }] })
    expect(() => parseReport(text)).toThrow("not a report")
  })

  test("shows who could see what: broken in its own colour, evidence as text, what was not run as such", () => {
    const section = privacySection(SEEN)
    expect(section).toContain('<td class="cell good"><b>0 of 10</b><small>C1</small></td>')
    expect(section).toContain('<td class="cell bad"><b>2 of 10</b><small>C4</small></td>')
    expect(section).toContain("&lt;script&gt;2 frames")
    expect(section).toContain("not run")
    expect(section).not.toContain("<script>")
    expect(reportPage({ ...SEEN, exitCode: 1 }, EMPTY)).toContain("<b>C4: 2 of 10 tries</b>")
  })

  test("and nothing where none tried", () => {
    expect(privacySection(REPORT)).toBe("")
  })
})

describe("of shards", () => {
  test("tries and violations add up, by insider too", () => {
    const merged = mergedPrivacy([findings(check("C1")), null, findings(check("C1", { violations: 1 }))])
    expect(merged?.checks).toEqual([
      check("C1", { tries: 20, violations: 1, by: [{ insider: "executive", tries: 20, violations: 0 }] }),
    ])
    expect(mergedPrivacy([null, null])).toBe(null)
  })

  test("what one could not try is not tried", () => {
    expect(
      mergedPrivacy([findings(check("C1")), findings(check("C1", { tries: 0 }))])?.checks[0]?.tries,
    ).toBe(0)
  })
})
