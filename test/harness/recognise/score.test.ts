import { describe, expect, test } from "vitest"
import type { Label } from "../../../firmware/ports.ts"
import type * as score from "../../../harness/recognise/score.ts"
import {
  matchEvents,
  precisionOf,
  recallOf,
  scorePresence,
  sumOf,
  timeWithout,
} from "../../../harness/recognise/score.ts"
import { mutant } from "../../mutants.ts"

const event = (start: number, end: number, label: Label = "person") => ({ start, end, label })

describe("events are matched with the truth", () => {
  test("within a second at both ends, and not beyond", () => {
    expect(matchEvents([event(5, 20.9)], [event(6, 20)]).tallies.person).toEqual({
      right: 1,
      invented: 0,
      missed: 0,
    })
    expect(matchEvents([event(4.9, 20)], [event(6, 20)]).tallies.person).toEqual({
      right: 0,
      invented: 1,
      missed: 1,
    })
    expect(matchEvents([event(6, 21.1)], [event(6, 20)]).tallies.person).toEqual({
      right: 0,
      invented: 1,
      missed: 1,
    })
  })

  test("one to one: an event told twice is invented once, two that are told as one are missed once", () => {
    expect(matchEvents([event(1, 3), event(1.5, 3.5)], [event(1, 3)]).tallies.person).toEqual({
      right: 1,
      invented: 1,
      missed: 0,
    })
    expect(matchEvents([event(1, 3)], [event(1, 3), event(1.2, 3)]).tallies.person).toEqual({
      right: 1,
      invented: 0,
      missed: 1,
    })
  })

  test("nobody is lost: what is found and what is missed are all that was there", async () => {
    const lost = (from: Pick<typeof score, "matchEvents">) => {
      const truth = [event(1, 3), event(5, 9), event(20, 22)]
      const { right, missed } = from.matchEvents([event(1, 3), event(5, 15)], truth).tallies.person
      return truth.length - right - missed
    }
    expect(lost({ matchEvents })).toBe(0)
    const forgetful = await mutant<typeof score>("harness/recognise/score.ts", {
      path: "harness/recognise/score.ts",
      from: "missed: ours.filter((match) => match === null).length",
      to: "missed: 0",
    })
    expect(lost(forgetful)).toBeGreaterThan(0)
  })

  test("another label is no match", () => {
    const { tallies, found, truth } = matchEvents([event(1, 3, "animal")], [event(1, 3)])
    expect([tallies.animal.invented, tallies.person.missed]).toEqual([1, 1])
    expect([found, truth]).toEqual([[null], [null]])
  })
})

test("a picture counts once for each label, and what its truth ignores counts for nothing", () => {
  const tallies = scorePresence(new Set(["person", "vehicle"]), {
    labels: new Set(["person", "animal"]),
    ignore: new Set(["vehicle"]),
  })
  expect(tallies.person).toEqual({ right: 1, invented: 0, missed: 0 })
  expect(tallies.animal).toEqual({ right: 0, invented: 0, missed: 1 })
  expect(tallies.vehicle).toEqual({ right: 0, invented: 0, missed: 0 })
  expect(sumOf([tallies, tallies]).animal.missed).toBe(2)
})

test("nothing found has no precision and nothing there has no recall, rather than a perfect one", () => {
  expect(precisionOf({ right: 0, invented: 0, missed: 3 })).toBeNull()
  expect(recallOf({ right: 0, invented: 2, missed: 0 })).toBeNull()
  expect(precisionOf({ right: 3, invented: 1, missed: 0 })).toBe(0.75)
})

test("the time without a person leaves out each stretch with one, overlapping or beyond the end, once", () => {
  expect(timeWithout("person", [event(2, 5), event(4, 6), event(9, 20), event(0, 1, "animal")], 10)).toBe(5)
})
