import fc from "fast-check"
import { expect, test } from "vitest"
import { RangeSet } from "../../../harness/cloud/range-set.ts"
import { mutant } from "../../mutants.ts"

const PATH = "harness/cloud/range-set.ts"
const UPPER = 60

/** Whatever ranges are added, in whatever order, the set holds their numbers and no others. */
function holdsWhatWasAdded(Ranges: typeof RangeSet): void {
  const range = fc.tuple(fc.nat(UPPER), fc.nat(8)).map(([from, more]) => ({ from, to: from + more }))
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), (ranges) => {
      const set = new Ranges()
      const numbers = new Set<number>()
      for (const each of ranges) {
        set.add(each)
        for (let value = each.from; value <= each.to; value++) numbers.add(value)
        for (let value = -1; value <= UPPER + 10; value++) expect(set.has(value)).toBe(numbers.has(value))
      }
    }),
  )
}

test("a range set holds the numbers of its ranges and no others, in whatever order they came", () => {
  holdsWhatWasAdded(RangeSet)
})

test.each([
  ["forgets the longer of two that overlap", "Math.max(merged.to, next.to)", "next.to"],
  ["forgets where the first began", "Math.min(merged.from, next.from)", "merged.from"],
  ["takes a gap of one for none", "next.from <= to + 1", "next.from <= to + 2"],
  ["takes what lies before a range for its own", "range.from <= value", "range.from <= value + 1"],
  [
    "searches one too far",
    "(this.#ranges[middle]?.to ?? 0) < value",
    "(this.#ranges[middle]?.to ?? 0) <= value",
  ],
])("a range set that %s is found out", async (_what, from, to) => {
  const { RangeSet: Mutant } = await mutant<{ RangeSet: typeof RangeSet }>(PATH, { path: PATH, from, to })
  expect(() => holdsWhatWasAdded(Mutant)).toThrow()
})
