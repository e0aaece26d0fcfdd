import { CHECK_IDS, type CheckId } from "../../insider/privacy-checks.ts"
import { openStreet, type Street } from "../../insider/street.ts"
import { together } from "../../insider/tallies.ts"
import { letThemTry } from "../../insider/try-all.ts"
import type { Run } from "../check.ts"

const SEED = 1

/** One for all of them. */
let street: Promise<Street> | null = null

/** All insiders who try this, one as the others. */
function runOf(check: CheckId): Run {
  return async (signal) => {
    street ??= openStreet(SEED, signal)
    const { world } = await street
    const outcomes = await letThemTry(world, { when: ["during", "after"], checks: [check] }, signal)
    const stuck = outcomes.find((each) => each.stuck !== null)
    const tally = together(outcomes)
    // Who was stopped by what somebody else has shown already has nothing to add.
    if (stuck && tally.violations === 0) throw new Error(`${stuck.insider}, ${check}: ${stuck.stuck}`)
    return tally
  }
}

export const checks = Object.fromEntries(CHECK_IDS.map((id) => [id, runOf(id)])) as Record<CheckId, Run>

/** What the street has left on the disk goes with it. */
export async function close(): Promise<void> {
  await (await street?.catch(() => null))?.close()
}
