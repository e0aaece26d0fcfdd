import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { recordingCameras, visitsOf } from "../../../harness/scenario/arrivals.ts"
import { FAULT_KINDS } from "../../../harness/scenario/faults-shape.ts"
import { parseScenario } from "../../../harness/scenario/load-scenario.ts"
import type { ScenarioInput } from "../../../harness/scenario/scenario.ts"
import { spelledRanges, strikesOf } from "../../../harness/scenario/strikes.ts"

const scenario = (input: Partial<ScenarioInput>) => parseScenario({ description: "a test", ...input }, "test")
const steady = (more: Partial<ScenarioInput> = {}) =>
  scenario({
    fleet: { cameras: 40 },
    seconds: 600,
    arrivals: { kind: "steady", perCameraHour: 60 },
    ...more,
  })

/** When somebody comes, in order, over all cameras; seconds. */
function comings(input: Partial<ScenarioInput>, seed = 1): readonly number[] {
  return [...(visitsOf(steady(input), seed) ?? new Map()).values()]
    .flatMap((steps) => steps.filter(({ what }: { what: string }) => what === "moves"))
    .map(({ at }) => at / 1_000)
    .sort((a, b) => a - b)
}

const between = (all: readonly number[], from: number, to: number) =>
  all.filter((at) => at >= from && at < to).length

describe("arrivals", () => {
  test("are as many as the rate says", () => {
    expect(comings({})).toHaveLength(400)
    const poisson = comings({ arrivals: { kind: "poisson", perCameraHour: 60 } })
    expect(Math.abs(poisson.length - 400)).toBeLessThan(4 * Math.sqrt(400))
  })

  test("have the shape that their kind says", () => {
    const ramp = comings({ arrivals: { kind: "ramp", perCameraHour: 60 } })
    expect(between(ramp, 300, 600)).toBeGreaterThan(2.5 * between(ramp, 0, 300))
    const spike = comings({ arrivals: { kind: "spike", perCameraHour: 60, at: 200, for: 100, times: 5 } })
    expect(between(spike, 200, 300) / between(spike, 300, 400)).toBeCloseTo(5, 0)
    const evening = comings({ arrivals: { kind: "evening-peak", perCameraHour: 60 } })
    expect(between(evening, 425, 475)).toBeGreaterThan(5 * between(evening, 0, 50))
  })

  test("come to everyone as often where they are even, and to nobody outside the recording part", () => {
    const visits = visitsOf(steady({ fleet: { cameras: 40, recording: 0.25 } }), 3) ?? new Map()
    const chosen = recordingCameras(steady({ fleet: { cameras: 40, recording: 0.25 } }), 3)
    expect(chosen.size).toBe(10)
    expect(new Set(visits.keys())).toEqual(chosen)
    expect(new Set([...visits.values()].map((steps) => steps.length)).size).toBe(1)
  })

  test("are the same for the same seed, others for another, and set before anything runs", () => {
    const arrivals = { kind: "poisson", perCameraHour: 60 } as const
    expect(comings({ arrivals }, 5)).toEqual(comings({ arrivals }, 5))
    expect(comings({ arrivals }, 5)).not.toEqual(comings({ arrivals }, 6))
  })

  test("always leave in time, in order, whatever the scenario", () => {
    const kinds = fc.constantFrom(
      "steady" as const,
      "ramp" as const,
      "poisson" as const,
      "evening-peak" as const,
    )
    const seconds = fc.double({ min: 1, max: 900, noNaN: true })
    fc.assert(
      fc.property(kinds, seconds, fc.integer({ min: 1, max: 400 }), (kind, length, perCameraHour) => {
        const visits =
          visitsOf(steady({ seconds: length, arrivals: { kind, perCameraHour } }), 9) ?? new Map()
        for (const steps of visits.values()) {
          const times = steps.map(({ at }: { at: number }) => at)
          expect(times).toEqual([...times].sort((a, b) => a - b))
          expect(times.at(0)).toBeGreaterThanOrEqual(0)
          expect(times.at(-1)).toBeLessThanOrEqual(length * 1_000)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe("strikes", () => {
  const struck = scenario({
    fleet: { cameras: 50 },
    seconds: 60,
    faults: [
      { kind: "partition", at: 20, for: 5, share: 0.3 },
      { kind: "broker-kill", at: 10, for: 5 },
      { kind: "cut", at: 30 },
    ],
  })

  test("hit as many as their share says, the same for the same seed, the cloud or everyone", () => {
    const strikes = strikesOf(struck, 7)
    expect(strikes.map(({ fault }) => fault.kind)).toEqual(["broker-kill", "partition", "cut"])
    expect(strikes.map(({ cameras }) => cameras?.length ?? null)).toEqual([null, 15, 50])
    expect(strikesOf(struck, 7)).toEqual(strikes)
    expect(strikesOf(struck, 8)[1]?.cameras).not.toEqual(strikes[1]?.cameras)
  })

  test("have a word for whatever a camera, its network and its cloud can suffer", () => {
    expect(FAULT_KINDS).toHaveLength(20)
  })

  test("are told in ranges that say who it was, and nothing else", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(200), { minLength: 1 }), (indexes) => {
        const sorted = [...indexes].sort((a, b) => a - b)
        const read = spelledRanges(sorted)
          .split(",")
          .flatMap((part) => {
            const [from = 0, to = from] = part.split("-").map(Number)
            return Array.from({ length: to - from + 1 }, (_, i) => from + i)
          })
        expect(read).toEqual(sorted)
      }),
    )
  })
})
