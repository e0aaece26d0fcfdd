import { execFile } from "node:child_process"
import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import type { Witness } from "../../../harness/virtual/fleet-member.ts"
import { judgeVirtual, type VirtualJudgement } from "../../../harness/virtual/judge-virtual.ts"
import { runVirtual, VIRTUAL_DEFAULTS } from "../../../harness/virtual/run-virtual.ts"
import { minutes } from "../../../harness/virtual/testing.ts"
import { runVirtualFleet, type VirtualFleetOptions } from "../../../harness/virtual/virtual-fleet.ts"
import { mutant } from "../../mutants.ts"
import { TYPESCRIPT } from "../../support.ts"

/** A machine that does other things at the same time is slow; what is measured here is never how long it took. */
const WITHIN = 180_000
const HOUR = minutes(60)
const DAYS = 2
/** Camera 1 has a clip that was cut. */
const POWER_CUTS = { seed: 1, cameras: 2, duration: HOUR, visitsPerHour: 30, openEvery: 20 }
const SMALL = { ...VIRTUAL_DEFAULTS, seed: 1, cameras: 3, duration: 2 * HOUR, visitsPerHour: 6, openEvery: 2 }

describe("a fleet in virtual time", () => {
  test("repeats its event log from its seed, in one fresh process as in two, and has another one for another seed", {
    timeout: WITHIN,
  }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "obscura-virtual-"))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const run = async (seed: number, processes: number) => {
      const eventLog = join(folder, `${seed}-${processes}`)
      const outcome = await runVirtual({ ...SMALL, cameras: 3, duration: HOUR, seed, processes, eventLog })
      if (outcome === null) throw new Error("it was not told to stop")
      return { ...outcome, lines: await readFile(eventLog, "utf8") }
    }
    const first = await run(1, 1)
    const again = await run(1, 2)
    const other = await fleet({ duration: HOUR, seed: 2 })

    expect(again.lines).toBe(first.lines)
    expect(again.eventLogHash).toBe(first.eventLogHash)
    expect(again.judgement).toEqual(first.judgement)
    expect(again.struck).toEqual(first.struck)
    expect(other.eventLogHash).not.toBe(first.eventLogHash)
    expect(first.lines.split("\n").slice(0, -1)).toHaveLength(first.events)
    expect(first.lines).toMatch(/^(\d+ \d+ \d+ [a-z ]+\n)+$/)
    for (const kind of ["power cut", "power back", "unplugged", "clip recorded", "received", "bell"])
      expect(first.lines).toContain(` ${kind}\n`)
  })

  test("holds through cuts of network and power, and its days take seconds", {
    timeout: WITHIN,
  }, async () => {
    const run = await runVirtualFleet({
      ...VIRTUAL_DEFAULTS,
      ...{ seed: 5, cameras: 1, duration: DAYS * 24 * HOUR },
    })
    const judgement = await judgeVirtual(run)
    expect(judgement.failures).toEqual([])
    expect(broken(judgement)).toEqual([])
    const { clips } = judgement
    expect(clips.recorded).toBeGreaterThan(DAYS * 24)
    expect(clips.delivered).toBe(clips.recorded + clips.recovered)
    expect(clips.opened).toBe(clips.sampled)
    expect(run.struck.power).toBeGreaterThan(0)
    expect(run.struck.network).toBeGreaterThan(0)
    expect(run.passed).toBeGreaterThan(DAYS * 24 * HOUR)
  })

  test("ends at once when it is told to", { timeout: WITHIN }, async () => {
    const stop = new AbortController()
    const running = runVirtual({
      ...{ ...SMALL, cameras: 1, duration: 10_000 * HOUR },
      signal: stop.signal,
      onProgress: () => stop.abort(),
    })
    expect(await running).toBeNull()
  })

  test("cannot tell a lens that rests from one that does not", { timeout: WITHIN }, async () => {
    const rested = await fleet({ seed: 3, duration: HOUR })
    const restless = await fleet({ seed: 3, duration: HOUR, rests: false })
    expect(restless.eventLogHash).toBe(rested.eventLogHash)
    expect(rested.events).toBeGreaterThan(100)
  })
})

