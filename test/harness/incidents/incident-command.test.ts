import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { INCIDENTS } from "../../../harness/incidents/list.ts"
import { sourceHash } from "../../../harness/load/source-hash.ts"
import { MISTAKES } from "../../../harness/unsafe/mistakes/list.ts"
import { obscura } from "../run-obscura.ts"

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-incident-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Both ways of one; `obscura incident --all` is a command of its own, which takes a minute. */
describe("obscura incident", () => {
  test("holds as it is, and says so", async () => {
    const { code, stdout } = await obscura(folder, "incident", "neighbors-2019", "--out", "pages")
    expect([code, stdout]).toEqual([0, expect.stringMatching(/C20 +0 of \d[\s\S]*It held: nothing got out/)])
    expect(await readFile(join(folder, "pages/neighbors-2019.html"), "utf8")).toContain("It held")
  }, 60_000)

  test("fails with the mistake of history made again, and counts what leaked", async () => {
    const { code, stdout } = await obscura(folder, "incident", "neighbors-2019", "--unsafe", "--json")
    const [run] = JSON.parse(stdout).runs
    expect(code).toBe(1)
    expect(run).toMatchObject({ unsafe: true, verdict: "broke", leaked: { clips: 1, frames: 0 } })
    expect(run.checks).toMatchObject([{ id: "C20", mistake: { id: "neighbors-2019" } }])
  }, 60_000)
})

describe("from what obscura mutants has run", () => {
  const tally = (violations: number) => ({ tries: 5, violations, evidence: [], cpuSeconds: 1 })
  const mistakes = MISTAKES.filter(
    ({ id, check }) =>
      id === "plain-debug-log" ||
      INCIDENTS.some(
        ({ mistakes: its, checks }) => its.includes(id) && checks.some((each) => each === check),
      ),
  )
  const saved = async (violations: number, sources?: string) => {
    const rows = mistakes.map(({ id, check, says }) => ({
      ...{ rule: "Privacy", check, says, safe: tally(0), mistake: { id, says } },
      ...{ unsafe: tally(violations), right: violations > 0 },
    }))
    const hash = sources ?? (await sourceHash())
    const whole = { version: 1, held: violations > 0, sources: hash, firmware: "0".repeat(64), rows }
    await writeFile(join(folder, "mutants.json"), JSON.stringify(whole))
    return obscura(folder, "incident", "--all", "--from", "mutants.json", "--json", "--out", "pages")
  }

  test("all hold when every check held and every mistake was found", async () => {
    const { code, stdout } = await saved(2)
    expect([code, JSON.parse(stdout).runs.length]).toEqual([0, 2 * INCIDENTS.length])
    expect(await readFile(join(folder, "pages/incidents.html"), "utf8")).toContain(
      "<h1>What happened elsewhere",
    )
  })

  test("they do not when a mistake is not found", async () => {
    expect((await saved(0)).code).toBe(1)
  })

  test("nothing is said of other sources", async () => {
    const { code, stderr } = await saved(2, "1".repeat(64))
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^obscura: mutants.json: ran on other sources.*\n$/),
    ])
  })
})

describe("a wrong call is one line that says what to do", () => {
  test.each([
    [["nobody-1999"], /nobody-1999: no such incident; there are .*wyze-2024/],
    [[], /give one incident, or --all/],
    [["adt-2020", "--all"], /give one incident, or --all/],
    [["--all", "--unsafe"], /--all runs both ways already/],
    [["adt-2020", "--from", "mutants.json"], /--from goes with --all/],
    [["--all", "--from", "nothing.json"], /nothing.json: cannot be read/],
  ])("%j", async (words, said) => {
    const { code, stdout, stderr } = await obscura(folder, "incident", ...words)
    expect([code, stdout, stderr.split("\n").length]).toEqual([2, "", 2])
    expect(stderr).toMatch(said)
  })

  test("and so is a file that is something else", async () => {
    await writeFile(join(folder, "other.json"), '{"version":2}')
    const { code, stderr } = await obscura(folder, "incident", "--all", "--from", "other.json")
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/other.json: not from "obscura mutants --json"/),
    ])
  })

  test("--list names them all", async () => {
    const { code, stdout } = await obscura(folder, "incident", "--list")
    expect([code, stdout.trim().split("\n").length]).toEqual([0, INCIDENTS.length])
  })
})
