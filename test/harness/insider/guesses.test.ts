import { describe, expect, test } from "vitest"
import { bitsIn, guessedRight, mostCommonShare } from "../../../harness/insider/guesses.ts"

const seen = (label: string, ...features: readonly number[]) => ({ label, features })

describe("what somebody learns of sizes and rhythm", () => {
  test("one size for all tells nothing, four that are as common two bits", () => {
    expect(bitsIn([])).toBe(0)
    expect(bitsIn([7, 7, 7])).toBe(0)
    expect(bitsIn([1, 2, 3, 4])).toBe(2)
  })

  test("a classifier finds what differs, and no more than the most common where nothing does", () => {
    const differing = Array.from({ length: 40 }, (_, i) =>
      seen(i % 2 ? "person" : "tree", i % 2 ? 900 + i : i),
    )
    expect(guessedRight(differing)).toBeGreaterThan(0.9)
    const alike = Array.from({ length: 40 }, (_, i) => seen(i % 4 ? "person" : "tree", 5))
    expect(guessedRight(alike)).toBeLessThanOrEqual(mostCommonShare(alike))
    expect(mostCommonShare(alike)).toBe(0.75)
  })

  test("of nothing, and of one clip, nothing is guessed", () => {
    expect([guessedRight([]), mostCommonShare([])]).toEqual([0, 0])
    expect(guessedRight([seen("person", 1)])).toBe(0)
  })
})
