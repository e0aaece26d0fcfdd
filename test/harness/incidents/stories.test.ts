import { describe, expect, test } from "vitest"
import { INCIDENTS, incidentNamed } from "../../../harness/incidents/list.ts"
import { incidentPage } from "../../../harness/incidents/page.ts"
import { type IncidentRun, runsFrom } from "../../../harness/incidents/run.ts"
import { tableOfAll, textOf } from "../../../harness/incidents/text.ts"
import { isRight, leakOf, spokenLeak, verdictOf } from "../../../harness/incidents/verdict.ts"
import { CHECK_IDS } from "../../../harness/insider/privacy-checks.ts"
import { MISTAKES } from "../../../harness/unsafe/mistakes/list.ts"
import type { Result } from "../../../harness/unsafe/rows.ts"

const result = (violations: number, more: Partial<Exclude<Result, { stuck: string }>> = {}): Result => ({
  ...{ tries: 9, violations, evidence: violations > 0 ? ["<script>seen</script>"] : [], cpuSeconds: 1 },
  ...more,
})

/** A row a mistake of the stories, as `obscura mutants` prints it. */
function rowsWith(safe: Result, unsafe: Result) {
  return MISTAKES.filter(({ id }) => INCIDENTS.some(({ mistakes }) => mistakes.includes(id))).map(
    ({ id, check, says }) => ({ check, safe, mistake: { id, says }, unsafe }),
  )
}

/** C2 has no mistake of its own in a story. */
const SAFE_ONLY = { check: "C2", safe: result(0), mistake: null, unsafe: null }
const LEAKED = result(2, { leaked: { clips: ["a", "b"], frames: 0 } })
const runsOf = (safe: Result, unsafe: Result) => runsFrom(INCIDENTS, [...rowsWith(safe, unsafe), SAFE_ONLY])

describe("the stories", () => {
  test("are these nine, and ask for C1 to C21 between them", () => {
    expect(INCIDENTS.map(({ name }) => name).sort()).toEqual(
      [
        ...["adt-2020", "eufy-2022", "neighbors-2019", "ring-2016", "ring-2018-revoke", "ring-portal"],
        ...["ubiquiti-2023", "verkada-2021", "wyze-2024"],
      ].sort(),
    )
    expect(new Set(INCIDENTS.flatMap(({ checks }) => checks))).toEqual(new Set(CHECK_IDS))
  })

  test.each(INCIDENTS.map((incident) => [incident.name, incident] as const))(
    "%s: each mistake is there, and a check of the story must find it",
    (_name, { mistakes, checks, happened, source }) => {
      expect(mistakes.length).toBeGreaterThan(0)
      for (const id of mistakes)
        expect(checks).toContain(MISTAKES.find((mistake) => mistake.id === id)?.check)
      expect([happened.length > 0, source.length > 0]).toEqual([true, true])
    },
  )

  test("one mixes accounts up, and another what belongs to cameras that all return: not the same mistakes", () => {
    const [ubiquiti, wyze] = [incidentNamed("ubiquiti-2023"), incidentNamed("wyze-2024")]
    expect(ubiquiti.checks).toEqual(["C18"])
    expect(wyze.checks).toEqual(["C18", "C19"])
    expect(ubiquiti.mistakes.filter((id) => wyze.mistakes.includes(id))).toEqual([])
  })
})

describe("the verdict", () => {
  const verdictsOf = (runs: readonly IncidentRun[]) => new Set(runs.map(verdictOf))

  test("is right where all held, and every mistake was found", () => {
    const runs = runsOf(result(0), LEAKED)
    expect(runs.every(isRight)).toBe(true)
    expect(verdictsOf(runs.filter(({ unsafe }) => !unsafe))).toEqual(new Set(["held"]))
    expect(verdictsOf(runs.filter(({ unsafe }) => unsafe))).toEqual(new Set(["broke"]))
  })

  test.each([
    ["the system as it is leaks", result(1), LEAKED],
    ["a mistake is not found", result(0), result(0)],
    ["nothing was tried", result(0, { tries: 0 }), LEAKED],
    ["nothing was tried with the mistake", result(0), result(0, { tries: 0 })],
    ["somebody could not look", { stuck: "it ended too soon" }, LEAKED],
    ["somebody could not look with the mistake", result(0), { stuck: "it ended too soon" }],
  ] as const)("is wrong where %s", (_what, safe, unsafe) => {
    const runs = runsOf(safe, unsafe)
    expect(runs.every(isRight)).toBe(false)
    expect(tableOfAll(runs)).toContain("WRONG")
  })

  test("is wrong where a check of a story has no row", () => {
    expect(runsFrom(INCIDENTS, []).some(isRight)).toBe(false)
  })

  test("counts clips and frames, and says of one that it is one", () => {
    const [, bent] = runsOf(result(0), result(1, { leaked: { clips: ["a"], frames: 1_200 } }))
    expect(bent && leakOf({ tried: bent.tried.slice(0, 1) })).toEqual({ clips: 1, frames: 1_200 })
    expect(spokenLeak({ clips: 1, frames: 1_200 })).toBe("1 clip and 1,200 frames")
    expect(spokenLeak({ clips: 0, frames: 0 })).toBe("0 clips")
  })
})

describe("a page", () => {
  const runs = runsOf(result(0), LEAKED)

  test("needs nothing else, runs nothing, and shows evidence as text", () => {
    const page = incidentPage(runs)
    expect(page).toContain("default-src 'none'; style-src 'unsafe-inline'")
    expect(page).not.toMatch(/<script|<img|<link|https?:|url\(/)
    expect(page).toContain("&lt;script&gt;seen&lt;/script&gt;")
  })

  test("tells each story once, what is counted, and each mistake as a change of the source", () => {
    const page = incidentPage(runs)
    expect(page.match(/What happened</g)).toHaveLength(INCIDENTS.length)
    expect(page).toContain("Counted are clips")
    expect(page).toContain("firmware/control/ownership.ts")
  })

  test("and text name source, check, verdict and leak", () => {
    const run = runs.find(({ incident, unsafe }) => unsafe && incident.name === "neighbors-2019")
    expect(run && textOf(run)).toMatch(/Source: Terms of Ring[\s\S]*C20 +2 of 9[\s\S]*2 clips leaked/)
  })
})
