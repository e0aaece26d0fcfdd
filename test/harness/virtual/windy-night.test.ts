import { describe, expect, test } from "vitest"
import { judgeThresholds } from "../../../harness/load/thresholds.ts"
import { loadScenario, parseScenario } from "../../../harness/scenario/load-scenario.ts"
import { judgeVirtual } from "../../../harness/virtual/judge-virtual.ts"
import { RecognitionTally, readingsOf, sumOfCounts } from "../../../harness/virtual/recognition-tally.ts"
import { virtualThresholds } from "../../../harness/virtual/run-virtual.ts"
import { checkVirtual } from "../../../harness/virtual/scenario-acts.ts"
import { minutes, seconds } from "../../../harness/virtual/testing.ts"
import { runVirtualFleet } from "../../../harness/virtual/virtual-fleet.ts"

/** The scenario, shorter: what its cameras made of who came, and what the judge says of their clips. */
async function night(overrides: readonly string[]) {
  const { scenario } = await loadScenario("windy-night", ["seconds=600", "fleet.cameras=2", ...overrides])
  checkVirtual(scenario, "windy-night")
  const [seed, cameras] = [4, scenario.fleet.cameras]
  const options = { seed, cameras, duration: seconds(scenario.seconds), visitsPerHour: 0, faults: false }
  const run = await runVirtualFleet({ ...options, scenario, openEvery: 20 })
  const counts = sumOfCounts(
    run.witnesses.map(({ recognition }) => recognition).filter((each) => each !== null),
  )
  const readings = readingsOf(counts)
  const judgement = await judgeVirtual(run)
  return {
    counts,
    thresholds: judgeThresholds(virtualThresholds(scenario), readings),
    broken: judgement.invariants.filter(({ count, limit }) => count > limit).map(({ name }) => name),
  }
}

describe("a windy night", () => {
  test("with a visitor and with nobody is told apart, and every clip of it is whole", async () => {
    const { counts, thresholds, broken } = await night(["arrivals.share=0.4"])
    expect(broken).toEqual([])
    expect(counts.visits).toBeGreaterThan(10)
    expect(counts.hits).toBe(counts.visits)
    expect(counts.wakes).toBeGreaterThan(3)
    expect(counts.falseAlarms).toBe(0)
    expect(counts.milliseconds).toBe(minutes(10))
    expect(thresholds.map(({ metric, pass }) => [metric, pass])).toEqual([
      ["visitors_hit", true],
      ["false_alarms", true],
    ])
  })

  test("without eyes is all alarms, and the threshold says so", async () => {
    const overrides = [
      "fleet.eyes=none",
      'fleet.scenes=["windy-night"]',
      "fleet.cameras=1",
      "arrivals.share=0.3",
    ]
    const { counts, thresholds } = await night(overrides)
    expect(counts.falseAlarms).toBeGreaterThan(0)
    expect(thresholds.find(({ metric }) => metric === "false_alarms")?.pass).toBe(false)
    // Nobody came: that says nothing of visitors, and nothing holds.
    expect(thresholds.find(({ metric }) => metric === "visitors_hit")).toMatchObject({
      value: null,
      pass: false,
    })
  })

  test("whose detector never sees anybody misses all, and the threshold says so", async () => {
    const blind = ["fleet.errors.missed=1", 'fleet.scenes=["night-cat"]', "fleet.cameras=1", "seconds=300"]
    const { counts, thresholds } = await night(blind)
    expect(counts.visits).toBeGreaterThan(0)
    expect(counts.hits).toBe(0)
    expect(thresholds.find(({ metric }) => metric === "visitors_hit")?.pass).toBe(false)
  })

  test.each([
    ["an unknown scene", { fleet: { scenes: ["windy-nihgt"] } }, /fleet.scenes/],
    ["no scene at all", { fleet: { scenes: [] } }, /fleet.scenes/],
    ["unknown eyes", { fleet: { eyes: "cat" } }, /fleet.eyes/],
    ["a rate above one", { fleet: { errors: { missed: 2 } } }, /fleet.errors.missed/],
    ["no share", { arrivals: { kind: "footage", share: 0 } }, /arrivals.share/],
  ])("with %s is refused in one line", (_what, wrong, says) => {
    expect(() => parseScenario({ description: "mine", ...wrong }, "mine")).toThrow(says)
  })
})

describe("what cameras made of who came", () => {
  const opened = (clip: string) => ({ event: "clip opened", clip, trigger: "motion" }) as const
  const verdict = (clip: string, keep: boolean) => ({ event: "verdict", clip, keep, by: "vote" }) as const
  const recorded = (clip: string) => ({ event: "clip recorded", clip, segments: 1, objects: 3 }) as const

  test("is a hit if a clip of the visit was kept, once, however many clips there are", () => {
    let now = 0
    const tally = new RecognitionTally(true, () => now)
    tally.felt()
    tally.note(opened("a"))
    tally.note(verdict("a", false))
    now = 4_000
    tally.note(opened("b"))
    tally.note(verdict("b", true))
    tally.gone()
    tally.note(recorded("b"))
    now = 5_000
    tally.note(opened("c"))
    tally.note(verdict("c", true))
    tally.note(recorded("c"))
    expect(tally.counts(9_000)).toMatchObject({ visits: 1, hits: 1, falseAlarms: 0, milliseconds: 0 })
  })

  test("is a hit, too, if the visitor came back into a clip that goes on, and none if the clip came later", () => {
    let now = 0
    const tally = new RecognitionTally(true, () => now)
    tally.felt()
    tally.note(opened("a"))
    tally.note(verdict("a", true))
    tally.gone()
    now = 2_000
    tally.felt()
    tally.note(recorded("a"))
    tally.gone()
    expect(tally.counts(9_000)).toMatchObject({ visits: 2, hits: 2 })
    now = 60_000
    tally.felt()
    tally.gone()
    now = 70_000
    tally.note(opened("late"))
    tally.note(verdict("late", true))
    expect(tally.counts(90_000)).toMatchObject({ visits: 3, hits: 2 })
  })

  test("is a false alarm for each clip that is kept where nobody passes", () => {
    const tally = new RecognitionTally(false, () => 0)
    for (const clip of ["a", "b", "c"]) {
      tally.felt()
      tally.note(opened(clip))
      tally.note(verdict(clip, clip === "b"))
    }
    expect(tally.counts(minutes(60))).toEqual({
      ...{ visits: 0, hits: 0, wakes: 3, falseAlarms: 1 },
      milliseconds: minutes(60),
    })
  })
})
