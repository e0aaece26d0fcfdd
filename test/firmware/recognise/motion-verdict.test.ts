import { expect, test } from "vitest"
import type { MotionKind } from "../../../firmware/recognise/motion.ts"
import { MotionVerdict } from "../../../firmware/recognise/motion-verdict.ts"
import type { Outcome } from "../../../firmware/recognise/vote.ts"
import { mutant } from "../../mutants.ts"

/** One look a second from the wake on; what is said of it all at the end. */
function said(
  looks: readonly MotionKind[],
  share = 0.02,
  kind: typeof MotionVerdict = MotionVerdict,
): Outcome | null {
  const verdict = new kind(0)
  let outcome: Outcome | null = null
  for (const [second, each] of looks.entries())
    outcome ??= verdict.add({ kind: each, share, regions: [] }, second * 1_000)
  return outcome ?? verdict.conclude()
}

const kept = { keep: true, label: null }
const dropped = { keep: false }

test("without a model, what moves as a body is kept at once", () => {
  expect(said(["unsure", "moving"])).toEqual(kept)
  expect(said(["sway", "sway", "unsure", "moving"])).toEqual(kept)
})

test("what is surely nobody is dropped, after three looks and two seconds, or two looks at the end", () => {
  expect(said(["sway", "still", "sway"])).toEqual(dropped)
  expect(said(["unsure", "sway", "sway", "sway"])).toEqual(dropped)
  expect(said(["unsure", "sway", "sway"])).toEqual(dropped)
  expect(said(["sway", "sway"])).toBeNull()
  expect(said(["sway", "sway", "unsure"])).toBeNull()
})

test.each<readonly [string, readonly MotionKind[], number]>([
  ["the light changed everywhere, as it does when a car comes near", ["light", "sway", "sway", "sway"], 0.02],
  ["it was dark", ["dark", "still", "still", "still"], 0],
  ["too little was seen before", ["settling", "settling", "settling"], 0],
  ["much of the picture is not as it was, however restless it is", ["sway", "sway", "sway", "sway"], 0.2],
])("an event in which %s is never dropped by motion alone", async (_what, looks, share) => {
  expect(said(looks, share)).toBeNull()
})

test("a verdict that forgets what it could not see is found out", async () => {
  const { MotionVerdict: forgetful } = await mutant<
    typeof import("../../../firmware/recognise/motion-verdict.ts")
  >("firmware/recognise/motion-verdict.ts", {
    path: "firmware/recognise/motion-verdict.ts",
    from: "!this.#unseen && ",
    to: "",
  })
  expect(said(["light", "sway", "sway", "sway"], 0.02, forgetful)).toEqual(dropped)
})
