import { existsSync } from "node:fs"
import { dirname } from "node:path"
import { beforeAll, describe, expect, test } from "vitest"
import { INSIDERS } from "../../../harness/insider/all.ts"
import { within } from "../../../harness/insider/guest.ts"
import { CHECK_IDS } from "../../../harness/insider/privacy-checks.ts"
import { type CheckResult, holds, resultsOf } from "../../../harness/insider/results.ts"
import { openStreet } from "../../../harness/insider/street.ts"
import { tableOf } from "../../../harness/insider/summary.ts"
import { letThemTry, type Outcome } from "../../../harness/insider/try-all.ts"
import type { Insider } from "../../../harness/insider/world.ts"

/** One street, everyone who would look, and what came of it. With their mistakes, `obscura mutants` runs the same checks. */
let results: readonly CheckResult[]
let outcomes: readonly Outcome[]
let folder: string

beforeAll(async () => {
  const { signal, stop } = within(80_000, new AbortController().signal)
  const street = await openStreet(7, signal)
  folder = dirname(street.world.holdings.keyFile)
  try {
    const during = await letThemTry(street.world, { when: ["during"] }, signal)
    outcomes = [...during, ...(await letThemTry(street.world, { when: ["after"] }, signal))]
    results = resultsOf(outcomes, new Map([["C1", 4]]))
  } finally {
    stop()
    await street.close()
  }
}, 120_000)

describe("in a street with four homes", () => {
  test("all 21 checks are tried, and nobody gets anything", () => {
    expect(results.map(({ id }) => id)).toEqual(CHECK_IDS)
    expect(results.filter((result) => !holds(result))).toEqual([])
  })

  test("every insider tries something, and can look", () => {
    for (const { name } of INSIDERS) expect(outcomes.some(({ insider }) => insider === name)).toBe(true)
    expect(outcomes.filter(({ stuck }) => stuck !== null)).toEqual([])
  })

  test("a report names whoever tried, and a mistake's number only where one was found", () => {
    const [first, second] = results
    expect(first).toMatchObject({ id: "C1", mutantViolations: 4 })
    expect(first?.by.map(({ insider }) => insider)).toEqual(["R&D team", "log reader", "guesser"])
    expect(second?.mutantViolations).toBe(null)
    expect(tableOf(results)).toMatch(/^C21 +\d+ +0 +- +expired or withdrawn consent/m)
  })

  test("a street that closes takes its folder with it", () => {
    expect(existsSync(folder)).toBe(false)
  })

  test("evidence and tables hold no e-mail and no key", () => {
    const told = JSON.stringify(results) + tableOf(results)
    expect(told).not.toMatch(/@example|AGE-SECRET|OBSCURA-ROOT|[0-9a-f]{32}/i)
  })
})

describe("whoever cannot look has shown nothing", () => {
  const stopped: Insider = {
    name: "nobody",
    has: "nothing",
    attempts: { C1: { when: "after", run: () => Promise.reject(new Error("the cloud is away")) } },
  }

  test("so a check that they share counts as not tried", async () => {
    const world = { homes: [], others: [] } as never
    const tried = await letThemTry(
      world,
      { when: ["after"], insiders: [stopped] },
      new AbortController().signal,
    )
    const [result] = resultsOf([...outcomes.filter(({ check }) => check === "C1"), ...tried])
    expect(result).toMatchObject({ tries: 0, violations: 0 })
    expect(result?.evidence).toEqual(["nobody could not look: the cloud is away"])
  })
})
