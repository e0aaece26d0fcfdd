import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { beforeAll, describe, expect, test } from "vitest"
import { isFault, messageOf } from "../../../firmware/errors.ts"
import { MiB } from "../../../firmware/units.ts"
import { COSTS, capacityOf, type Demand, limiting, type Machine } from "../../../harness/load/capacity.ts"
import { checkMemory, demandOf, howManyTable } from "../../../harness/load/how-many.ts"
import { measureSpeed } from "../../../harness/load/measure-speed.ts"
import { loadPlan } from "../../../harness/load/plan.ts"
import { mutant } from "../../mutants.ts"
import { root, TYPESCRIPT } from "../../support.ts"
import { planOf } from "./small-run.ts"

const GiB = 1_024 * MiB

const MACHINE: Machine = {
  ...{ cores: 64, descriptors: 1_000_000, memoryBytes: 1_024 * GiB, diskBytes: 1_024 * GiB },
  speed: COSTS.speed,
}
const DEMAND: Demand = { cameras: 1_000, recording: 50, seconds: 60, sealedBytes: GiB, startWithin: 10 }

const leastOf = (machine: Partial<Machine>, demand: Partial<Demand> = {}) =>
  limiting(capacityOf({ ...MACHINE, ...machine }, { ...DEMAND, ...demand }))

describe("what a machine carries", () => {
  test("is bound by what runs out first, and it says how to have more of that", () => {
    expect(leastOf({ descriptors: 1_024 })).toMatchObject({ name: "descriptors", carries: 904 })
    expect(leastOf({ descriptors: 1_024 }).raise).toBe("ulimit -n 1120")
    expect(leastOf({ memoryBytes: 512 * MiB }).name).toBe("memory")
    expect(leastOf({ cores: 1 }).name).toBe("processor")
    expect(leastOf({}, { sealedBytes: 100 * GiB }).name).toBe("cloud's core")
    expect(leastOf({ diskBytes: 100 * MiB }).name).toBe("disk")
  })

  test("is less on a slower one, and nothing where there is nothing", () => {
    const slower = { sealedBytes: COSTS.speed.sealedBytes / 4, signed: COSTS.speed.signed / 4 }
    const [fast, slow] = [leastOf({ cores: 1 }), leastOf({ cores: 1, speed: slower })]
    expect(slow.carries).toBeLessThanOrEqual(fast.carries / 4 + 1)
    expect(leastOf({ descriptors: 0 }).carries).toBe(0)
    expect(leastOf({ memoryBytes: 0 }).carries).toBe(0)
  })

  test("is enough exactly where it says so", () => {
    for (const { name, has, needs, carries } of capacityOf(MACHINE, DEMAND))
      expect([name, has >= needs]).toEqual([name, carries >= DEMAND.cameras])
    const tight = { descriptors: 1_119, memoryBytes: 600 * MiB, diskBytes: GiB, cores: 0.5 }
    for (const { name, has, needs, carries } of capacityOf({ ...MACHINE, ...tight }, DEMAND))
      expect([name, has >= needs]).toEqual([name, carries >= DEMAND.cameras])
  })

  test("is measured here: sealing and signing", async () => {
    const { sealedBytes, signed } = await measureSpeed(0.1)
    expect(sealedBytes).toBeGreaterThan(MiB)
    expect(signed).toBeGreaterThan(10)
  })
})

