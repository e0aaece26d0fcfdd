import { describe, expect, test } from "vitest"
import { type Mistake, mutant } from "../../mutants.ts"
import * as rigs from "./rig.ts"

export type Rigs = Pick<typeof rigs, "LiveRig" | "LiveSession" | "newKey">

/**
 * The promise holds; and of a camera with any of these mistakes the same check finds that it does not. Mistakes that
 * `obscura mutants` makes are not made here again.
 */
export function promise(
  name: string,
  check: (rigs: Rigs) => Promise<void>,
  mistakes: Readonly<Record<string, Mistake>> = {},
): void {
  describe(name, () => {
    test("holds", () => check(rigs))
    test.each(Object.entries(mistakes))("a camera that %s is found out", async (_what, mistake) => {
      const bent = await mutant<Rigs>("test/firmware/live/rig.ts", mistake)
      await expect(check(bent)).rejects.toMatchObject({ name: "AssertionError" })
    })
  })
}
