import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { isFault } from "../../../firmware/errors.ts"
import { parseThresholds } from "../../../harness/load/thresholds.ts"
import { loadScenario, parseScenario, scenarioNames } from "../../../harness/scenario/load-scenario.ts"
import { template } from "../../../harness/scenario/template.ts"

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "obscura-scenario-"))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, text)
  return path
}

describe("the project's own scenarios", () => {
  test("are all that a load tester asks for", async () => {
    const wanted =
      "steady ramp spike evening-peak soak reconnect-storm blackout slow-uplink full-disk power-cuts " +
      "clock-without-ntp slow-cloud wrong-key"
    expect(await scenarioNames()).toEqual(expect.arrayContaining(wanted.split(" ")))
  })

  test("fit their shape, fit on one line, and set thresholds on metrics that there are", async () => {
    for (const name of await scenarioNames()) {
      const { scenario } = await loadScenario(name)
      expect(scenario.description).not.toContain("\n")
      expect(() => parseThresholds(scenario.thresholds)).not.toThrow()
    }
  })

  test("are what a template begins like", async () => {
    const { scenario } = await loadScenario(await file("mine.ts", template()))
    expect(scenario.fleet.cameras).toBe(50)
    expect(parseThresholds(scenario.thresholds)).toHaveLength(2)
  })
})

describe("--set", () => {
  test("overrides any field, of faults and arrivals too, and leaves the others", async () => {
    const { scenario } = await loadScenario("power-cuts", [
      "fleet.cameras=7",
      "faults[1].for=2.5",
      "arrivals.kind=poisson",
      "fleet.scene=/films/door.mp4",
    ])
    expect(scenario.fleet).toMatchObject({ cameras: 7, scene: "/films/door.mp4" })
    expect(scenario.faults[1]).toMatchObject({ kind: "power-cut", at: 25.7, for: 2.5 })
    expect(scenario.arrivals).toMatchObject({ kind: "poisson", perCameraHour: 240 })
    expect((await loadScenario("power-cuts")).scenario.fleet.cameras).toBe(100)
  })

  test.each([
    ["fleet.camera=7", "fleet: there is no field camera (did you mean cameras?)"],
    ["flete.cameras=7", "there is no field flete (did you mean fleet?)"],
    ["faults[0].at=soon", "faults[0].at: expected number"],
    ["faults[0].att=3", "faults[0]: there is no field att (did you mean at?)"],
    ["faults[9].at=3", "[9] of a list of 4: they are counted from 0"],
    ["fleet.cameras", "it looks like fleet.cameras=1000"],
    ["fleet.cameras=0", "fleet.cameras"],
    ["seconds.x=1", "seconds has no fields"],
    ["__proto__.x=1", "names no field"],
    ["seconds=20", "ends after the run's 20 s"],
  ])("%s is refused in one line that says what to do", async (override, advice) => {
    const refused = loadScenario("power-cuts", [override])
    await expect(refused).rejects.toThrow(advice)
    await expect(refused).rejects.toSatisfy((error) => isFault(error, "usage") && !/\n/.test(String(error)))
  })

  test("whatever it is, gives a scenario that fits or one line, and touches nothing else", async () => {
    const path = fc.array(fc.oneof(fc.constantFrom("fleet", "faults", "0", "at"), fc.string()), {
      maxLength: 4,
    })
    await fc.assert(
      fc.asyncProperty(path, fc.oneof(fc.json(), fc.string()), async (steps, value) => {
        try {
          await loadScenario("full-disk", [`${steps.join(".")}=${value}`])
        } catch (error) {
          expect(isFault(error, "usage")).toBe(true)
        }
        expect({}).not.toHaveProperty("at")
      }),
      { numRuns: 200 },
    )
  })
})

describe("a scenario's file", () => {
  test.each([
    ["throws.ts", 'throw new Error("oh dear")', "its file throws: oh dear"],
    ["syntax.ts", "export default {", "its file throws"],
    ["nothing.ts", "export const scenario = {}", "exports no scenario as its default"],
    ["text.ts", 'export default "a story"', "exports no scenario as its default"],
    ["unknown.ts", 'export default { description: "x", cameras: 5 }', "there is no field cameras"],
    ["type.ts", 'export default { description: "x", seconds: "long" }', "seconds: expected number"],
    ["kind.ts", 'export default { description: "x", faults: [{ kind: "fire", at: 1 }] }', "faults[0]"],
    [
      "late.ts",
      'export default { description: "x", seconds: 10, faults: [{ kind: "cut", at: 11 }] }',
      "faults[0] (cut) ends after the run's 10 s",
    ],
    ["limit.ts", 'export default { description: "x", limits: { "clips lots": 1 } }', "limits"],
  ])("%s is refused in one line", async (name, text, advice) => {
    const refused = loadScenario(await file(name, text))
    await expect(refused).rejects.toThrow(advice)
    await expect(refused).rejects.toSatisfy((error) => isFault(error, "usage") && !/\n/.test(String(error)))
  })

  test.each([
    ["stedy", "did you mean steady?"],
    ["nowhere/none.ts", "there is no such file"],
    ["harness", "there is no scenario harness"],
  ])("%s is none, and what there is is said", async (name, advice) => {
    await expect(loadScenario(name)).rejects.toThrow(advice)
  })

  test("whatever it exports, it fits or is refused in one line", () => {
    fc.assert(
      fc.property(fc.anything(), (input) => {
        try {
          parseScenario(input, "any")
        } catch (error) {
          expect(isFault(error, "usage") && !/\n/.test(String(error))).toBe(true)
        }
      }),
    )
  })
})
