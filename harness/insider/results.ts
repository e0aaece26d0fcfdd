import { INSIDERS } from "./all.ts"
import { CHECK_IDS, type CheckId, PRIVACY_CHECKS } from "./privacy-checks.ts"
import { together } from "./tallies.ts"
import type { Outcome } from "./try-all.ts"

/** What of a check a report tells. */
export interface CheckResult {
  readonly id: CheckId
  readonly says: string
  readonly incident: string
  /** What somebody would have got. */
  readonly asset: string
  readonly tries: number
  readonly violations: number
  /** Of the same check on this very source with its historical mistake; null: not run. */
  readonly mutantViolations: number | null
  /** Who tried. */
  readonly by: readonly { readonly insider: string; readonly tries: number; readonly violations: number }[]
  /** What was seen, or why nobody could look; a line each, nothing personal. */
  readonly evidence: readonly string[]
}

const EVIDENCE_MAX = 8

/** Of each check of which there is an outcome. */
export function resultsOf(
  outcomes: readonly Outcome[],
  mutants: ReadonlyMap<string, number> = new Map(),
): readonly CheckResult[] {
  return CHECK_IDS.filter((id) => outcomes.some(({ check }) => check === id)).map((id) => {
    const its = outcomes.filter(({ check }) => check === id)
    const sum = (of: (outcome: Outcome) => number) => its.reduce((total, each) => total + of(each), 0)
    const evidence = its.flatMap(({ insider, evidence: seen, stuck }) => [
      ...seen.map((what) => `${insider}: ${what}`),
      ...(stuck === null ? [] : [`${insider} could not look: ${stuck}`]),
    ])
    // Somebody who could not look has not shown that it holds.
    const stuck = its.some((outcome) => outcome.stuck !== null)
    const { says, incident, asset } = PRIVACY_CHECKS[id]
    return {
      ...{ id, says, incident, asset },
      tries: stuck ? 0 : sum(({ tries }) => tries),
      violations: sum(({ violations }) => violations),
      mutantViolations: mutants.get(id) ?? null,
      by: byInsider(its),
      evidence: evidence.slice(0, EVIDENCE_MAX),
    }
  })
}

/** Whoever tried several times, once. */
function byInsider(outcomes: readonly Outcome[]): CheckResult["by"] {
  return [...new Set(outcomes.map(({ insider }) => insider))].map((insider) => {
    const { tries, violations } = together(outcomes.filter((each) => each.insider === insider))
    return { insider, tries, violations }
  })
}

/** Tried, and nothing found. */
export const holds = ({ tries, violations }: Pick<CheckResult, "tries" | "violations">): boolean =>
  tries > 0 && violations === 0

/** Who they are, for a report that is read without this program. */
export const whoTries = (): readonly { readonly name: string; readonly has: string }[] =>
  INSIDERS.map(({ name, has }) => ({ name, has }))
