import { describe, expect, test } from "vitest"
import { platformRandom } from "../../hardware/random.ts"
import { seededRandom } from "../../simulator/random.ts"

describe.each([
  ["platform", platformRandom],
  ["seeded", seededRandom(42, "contract")],
])("%s random", (_name, random) => {
  test("every draw is in [0, 1), and all of it is reached", () => {
    const draws = Array.from({ length: 20_000 }, () => random.next())
    expect(draws.every((draw) => draw >= 0 && draw < 1)).toBe(true)
    // 20 boxes of about 1,000 draws, standard deviation 31: eight of them is out of reach of luck.
    const boxes = new Array<number>(20).fill(0)
    for (const draw of draws) boxes[Math.floor(draw * 20)] = (boxes[Math.floor(draw * 20)] ?? 0) + 1
    for (const box of boxes) expect(Math.abs(box - 1_000)).toBeLessThan(250)
  })
})
