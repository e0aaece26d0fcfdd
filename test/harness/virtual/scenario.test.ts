import { describe, expect, test } from "vitest"
import { FAULT_KINDS, type FaultKindName, faultShape } from "../../../harness/scenario/faults-shape.ts"
import { loadScenario, parseScenario } from "../../../harness/scenario/load-scenario.ts"
import type { Scenario, ScenarioInput } from "../../../harness/scenario/scenario.ts"
import { judgeVirtual } from "../../../harness/virtual/judge-virtual.ts"
import { exitCodeOf, runVirtual, VIRTUAL_DEFAULTS } from "../../../harness/virtual/run-virtual.ts"
import { checkVirtual, scenarioActs } from "../../../harness/virtual/scenario-acts.ts"
import { seconds } from "../../../harness/virtual/testing.ts"
import { runVirtualFleet } from "../../../harness/virtual/virtual-fleet.ts"
import { mutant } from "../../mutants.ts"

const WITHIN = 180_000
const STEADY = { kind: "steady", perCameraHour: 240 } as const

function scenario(input: Partial<ScenarioInput>): Scenario {
  return parseScenario({ description: "a test", arrivals: STEADY, ...input }, "test")
}

function fleetOf(story: Scenario) {
  const { seconds: length, fleet } = story
  return {
    ...{ ...VIRTUAL_DEFAULTS, seed: 4, openEvery: 1 },
    ...{ cameras: fleet.cameras, duration: seconds(length), scenario: story },
  }
}

/** A fault of every kind, each as short as can be. */
function fault(kind: FaultKindName): NonNullable<ScenarioInput["faults"]>[number] {
  const fields = { at: 1, for: 1, latencyMs: 1, seconds: 1 }
  const shape = faultShape.options.find((option) => option.shape.kind.value === kind)?.shape ?? {}
  return { kind, ...Object.fromEntries(Object.entries(fields).filter(([name]) => name in shape)) } as never
}

describe("a scenario in virtual time", () => {
  test("strikes whom and when it says, holds, allows what it says, and repeats from its seed among any number of processes", {
    timeout: WITHIN,
  }, async () => {
    const limits = ["fleet.cameras=5", 'limits={"clips lost":3}']
    const { scenario: story } = await loadScenario("power-cuts", limits)
    const one = await runVirtual({ ...fleetOf(story), processes: 1 })
    const two = await runVirtual({ ...fleetOf(story), processes: 2 })
    expect(one?.judgement.failures).toEqual([])
    expect(one && exitCodeOf(one)).toBe(0)
    expect(one?.judgement.invariants.find(({ name }) => name === "clips lost")?.limit).toBe(3)
    expect(one?.struck).toEqual({ power: 2 * 4, network: 0 })
    expect(one?.judgement.clips.recovered).toBeGreaterThan(0)
    expect(two?.eventLogHash).toBe(one?.eventLogHash)
    expect(two?.judgement).toEqual(one?.judgement)
  })

  test("holds when everything happens at once that virtual time has", { timeout: WITHIN }, async () => {
    const story = scenario({
      fleet: { cameras: 6 },
      seconds: 120,
      arrivals: { ...STEADY, kind: "poisson" },
      faults: [
        { kind: "link", at: 5, for: 100, share: 0.7, latencyMs: 200, jitterMs: 100, loss: 0.02, refuse: 0.2 },
        { kind: "link", at: 30, for: 40, share: 0.7, bytesPerSecond: 100_000 },
        { kind: "partition", at: 20, for: 20, share: 0.5 },
        { kind: "stall", at: 45, for: 20, share: 0.5 },
        { kind: "half-open", at: 50, share: 0.5 },
        { kind: "cut", at: 70, share: 1 },
        { kind: "power-cut", at: 60, for: 20, share: 0.5 },
        { kind: "power-cut", at: 65, for: 30, share: 0.5 },
      ],
    })
    const run = await runVirtualFleet(fleetOf(story))
    const judgement = await judgeVirtual(run)
    expect(judgement.failures).toEqual([])
    expect(judgement.clips.opened).toBe(judgement.clips.delivered)
    expect(run.struck).toEqual({ power: 6, network: 3 + 3 + 6 })
  })

  test("a visitor who stands there when the power comes back is felt again", {
    timeout: WITHIN,
  }, async () => {
    const story = scenario({
      fleet: { cameras: 1 },
      seconds: 80,
      arrivals: { kind: "steady", perCameraHour: 45, stay: { min: 30, max: 30 } },
      faults: [{ kind: "power-cut", at: 50, for: 2 }],
    })
    const { clips } = await judgeVirtual(await runVirtualFleet(fleetOf(story)))
    expect(clips).toMatchObject({ recorded: 1, recovered: 1, delivered: 2, opened: 2 })
    const unfelt = await mutant<{ runVirtualFleet: typeof runVirtualFleet }>(
      "harness/virtual/virtual-fleet.ts",
      {
        path: "harness/virtual/fleet-member.ts",
        from: "if (this.#inView > 0) household",
        to: "if (this.#inView > 1) household",
      },
    )
    const missed = await judgeVirtual(await unfelt.runVirtualFleet(fleetOf(story)))
    expect(missed.clips).toMatchObject({ recorded: 0, recovered: 1 })
  })

  test("fails when a firmware forgets what was cut", {
    timeout: WITHIN,
  }, async () => {
    const { scenario: story } = await loadScenario("power-cuts", ["fleet.cameras=4"])
    const forgetful = await mutant<{ runVirtualFleet: typeof runVirtualFleet }>(
      "harness/virtual/virtual-fleet.ts",
      { path: "firmware/delivery/open-spool.ts", from: "!closed.has(clip))", to: "false)" },
    )
    const { clips } = await judgeVirtual(await forgetful.runVirtualFleet(fleetOf(story)))
    expect(clips.lost).toBeGreaterThan(0)
  })

  test("does things in order of time, and takes a partition for a cut and refused dials", () => {
    const story = scenario({
      fleet: { cameras: 1 },
      seconds: 60,
      faults: [
        { kind: "partition", at: 40, for: 10 },
        { kind: "power-cut", at: 12.3456, for: 3 },
      ],
    })
    const acts = scenarioActs(story, 1)(0)
    expect(acts.map(({ at }) => at)).toEqual(acts.map(({ at }) => at).sort((a, b) => a - b))
    expect(acts.filter(({ what }) => !what.startsWith("somebody"))).toEqual([
      { at: 12_346, what: "power cut" },
      { at: 15_346, what: "power back" },
      { at: 40_000, what: "link worse", fault: 1, link: { refuse: 1 } },
      { at: 40_000, what: "connection cut" },
      { at: 50_000, what: "link better", fault: 1 },
    ])
    expect(scenarioActs(story, 1)(1)).toEqual([])
  })

  test.each(FAULT_KINDS)("either has %s or says in one line that it does not", (kind) => {
    const has = ["power-cut", "partition", "cut", "half-open", "stall", "link"].includes(kind)
    const story = scenario({ faults: [fault(kind)] })
    if (has) {
      checkVirtual(story, "mine")
      expect(scenarioActs(story, 1)(0)).toContainEqual(expect.objectContaining({ at: 1_000 }))
    } else
      expect(() => checkVirtual(story, "mine")).toThrow(
        `scenario mine: virtual time has no ${kind}; leave out --virtual for those`,
      )
  })
})
