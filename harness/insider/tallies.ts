import type { Tally } from "../checks/check.ts"
import { Tries } from "../checks/check.ts"

const EVIDENCE_MAX = 5

/** Several as one. */
export function together(tallies: readonly Tally[]): Tries {
  const sum = new Tries()
  for (const { tries, violations, evidence, leaked } of tallies) {
    sum.tries += tries
    sum.violations += violations
    sum.evidence.push(...evidence.slice(0, EVIDENCE_MAX - sum.evidence.length))
    sum.leaks(leaked ?? {})
  }
  return sum
}
