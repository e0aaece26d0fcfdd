import { describe, expect, test } from "vitest"
import { CHECKS, THEMES } from "../../../harness/checks/list.ts"
import { named } from "../../../harness/commands/mutants.ts"
import { checkPatches } from "../../../harness/unsafe/mistake.ts"
import { MISTAKES } from "../../../harness/unsafe/mistakes/list.ts"
import { rowsOf } from "../../../harness/unsafe/rows.ts"
import { root } from "../../support.ts"
import { obscura } from "../run-obscura.ts"

/** All of it takes minutes and is a command of its own, which CI runs; here a few rows, and what every row must have. */
describe("obscura mutants", () => {
  test("shows that each check finds nothing as it is, and its mistake", async () => {
    const { code, stdout } = await obscura(root, "mutants", "--json", "kind-unsigned", "any-point")
    const report = JSON.parse(stdout)
    expect([code, report.held, report.version]).toEqual([0, true, 1])
    expect(report.rows.length).toBe(2)
    for (const row of report.rows) {
      expect(row).toMatchObject({
        ...{ rule: expect.any(String), check: expect.any(String), says: expect.any(String), right: true },
        safe: { tries: expect.any(Number), violations: 0, evidence: [], cpuSeconds: expect.any(Number) },
        mistake: { id: expect.any(String), says: expect.any(String) },
      })
      expect(row.safe.tries).toBeGreaterThan(0)
      expect(row.unsafe.violations).toBeGreaterThan(0)
    }
  })

  test("says in one line that nothing has that name", async () => {
    const { code, stderr } = await obscura(root, "mutants", "nothing-of-the-kind")
    expect([code, stderr]).toEqual([2, expect.stringMatching(/^obscura: nothing-of-the-kind: no check.*\n$/)])
  })

  test("is wrong about a check that passes for nothing: no mistake, a harmless one, a check that cannot look", async () => {
    const { checks } = named(["small-order", "verified-first"])
    const harmless = { id: "none", check: "small-order", says: "", patches: [] }
    const crashing = {
      ...{ id: "crash", check: "small-order", says: "" },
      patches: [
        {
          path: "firmware/control/keys.ts",
          from: 'if (raw.length !== 32) throw new Fault("malformed", `an Ed25519 public key',
          to: 'if (raw.length === 32) throw new TypeError("crash", `an Ed25519 public key',
        },
      ],
    }
    const rows = await rowsOf(checks, [harmless, crashing])
    expect(rows.map(({ right }) => right)).toEqual([false, false, false])
    const of = (id: string | null) => rows.find(({ mistake }) => (mistake?.id ?? null) === id)
    expect(of("none")?.unsafe).toMatchObject({ violations: 0 })
    expect(of("crash")?.unsafe).toMatchObject({ stuck: expect.stringContaining("TypeError: crash") })
    expect(of(null)).toMatchObject({ check: "verified-first", safe: { violations: 0 }, unsafe: null })
  })
})

describe("the list", () => {
  test("names each check and each mistake once, and a mistake for every check", () => {
    const ids = [...CHECKS.map(({ id }) => id), ...MISTAKES.map(({ id }) => id)]
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([])
    for (const { id } of CHECKS)
      expect(
        MISTAKES.filter(({ check }) => check === id),
        id,
      ).not.toEqual([])
    for (const { check } of MISTAKES) expect(CHECKS.map(({ id }) => id)).toContain(check)
    expect(THEMES.every(({ rule }) => CHECKS.some((check) => check.rule === rule))).toBe(true)
  })

  test("fits its sources: each patch's text is there exactly once", () => {
    for (const mistake of MISTAKES) expect(() => checkPatches(mistake)).not.toThrow()
  })
})
