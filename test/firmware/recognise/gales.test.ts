import { expect, test } from "vitest"
import { gridOf } from "../../../firmware/recognise/grid.ts"
import { Motion } from "../../../firmware/recognise/motion.ts"
import { MotionVerdict } from "../../../firmware/recognise/motion-verdict.ts"
import type { Outcome } from "../../../firmware/recognise/vote.ts"
import { Scene, scripts } from "../../../simulator/scene/scenes.ts"

const [WIDTH, HEIGHT, SECONDS, BEFORE, EVENT] = [320, 180, 40, 5, 5]

/** A gale that no footage shows: another tree, and moments that never come again. One picture a second, small. */
function gale(name: string, seed: number): readonly Uint8Array[] {
  const script = scripts.find((each) => each.name === name)
  if (!script) throw new Error(`no script ${name}`)
  const scene = new Scene(script, { width: WIDTH, height: HEIGHT, seed })
  return Array.from({ length: SECONDS }, (_, second) => {
    const luma = scene.frame(second * 15.37 + seed * 3.3).subarray(0, WIDTH * HEIGHT)
    return Uint8Array.from(gridOf({ at: 0, width: WIDTH, height: HEIGHT, luma }).cells, Math.round)
  })
}

/** The verdict on an event at `from`, seen with the pictures before it. */
function judged(pictures: readonly Uint8Array[], from: number, motion: Motion): Outcome | null {
  const verdict = new MotionVerdict(from * 1_000)
  let outcome: Outcome | null = null
  for (let second = from - BEFORE; second < from + EVENT; second++) {
    const luma = pictures[second] ?? new Uint8Array()
    const seen = motion.look({ at: second * 1_000, width: 64, height: 36, luma })
    if (second >= from) outcome ??= verdict.add(seen, second * 1_000)
  }
  return outcome ?? verdict.conclude()
}

test("gales that were never seen before are dropped without a model, once the camera has learnt where its tree is", () => {
  const kept: string[] = []
  for (const [name, seed] of [
    ["windy-night", 21],
    ["windy-tree", 22],
  ] as const) {
    const pictures = gale(name, seed)
    const motion = new Motion()
    for (let from = BEFORE; from + EVENT <= SECONDS; from += 10)
      if (judged(pictures, from, motion)?.keep !== false) kept.push(`${name} ${seed} at ${from} s`)
  }
  expect(kept).toEqual([])
})
