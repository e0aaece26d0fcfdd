import { describe, expect, test } from "vitest"
import type { LogLine } from "../../../firmware/log.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { isToBeExpected, SETTLES_WITHIN, sawItsMotion, struckBy } from "../../../harness/load/struck.ts"
import type { ScenarioFault } from "../../../harness/scenario/faults-shape.ts"
import { CameraTally } from "../../../simulator/tally.ts"
import { mutant } from "../../mutants.ts"

/** In the twentieth minute, camera 3's disk is full for ten seconds, and its lens dies for twenty. */
const FULL: ScenarioFault = { kind: "disk-full", at: 1_200, for: 10, share: 1 }
const DEAD: ScenarioFault = { kind: "lens-dies", at: 1_200, for: 20, share: 1 }
const [BEGINS, ENDS] = [seconds(1_200), seconds(1_210)]

function blowsOf(...faults: readonly ScenarioFault[]) {
  return struckBy(faults.map((fault) => ({ fault, cameras: [3] })))(3)
}

function lost(reason: string): LogLine {
  return { event: "clip lost", clip: "0".repeat(32), reason }
}

describe("a camera that was struck", () => {
  test("is only forgiven what its own faults explain", () => {
    const expects = (complaint: string, ...faults: ScenarioFault[]) =>
      isToBeExpected(complaint, seconds(1_201), blowsOf(...faults))
    expect(expects("clip lost: no room", FULL)).toBe(true)
    expect(expects("clip lost: no room", DEAD)).toBe(false)
    expect(expects("clip lost: no room", DEAD, FULL)).toBe(true)
    expect(expects("media skipped: malformed slice", { ...FULL, kind: "lens-splits" })).toBe(false)
    expect(struckBy([{ fault: FULL, cameras: [3] }])(4)).toEqual([])
  })

  test("is forgiven from when it is struck until what the fault left has settled, and no longer", () => {
    const expects = (at: Milliseconds) => isToBeExpected("clip lost: no room", at, blowsOf(FULL))
    expect(expects(BEGINS - 1)).toBe(false)
    expect(expects(BEGINS)).toBe(true)
    expect(expects(ENDS + SETTLES_WITHIN)).toBe(true)
    expect(expects(ENDS + SETTLES_WITHIN + 1)).toBe(false)
  })

  test("whose lens was gone is forgiven until it has asked for it again", () => {
    const [blow] = blowsOf(DEAD)
    expect(blow?.until).toBe(seconds(1_220) + seconds(20) + SETTLES_WITHIN)
    const [longer] = blowsOf({ ...DEAD, for: 3_600 })
    expect(longer?.until).toBe(seconds(1_200 + 3_600) + seconds(60) + SETTLES_WITHIN)
  })

  test("must show what moved before and long after", () => {
    const saw = (openedAt: Milliseconds, endedAt: Milliseconds | null) =>
      sawItsMotion({ openedAt, endedAt }, blowsOf(FULL))
    expect(saw(BEGINS - seconds(20), BEGINS - 1)).toBe(true)
    expect(saw(BEGINS - seconds(20), BEGINS)).toBe(false)
    expect(saw(BEGINS - seconds(20), null)).toBe(false)
    expect(saw(ENDS + SETTLES_WITHIN, ENDS + seconds(60))).toBe(false)
    expect(saw(ENDS + SETTLES_WITHIN + 1, ENDS + seconds(60))).toBe(true)
    const cut: ScenarioFault = { kind: "cut", at: 1_200, share: 1 }
    expect(sawItsMotion({ openedAt: BEGINS, endedAt: ENDS }, blowsOf(cut))).toBe(true)
  })

  test("cannot hide a complaint behind hundreds that a fault explains", () => {
    const blows = blowsOf(FULL)
    const tally = new CameraTally({}, (complaint, at) => isToBeExpected(complaint, at, blows))
    const now = (at: Milliseconds) => {
      tally.begun = performance.now() - at
    }
    now(seconds(1_205))
    for (let times = 0; times < 500; times++) tally.note(lost("no room"), 0)
    expect([tally.complaints.told, tally.complaints.more]).toEqual([[], 0])
    tally.note({ event: "receipt refused", reason: "not the cloud's" }, 0)
    now(seconds(1_900))
    for (let times = 0; times < 30; times++) tally.note(lost("no room"), 0)
    expect(tally.complaints.told).toHaveLength(20)
    expect(tally.complaints.told.slice(0, 2)).toEqual([
      "receipt refused: not the cloud's",
      "clip lost: no room",
    ])
    expect(tally.complaints.more).toBe(11)
  })

  test.each([
    ["for the rest of the run", "until: end + again + SETTLES_WITHIN", "until: Number.POSITIVE_INFINITY"],
    ["from the beginning of the run", "return { kind, from, until", "return { kind, from: 0, until"],
  ])("would be forgiven %s by a judge with that mistake", async (_, from, to) => {
    const mistaken = await mutant<typeof import("../../../harness/load/struck.ts")>(
      "harness/load/struck.ts",
      { path: "harness/load/struck.ts", from, to },
    )
    const blows = mistaken.struckBy([{ fault: FULL, cameras: [3] }])(3)
    const [before, after] = [BEGINS - 1, ENDS + SETTLES_WITHIN + 1]
    expect([before, after].some((at) => isToBeExpected("clip lost: no room", at, blows))).toBe(true)
  })
})
