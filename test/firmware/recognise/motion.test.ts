import { describe, expect, test } from "vitest"
import { Motion, type MotionKind } from "../../../firmware/recognise/motion.ts"
import { loadScene, type SceneName } from "../../../simulator/footage.ts"

/** What is said of the key frames from `first` on, after `before` that came before them; the loop goes round. */
async function kinds(scene: SceneName, first: number, before: number, count: number): Promise<MotionKind[]> {
  const { pictures } = await loadScene(scene)
  const motion = new Motion()
  const said: MotionKind[] = []
  for (let second = first - before; second < first + count; second++) {
    const picture = pictures[(second + pictures.length) % pictures.length]
    if (!picture) throw new Error("no picture")
    said.push(motion.look({ ...picture, at: 100_000 + second * 1_000 }).kind)
  }
  return said.slice(before)
}

/** Grey, with a square of another brightness; noise of a few levels, the same for the same seed. */
function drawn(at: number, square: { x: number; y: number; luma: number } | null, level = 90) {
  const [width, height] = [160, 90]
  const luma = new Uint8Array(width * height)
  for (let i = 0; i < luma.length; i++) luma[i] = level + ((i * 7919 + at * 104_729) % 7) - 3
  for (let y = 0; square && y < 24; y++)
    for (let x = 0; x < 10; x++) luma[(square.y + y) * width + square.x + x] = square.luma
  return { at, width, height, luma }
}

describe("what moves, by the difference to a background", () => {
  test.each([
    ["day-person", 3],
    ["night-infrared-person", 3],
    ["day-car", 4],
    ["day-dog", 4],
    ["night-cat", 3],
  ] as const)("%s: a visitor moves, and is not leaves", async (scene, first) => {
    expect(await kinds(scene, first, 3, 3)).toContain("moving")
  })

  test.each(["windy-tree", "windy-night", "quiet-day"] as const)(
    "%s: nobody moves, once it was seen for ten seconds, whenever that was",
    async (scene) => {
      for (let first = 0; first < 10; first++)
        expect((await kinds(scene, first, 10, 5)).filter((kind) => kind === "moving")).toEqual([])
    },
  )

  test("headlights that sweep over everything are light, and when they are gone nobody was there", async () => {
    const said = await kinds("rain-night", 2, 5, 7)
    expect(said[0]).toMatch(/still|sway/)
    expect(said).toContain("light")
    expect(said).not.toContain("moving")
  })

  test("noise is nothing, whatever its seed", () => {
    const motion = new Motion()
    const said = Array.from({ length: 20 }, (_, second) => motion.look(drawn(second * 1_000, null)).kind)
    expect(new Set(said.slice(2))).toEqual(new Set(["still"]))
  })

  test("a body is new at first, moving once it is there again, and where it is", () => {
    const motion = new Motion()
    for (let second = 0; second < 5; second++) motion.look(drawn(second * 1_000, null))
    expect(motion.look(drawn(5_000, { x: 10, y: 40, luma: 150 })).kind).toBe("unsure")
    const seen = motion.look(drawn(6_000, { x: 30, y: 42, luma: 150 }))
    expect(seen.kind).toBe("moving")
    expect(seen.regions[0]?.left).toBeCloseTo(30 / 160, 1)
    expect(seen.regions[0]?.bottom).toBeCloseTo(66 / 90, 1)
  })

  test("somebody who stands still is not forgotten within the time of a verdict", () => {
    const motion = new Motion()
    for (let second = 0; second < 5; second++) motion.look(drawn(second * 1_000, null))
    for (let second = 5; second < 12; second++)
      expect(motion.look(drawn(second * 1_000, { x: 80, y: 30, luma: 40 })).kind).toMatch(/unsure|moving/)
  })

  test("in the dark it says that it cannot see", () => {
    const motion = new Motion()
    for (let second = 0; second < 5; second++) motion.look(drawn(second * 1_000, null, 20))
    expect(motion.look(drawn(6_000, null, 20)).kind).toBe("dark")
  })

  test("light that stays is the light from now on", () => {
    const motion = new Motion()
    for (let second = 0; second < 5; second++) motion.look(drawn(second * 1_000, null))
    const said = Array.from({ length: 12 }, (_, i) => motion.look(drawn(5_000 + i * 1_000, null, 180)).kind)
    expect(said[0]).toBe("light")
    expect(said.at(-1)).toBe("still")
  })

  test.each([
    [1, 1],
    [1, 500],
    [1_280, 2],
    [65, 37],
  ])("a picture of %i x %i is looked at like any other", (width, height) => {
    const motion = new Motion()
    const luma = new Uint8Array(width * height).fill(120)
    const said = [0, 1, 2, 3].map((second) => motion.look({ at: second * 1_000, width, height, luma }).kind)
    expect(said).toEqual(["settling", "settling", "still", "still"])
  })

  test("another size, a long pause or a clock that fell begins the background anew", () => {
    const motion = new Motion()
    for (let second = 0; second < 5; second++) motion.look(drawn(second * 1_000, null))
    expect(motion.look(drawn(100_000, null)).kind).toBe("settling")
    const small = { at: 101_000, width: 8, height: 8, luma: new Uint8Array(64).fill(90) }
    expect(motion.look(small).kind).toBe("settling")
    expect(motion.look({ ...small, at: 3 }).kind).toBe("settling")
  })
})
