import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { CHECKS } from "../../../harness/checks/list.ts"
import type { SavedRows } from "../../../harness/checks/saved-rows.ts"
import { countsOf, documentOf } from "../../../harness/evidence/document.ts"
import { evidencePage } from "../../../harness/evidence/page.ts"
import { checks, invariants, type Standard, tests } from "../../../harness/evidence/provision.ts"
import { evidenceOf } from "../../../harness/evidence/results.ts"
import { STANDARDS } from "../../../harness/evidence/standards.ts"
import { testsIn } from "../../../harness/insider/claims.ts"
import { printReport, type Report } from "../../../harness/load/report.ts"
import { root } from "../../support.ts"
import { REPORT } from "../load/readings.ts"
import { obscura } from "../run-obscura.ts"

const FIRMWARE = "ab".repeat(32)
const RUN: Report = {
  ...REPORT,
  firmware: FIRMWARE,
  invariants: [{ name: "clips lost", count: 0, limit: 0, detail: "counted" }],
  checks: [
    {
      ...{
        id: "C1",
        says: "nobody opens a clip",
        incident: "Ring 2016",
        asset: "clips",
        tries: 10,
        violations: 0,
      },
      ...{ mutantViolations: null, by: [], evidence: [] },
    },
  ],
}
const row = (check: string, violations: number, found: number): SavedRows["rows"][number] => {
  const tally = { tries: 4, evidence: [], leaked: { clips: [], frames: 0 }, cpuSeconds: 1 }
  return {
    ...{ rule: "Signatures", check, says: `${check} in words`, mistake: { id: `${check}-1`, says: "" } },
    ...{ safe: { ...tally, violations }, unsafe: { ...tally, violations: found }, right: true },
  }
}
const rowsOf = (...rows: readonly SavedRows["rows"][number][]): SavedRows => ({
  ...{ version: 1, held: true, sources: "0".repeat(64), firmware: FIRMWARE, rows: [...rows] },
})
const standardOf = (...proofs: Standard["provisions"][number]["proofs"]): Standard => ({
  ...{ name: "S", title: "A standard", provisions: [{ id: "1", title: "<b>a thing</b>", proofs }] },
})
const resultOf = (standard: Standard, report = RUN, rows: SavedRows | null = null) =>
  evidenceOf(standard, report, rows).provisions[0]?.result

describe("the lists of provisions", () => {
  const all = STANDARDS.flatMap(({ provisions }) => provisions)

  test("have every number once, and all of clause 5 and 6, parts I and II, and the ten capabilities", () => {
    expect(STANDARDS.map(({ name, provisions }) => [name, provisions.length])).toEqual([
      ...[["EN 303 645", 67] as const, ["CRA Annex I", 22] as const, ["NIST IR 8425", 10] as const],
    ])
    for (const { provisions } of STANDARDS)
      expect(new Set(provisions.map(({ id }) => id)).size).toBe(provisions.length)
  })

  test("name checks that there are, and files with tests in them", () => {
    for (const { kind, name } of all.flatMap(({ proofs }) => proofs)) {
      if (kind === "check") expect(CHECKS.map(({ id }) => id)).toContain(name)
      if (kind === "tests") expect(testsIn(join(root, name)), name).toBeGreaterThan(0)
    }
  })

  test("say of an update over the network, which there is not, that nothing checks it", () => {
    const update = all.find(({ id }) => id === "5.3-9")
    expect([update?.proofs, update?.note]).toEqual([[], expect.stringContaining("no update")])
  })
})

describe("a provision", () => {
  test("is held by what ran: with tries, seed and firmware", () => {
    const evidence = evidenceOf(standardOf(...checks("C1"), ...invariants("clips lost")), RUN, null)
    expect(evidence.provisions[0]).toMatchObject({
      result: "held",
      proofs: [
        { name: "C1", result: "held", tries: 10, seed: RUN.seed, firmware: FIRMWARE },
        { name: "clips lost", result: "held", violations: 0, seed: RUN.seed, firmware: FIRMWARE },
      ],
    })
  })

  test("says so where nothing checks it, nothing ran, or some did not", () => {
    expect(resultOf(standardOf())).toBe("no check")
    expect(resultOf(standardOf(...checks("small-order")))).toBe("not run")
    expect(resultOf(standardOf(...checks("C1", "small-order")))).toBe("held in part")
    expect(resultOf(standardOf(...tests("test/house.test.ts")))).toBe("in npm test")
  })

  test.each([
    ["a check found something", checks("small-order"), RUN, rowsOf(row("small-order", 1, 1))],
    ["a check does not find its mistake", checks("small-order"), RUN, rowsOf(row("small-order", 0, 0))],
    [
      "nothing was tried",
      checks("C1"),
      { ...RUN, checks: RUN.checks?.map((each) => ({ ...each, tries: 0 })) },
      null,
    ],
    [
      "an invariant broke",
      invariants("clips lost"),
      { ...RUN, invariants: [{ name: "clips lost", count: 1, limit: 0, detail: "" }] },
      null,
    ],
    [
      "a run recorded nothing",
      invariants("clips lost"),
      { ...RUN, clips: { ...RUN.clips, recorded: 0 } },
      null,
    ],
  ] as const)("fails where %s", (_what, proofs, report, rows) => {
    expect(resultOf(standardOf(...proofs), report as Report, rows)).toBe("failed")
  })
})

test("the page needs nothing else, and shows whatever words a report has as text", () => {
  const document = documentOf(
    { ...RUN, scenario: "<script>x</script>" },
    rowsOf(row("small-order", 0, 1)),
    null,
  )
  const page = evidencePage(document)
  expect(page).toContain("default-src 'none'")
  expect(page).not.toMatch(/<script|<img|<link|https?:|url\(/)
  expect(page).toContain("&lt;script&gt;x&lt;/script&gt;")
  expect(page.match(/nothing here checks it/g)).toHaveLength(
    document.standards.reduce((sum, standard) => sum + countsOf(standard)["no check"], 0),
  )
})

describe("obscura evidence", () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "obscura-evidence-"))
    await mkdir(join(folder, "run"))
    await mkdir(join(folder, "empty"))
    await writeFile(join(folder, "run/report.json"), printReport(RUN))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test("writes page and JSON into the run's folder", async () => {
    const { code, stdout } = await obscura(folder, "evidence", "run")
    expect([code, stdout]).toEqual([0, expect.stringContaining("run/evidence.html")])
    const document = JSON.parse(await readFile(join(folder, "run/evidence.json"), "utf8"))
    expect(document).toMatchObject({
      schema: "obscura.evidence.v1",
      run: { firmware: FIRMWARE },
      program: null,
    })
  })

  test.each([
    ["there is no report", ["empty"], /empty\/report.json: is not there; give a run's folder/],
    ["there is no run", ["gone"], /gone: is not there/],
    ["a page would be something else", ["run", "--out", "report.json"], /it looks like evidence.html/],
    [
      "mutants are something else",
      ["run", "--mutants", "run/report.json"],
      /not from "obscura mutants --json"/,
    ],
    [
      "mutants ran on another firmware",
      ["run", "--mutants", "mutants.json"],
      /mutants.json: ran on firmware cdcd/,
    ],
  ])("says in one line that %s", async (_what, words, said) => {
    await writeFile(join(folder, "mutants.json"), JSON.stringify({ ...rowsOf(), firmware: "cd".repeat(32) }))
    const { code, stderr } = await obscura(folder, "evidence", ...words)
    expect([code, stderr.split("\n").length]).toEqual([2, 2])
    expect(stderr).toMatch(said)
  })
})
