import { expect, test } from "vitest"
import { between, chance, pick, seededRandom } from "../../simulator/random.ts"

const draws = (...[seed, ...stream]: Parameters<typeof seededRandom>) => {
  const random = seededRandom(seed, ...stream)
  return Array.from({ length: 5 }, () => random.next())
}

test("a seed and a name repeat the stream", () => {
  expect(draws(7, "camera", 3)).toEqual(draws(7, "camera", 3))
})

test("another seed, another name or another split of the name is another stream", () => {
  const streams = [
    draws(7, "camera", 3),
    draws(8, "camera", 3),
    draws(7, "camera", 4),
    draws(7, "camera3"),
    draws(7),
  ]
  expect(new Set(streams.map((stream) => stream.join())).size).toBe(streams.length)
})

test("a stream stays what it was: recorded runs repeat with the next version", () => {
  expect(draws(1).map((draw) => draw.toFixed(6))).toMatchInlineSnapshot(`
    [
      "0.735616",
      "0.597178",
      "0.012783",
      "0.508913",
      "0.243973",
    ]
  `)
})

test("between stays between, pick picks each, chance keeps its odds", () => {
  const random = seededRandom(1)
  for (let i = 0; i < 1_000; i++) {
    const value = between(random, -2, 3)
    expect(value).toBeGreaterThanOrEqual(-2)
    expect(value).toBeLessThan(3)
  }
  expect(new Set(Array.from({ length: 100 }, () => pick(random, ["a", "b", "c"])))).toEqual(
    new Set(["a", "b", "c"]),
  )
  expect(Array.from({ length: 100 }, () => chance(random, 0))).not.toContain(true)
  expect(Array.from({ length: 100 }, () => chance(random, 1))).not.toContain(false)
})
