import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { loadPlan } from "../../../harness/load/plan.ts"
import { FLEET_SCENES } from "../../../simulator/footage.ts"
import { scriptOf } from "../../../simulator/script.ts"
import { planOf } from "./small-run.ts"

const plan = (seed: number) => loadPlan(planOf({ fleet: { cameras: 16 }, seconds: 30 }, seed))

async function scripts(seed: number, duration = 30_000) {
  const loaded = await plan(seed)
  return Array.from({ length: 16 }, (_, index) => {
    const { footage, offset } = loaded.camera(index)
    return scriptOf({ seed, index, footage, offset, duration })
  })
}

describe("a fleet's script", () => {
  test("is the same for the same seed, and another for another", async () => {
    expect(await scripts(42)).toEqual(await scripts(42))
    expect(await scripts(42)).not.toEqual(await scripts(43))
  })

  test("gives each camera a canary and a place of its own, and each scene to as many cameras", async () => {
    const loaded = await plan(42)
    const cameras = Array.from({ length: 16 }, (_, index) => loaded.camera(index))
    expect(new Set(cameras.map(({ canary }) => canary)).size).toBe(16)
    for (const scene of FLEET_SCENES)
      expect(cameras.filter(({ footage }) => footage.name === scene)).toHaveLength(2)
  })

  test("lets something happen before every camera, in order, never two motions at once, and ends still", async () => {
    const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    await fc.assert(
      fc.asyncProperty(seeds, fc.integer({ min: 1_000, max: 60_000 }), async (seed, duration) => {
        for (const script of await scripts(seed, duration)) {
          expect(script.length).toBeGreaterThan(0)
          let moving = false
          let last = 0
          for (const { at, what } of script) {
            expect(at).toBeGreaterThanOrEqual(last)
            expect(at).toBeLessThanOrEqual(duration)
            last = at
            if (what === "bell") continue
            expect(moving).toBe(what === "still")
            moving = what === "moves"
          }
          expect(moving).toBe(false)
        }
      }),
      { numRuns: 20 },
    )
  })
})
