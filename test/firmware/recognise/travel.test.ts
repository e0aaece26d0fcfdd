import { expect, test } from "vitest"
import type { Box } from "../../../firmware/ports.ts"
import { inPlace } from "../../../firmware/recognise/count.ts"
import { kindOf, labelOf } from "../../../firmware/recognise/model/coco.ts"
import { recogniseShape } from "../../../firmware/recognise/settings.ts"
import { Travel } from "../../../firmware/recognise/travel.ts"
import { Vote } from "../../../firmware/recognise/vote.ts"

const settings = recogniseShape.parse({})
const thing = (left: number, top: number, score = 0.9): Box => ({
  ...{ label: "vehicle", thing: true, score },
  ...{ left, top, right: left + 0.2, bottom: top + 0.2 },
})
const vehicles = (boxes: readonly Box[]) =>
  inPlace(boxes, settings).filter(({ label }) => label === "vehicle")

/** What counts as a vehicle in each look, in that look and, with hindsight, in the one before. */
function told(...looks: (readonly Box[])[]): readonly (readonly [now: number, earlier: number])[] {
  const travel = new Travel(0.4)
  return looks.map((boxes) => {
    const seen = travel.look(boxes)
    return [vehicles(seen.boxes).length, vehicles(seen.earlier).length]
  })
}

test("a lifeless thing that travels is a vehicle, in both looks that show it", () => {
  expect(told([], [thing(0.4, 0.2)], [thing(0.4, 0.5)])).toEqual([
    [0, 0],
    [0, 0],
    [1, 1],
  ])
})

test("furniture is none: it stays, trembles, or is seen now and then", () => {
  expect(told([thing(0, 0)], [thing(0.01, 0)], [thing(0, 0.02)]).flat()).toEqual([0, 0, 0, 0, 0, 0])
  const [sofa, lamp] = [thing(0, 0), thing(0.7, 0.7)]
  expect(told([sofa, lamp], [sofa], [sofa, lamp]).flat()).toEqual([0, 0, 0, 0, 0, 0])
  expect(told([{ ...lamp, score: 0.2 }], [sofa], [lamp]).flat()).toEqual([0, 0, 0, 0, 0, 0])
})

test("what is half seen, or changes its size, has not travelled", () => {
  expect(told([thing(0.4, 0.2, 0.3)], [thing(0.4, 0.5)]).flat()).toEqual([0, 0, 0, 0])
  const small = { ...thing(0.4, 0.5), right: 0.45, bottom: 0.55 }
  expect(told([thing(0.1, 0.1)], [small]).flat()).toEqual([0, 0, 0, 0])
})

test("of things only those are looked for that nobody wears, carries or throws", () => {
  expect([0, 2, 16, 26, 67].map((id) => [labelOf(id), kindOf(id)])).toEqual([
    ["person", { label: "person" }],
    ["vehicle", { label: "vehicle" }],
    ["animal", { label: "animal" }],
    [null, null],
    [null, { label: "vehicle", thing: true }],
  ])
})

test("a vote hears what the next look tells of the one before, and does not drop while one is awaited", () => {
  const none = { person: 0, animal: 0, vehicle: 0 }
  const vote = new Vote(settings)
  expect(vote.add(none)).toBeNull()
  expect(vote.add(none)).toBeNull()
  expect(vote.add(none, none, true)).toBeNull()
  const car = { ...none, vehicle: 0.9 }
  expect(vote.add(car, car)).toEqual({ keep: true, label: "vehicle" })
})