describe("mistakes are noticed", () => {
  test("a wall clock that leaks in changes the event log from run to run", { timeout: WITHIN }, async () => {
    const leaking = await mutant<{ runVirtualFleet: typeof runVirtualFleet }>(
      "harness/virtual/virtual-fleet.ts",
      {
        path: "simulator/clock.ts",
        from: "setTimeout(task, duration)",
        to: "setTimeout(task, duration + (process.cpuUsage().user % 5))",
      },
    )
    const hashes = new Set<string>()
    for (let run = 0; run < 3 && hashes.size < 2; run++)
      hashes.add((await fleet({ cameras: 2, duration: HOUR }, leaking.runVirtualFleet)).eventLogHash)
    expect(hashes.size).toBeGreaterThan(1)
  })

  test("a cloud that loses, changes or doubles what it has fails the run", { timeout: WITHIN }, async () => {
    const run = await fleet({ cameras: 2, duration: HOUR, faults: false, openEvery: 1 })
    const { bucket } = run.cloud
    const found = async () => broken(await judgeVirtual(run))
    expect(await found()).toEqual([])

    const lost = vi.spyOn(bucket, "object").mockReturnValue(null)
    expect(await found()).toContain("clips lost")
    lost.mockRestore()

    const read = bucket.objectBytes.bind(bucket)
    const changed = vi.spyOn(bucket, "objectBytes").mockImplementation(async (id) => {
      const bytes = await read(id)
      return bytes && Buffer.from(bytes).fill(7, bytes.length - 20)
    })
    expect(await found()).toEqual(["clips unreadable"])
    changed.mockRestore()

    const [device = ""] = bucket.devices()
    const manifests = bucket.manifests(device)
    const withheld = vi.spyOn(bucket, "manifests").mockReturnValue(manifests.slice(1))
    expect(await found()).toEqual(expect.arrayContaining(["alerts in chains of manifests", "clips lost"]))
    withheld.mockRestore()
    expect(await found()).toEqual([])
  })

  test("a cloud that could open clips fails the run", { timeout: WITHIN }, async () => {
    const run = await fleet({ cameras: 2, duration: HOUR, faults: false, openEvery: 1 })
    const [first, second] = run.witnesses
    Object.defineProperty(second?.household, "owner", { value: first?.household.owner })
    const { invariants, clips } = await judgeVirtual(run)
    expect(clips.openedByOthers).toBeGreaterThan(0)
    expect(invariants.find(({ name }) => name === "clips opened by others")?.count).toBe(clips.openedByOthers)
  })

  test("a household without a camera tries too, so one camera alone is tried by somebody", {
    timeout: WITHIN,
  }, async () => {
    const run = await fleet({ cameras: 1, duration: HOUR, faults: false, openEvery: 1 })
    expect(broken(await judgeVirtual(run))).toEqual([])
    const { owner } = run.witnesses[0]?.household ?? {}
    if (!owner) throw new Error("it was not paired")
    expect(run.stranger.identity).not.toEqual(owner.identity)
    expect(broken(await judgeVirtual({ ...run, stranger: owner }))).toEqual(["clips opened by others"])
  })

  test("what was safe when the power went is not forgotten, and is as long as its camera says", {
    timeout: WITHIN,
  }, async () => {
    const run = await fleet(POWER_CUTS)
    const [other, witness] = run.witnesses
    const [clip] = witness?.recovered.keys() ?? []
    if (!other || !witness || !clip) throw new Error("no clip of camera 1 was cut")
    const judged = (changed: Partial<Witness>) =>
      judgeVirtual({ ...run, witnesses: [other, { ...witness, ...changed }] })
    const one = (segments: number, id = clip) => new Map([[id, segments]])
    expect(broken(await judgeVirtual(run))).toEqual([])

    const unlisted = "f".repeat(32)
    const gone = await judged({ cut: new Map([...witness.cut, [unlisted, 1]]) })
    expect(broken(gone)).toEqual(["clips lost"])
    const unsafe = await judged({ cut: new Map([...witness.cut, [unlisted, 0]]) })
    expect(broken(unsafe)).toEqual([])
    expect(unsafe.clips.vanished).toBe(gone.clips.vanished + 1)
    expect(broken(await judged({ cut: one(99) }))).toEqual(["clips lost"])
    expect(broken(await judged({ recovered: one(99) }))).toEqual(["clips lost"])
  })

  test.each([
    ["says that a clip was cut earlier", "segments: count }))", "segments: Math.max(1, count - 1) }))"],
    ["logs another length than it signs", "clip, segments })\n  }", "clip, segments: segments + 1 })\n  }"],
  ])("a firmware that after a power cut %s fails the run", { timeout: WITHIN }, async (_, from, to) => {
    const forgetful = await mutant<{ runVirtualFleet: typeof runVirtualFleet }>(
      "harness/virtual/virtual-fleet.ts",
      { path: "firmware/delivery/open-spool.ts", from, to },
    )
    const judgement = await judgeVirtual(await fleet(POWER_CUTS, forgetful.runVirtualFleet))
    expect(broken(judgement)).toEqual(["clips lost"])
  })

  test("time that is replaced too late is refused in words", async () => {
    const run = promisify(execFile)
    const script = join(import.meta.dirname, "late-process.ts")
    await expect(run(process.execPath, ["--import", TYPESCRIPT, script])).rejects.toMatchObject({
      stderr: expect.stringContaining("virtual time: import it first"),
    })
  })
})

function fleet(options: Partial<VirtualFleetOptions>, run = runVirtualFleet) {
  return run({ ...SMALL, ...options })
}

function broken({ invariants }: VirtualJudgement): readonly string[] {
  return invariants.filter(({ count }) => count > 0).map(({ name }) => name)
}