describe("what a scenario asks for", () => {
  test("is its cameras, how many of them record, and what they seal", async () => {
    const fleet = { cameras: 40, recording: 0.25 }
    const arrivals = { kind: "steady", perCameraHour: 600 } as const
    const plan = planOf({ fleet, arrivals, seconds: 20 }, 3)
    const demand = demandOf(await loadPlan(plan))
    expect(demand).toMatchObject({ cameras: 40, recording: 10, seconds: 20, startWithin: 1 })
    expect(demand.sealedBytes).toBeGreaterThan(MiB)
    const parts = [
      { ...plan, to: 20 },
      { ...plan, from: 20 },
    ]
    const halves = await Promise.all(parts.map(async (part) => demandOf(await loadPlan(part))))
    expect(halves.map(({ cameras }) => cameras)).toEqual([20, 20])
    expect(halves.reduce((sum, { recording }) => sum + recording, 0)).toBe(10)
    expect(halves.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0)).toBeCloseTo(demand.sealedBytes)
  })

  test("is refused where the memory is not there, in one line that says how many fit", () => {
    const plan = planOf({ fleet: { cameras: 5_000 } }, 1)
    expect(() => checkMemory(plan, 64 * GiB)).not.toThrow()
    const line = refusal(() => checkMemory(plan, 2 * GiB))
    expect(line).toMatch(
      /^--cameras 5000: this machine carries about \d{3}?,?\d*, for they need .* MiB of memory/,
    )
    expect(refusal(() => checkMemory(plan, 0))).toContain("carries about 0,")
  })

  test("without that check would run until the machine kills it", async () => {
    const wrong = await mutant<typeof import("../../../harness/load/how-many.ts")>(
      "harness/load/how-many.ts",
      { path: "harness/load/how-many.ts", from: "if (needed <= free) return", to: "if (needed > 0) return" },
    )
    expect(() => wrong.checkMemory(planOf({ fleet: { cameras: 5_000 } }, 1), 0)).not.toThrow()
  })
})

describe("the table", () => {
  test("has a line for each resource, and ends with what runs out first", () => {
    const table = howManyTable({ ...MACHINE, descriptors: 1_024 }, { ...DEMAND, cameras: 20_000 })
    expect(table).toMatch(/\n {2}descriptors +1,024 +20,120 +files +904 cameras\n/)
    expect(table.split("\n").at(-1)).toBe(
      "It does not fit, and would be refused. First to run out: descriptors, at 904 cameras of this scenario. " +
        "To raise it: ulimit -n 20120",
    )
    expect(howManyTable(MACHINE, DEMAND)).toContain("\nIt fits. ")
    expect(howManyTable({ ...MACHINE, cores: 0.01 }, DEMAND)).toContain("measure this machine instead")
    expect(howManyTable({ ...MACHINE, descriptors: Number.POSITIVE_INFINITY }, DEMAND)).toContain("no limit")
  })
})

describe.skipIf(process.platform === "win32")("obscura fleet, where a process may open 1,024 files", () => {
  const HOW_MANY = "--how-many --scenario steady --cameras 2000 --seconds 10"
  /** One process for both calls, which loads all that they need once. */
  const CALLS = `const { run } = await import(${JSON.stringify(join(root, "harness", "cli.ts"))})
    for (const words of ["${HOW_MANY}", "--cameras 20000"])
      console.log("exit code", await run(["node", "obscura", "fleet", ...words.split(" ")]))`
  let told: { readonly stdout: string; readonly stderr: string }
  beforeAll(() => {
    const words = ["--import", TYPESCRIPT, "--input-type=module", "-e", CALLS]
    told = spawnSync("sh", ["-c", 'ulimit -n 1024; exec "$0" "$@"', process.execPath, ...words], {
      ...{ encoding: "utf8", timeout: 45_000, killSignal: "SIGKILL" },
    })
  }, 60_000)

  test("--how-many says it and runs nothing", () => {
    expect(told.stdout).toMatch(/First to run out: descriptors, at 904 cameras.*\nexit code 0\n/)
  })

  test("refuses an impossible fleet before it starts, in one line that says how to raise it", () => {
    expect(told.stderr).toBe(
      "obscura: --cameras 20000: this machine carries 904, for a process may open 1024 files; " +
        "raise that with: ulimit -n 20120\n",
    )
    expect(told.stdout).toMatch(/\nexit code 0\nexit code 2\n$/)
  })
})

function refusal(check: () => void): string {
  try {
    check()
  } catch (error) {
    expect(isFault(error, "usage")).toBe(true)
    expect(messageOf(error).split("\n")).toHaveLength(1)
    return messageOf(error)
  }
  throw new Error("nothing was refused")
}
