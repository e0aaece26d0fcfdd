import { describe, expect, test } from "vitest"
import { parseConfig } from "../../firmware/config.ts"
import { bothEyes } from "../../harness/load/both-eyes.ts"
import { differenceLine, differencesCsv } from "../../harness/load/look-through.ts"
import { parseScenario } from "../../harness/scenario/load-scenario.ts"
import { loadScene } from "../../simulator/footage.ts"
import { differences, type SeenPicture, seenDetector } from "../../simulator/seen.ts"

const forever = new AbortController().signal
const frame = (at: number) => ({ at, width: 1, height: 1, luma: new Uint8Array(1) })
const box = (label: "person" | "animal", score: number) => ({
  label,
  score,
  left: 0,
  top: 0,
  right: 1,
  bottom: 1,
})
const { minScore } = parseConfig().recognise

/** What a model says that takes every dog for a person, and is not sure of it in second 4. */
const SAID: readonly SeenPicture[] = Array.from({ length: 10 }, (_, time) => ({
  time,
  boxes: time < 2 ? [] : [box("person", time === 4 ? 0.3 : 0.9)],
}))

describe("what a model said of a footage beforehand", () => {
  test("is what its detector says of the key frame that a camera saw", async () => {
    const detector = seenDetector(SAID, (at) => at / 1_000)
    expect(await detector.detect(frame(1_900), forever)).toEqual([])
    expect(await detector.detect(frame(4_900), forever)).toEqual([box("person", 0.3)])
    expect(await seenDetector([], () => 3).detect(frame(0), forever)).toEqual([])
  })

  test("is compared with the footage's truth, key frame by key frame", async () => {
    const found = differences(await loadScene("day-dog"), SAID, minScore)
    expect(found.map(({ time, truth, model }) => [time, truth, model])).toEqual([
      [2, [], ["person"]],
      [3, ["animal"], ["person"]],
      [4, ["animal"], []],
      [5, ["animal"], ["person"]],
      [6, ["animal"], ["person"]],
      [7, [], ["person"]],
      [8, [], ["person"]],
      [9, [], ["person"]],
    ])
    const right = Array.from({ length: 10 }, (_, time) => ({
      time,
      boxes: time >= 3 && time <= 6 ? [box("animal", 0.5)] : [],
    }))
    expect(differences(await loadScene("day-dog"), right, minScore)).toEqual([])
  })

  test("is told in a table, and in words", () => {
    const one = { scene: "day-dog", time: 3, truth: ["animal"], model: ["animal", "person"] } as const
    expect(differenceLine(one)).toBe("day-dog at 3 s: animal there, and the model says animal and person")
    expect(differencesCsv([one, { ...one, truth: [], model: [] }])).toBe(
      "scene,time,truth,model\nday-dog,3.000,animal,animal and person\nday-dog,3.000,nobody,nobody\n",
    )
  })

  test("is not asked of a film, which has no truth, nor where nobody wants both", async () => {
    const scenario = (fleet: object) => parseScenario({ description: "mine", fleet }, "mine")
    const film = scenario({ eyes: "both", model: "model.onnx", scene: "film.mp4" })
    await expect(bothEyes(film, 1)).rejects.toThrow(/a film has none/)
    expect(await bothEyes(scenario({ eyes: "truth" }), 1)).toBeNull()
  })
})
