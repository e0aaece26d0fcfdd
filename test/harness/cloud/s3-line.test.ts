import { expect, test } from "vitest"
import { Line } from "../../../harness/cloud/s3-line.ts"
import { type Mistake, mutant } from "../../mutants.ts"

const AT_ONCE = 3

/** Of seven jobs the second and the fifth fail; those that end do so in turn. The most that ran at once, and their order. */
async function sevenJobs(TheLine: typeof Line): Promise<{ most: number; begun: number[]; failed: number }> {
  const line = new TheLine(AT_ONCE)
  const begun: number[] = []
  const ends: (() => void)[] = []
  let most = 0
  let running = 0
  const jobs = Array.from({ length: 7 }, (_, n) =>
    line.run(async () => {
      begun.push(n)
      most = Math.max(most, ++running)
      await new Promise<void>((end) => ends.push(end))
      running--
      if (n % 3 === 1) throw new Error("failed")
    }),
  )
  const settled = Promise.allSettled(jobs)
  for (let turn = 0; turn < 20; turn++) {
    ends.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  if (begun.length < jobs.length) return { most, begun, failed: Number.NaN }
  return { most, begun, failed: (await settled).filter(({ status }) => status === "rejected").length }
}

test("no more than so many run at once, first come first served, and one that fails gives its turn to the next", async () => {
  expect(await sevenJobs(Line)).toEqual({ most: AT_ONCE, begun: [0, 1, 2, 3, 4, 5, 6], failed: 2 })
  const path = "harness/cloud/s3-line.ts"
  const mistakes: readonly Mistake[] = [
    { path, from: "if (next) next()", to: "if (next) void next" },
    { path, from: "this.#free > 0", to: "this.#free > -9" },
    { path, from: "this.#waiting.shift()", to: "this.#waiting.pop()" },
  ]
  for (const mistake of mistakes) {
    const { Line: Wrong } = await mutant<{ Line: typeof Line }>(path, mistake)
    expect(await sevenJobs(Wrong)).not.toEqual(await sevenJobs(Line))
  }
})
