import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, test } from "vitest"
import { loadPlan } from "../../../harness/load/plan.ts"
import { modelFor } from "../../../harness/recognise/camera-eyes.ts"
import { checkVirtual } from "../../../harness/virtual/scenario-acts.ts"
import { planOf } from "./small-run.ts"

const plan = planOf({ fleet: { cameras: 2, eyes: "model" }, seconds: 10 }, 5)

test("a fleet that looks by a model has it in its cameras' processes; to all others the same comes by", async () => {
  const parts = {
    decoder: { decode: () => Promise.reject(new Error("nothing to see")) },
    detector: { detect: async () => [] },
  }
  const cameras = await loadPlan(plan, parts)
  const others = await loadPlan(plan)
  expect([cameras.camera(1).sight?.eyes, others.camera(1).sight?.eyes]).toEqual([parts, "none"])
  expect(cameras.scriptOf(1)).toEqual(others.scriptOf(1))
})

test("virtual time, in which nobody can think, refuses it", () => {
  expect(() => checkVirtual(plan.scenario, "mine")).toThrow(/virtual time has no .*eyes "model"/)
})

test("without a model it is refused before anything runs, with what to do", async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), "obscura-no-model-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  await expect(modelFor(folder, null)).rejects.toMatchObject({
    ...{ kind: "usage", message: expect.stringContaining("obscura model install FILE") },
  })
  await expect(modelFor(folder, "mine")).rejects.toMatchObject({
    ...{ kind: "usage", message: "model mine: neither installed (none) nor a file" },
  })
})
