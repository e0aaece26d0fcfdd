import type { Check, PrivacyFindings } from "./privacy-shape.ts"

const EVIDENCE_MAX = 8

/** Of all shards: tries add up, and what one shard could not try is not tried. null: none has any. */
export function mergedPrivacy(parts: readonly (PrivacyFindings | null)[]): PrivacyFindings | null {
  const known = parts.filter((part) => part !== null)
  const [first] = known
  if (first === undefined) return null
  const ids = new Set(known.flatMap(({ checks }) => checks.map(({ id }) => id)))
  return {
    checks: [...ids].flatMap((id) =>
      mergedCheck(known.flatMap(({ checks }) => checks.filter((each) => each.id === id))),
    ),
    insiders: first.insiders,
    // A measure of one shard is as good as of all: of the largest.
    leakage: known.reduce((most, each) => (samplesOf(each) > samplesOf(most) ? each : most)).leakage,
  }
}

function mergedCheck(same: readonly Check[]): Check[] {
  const [first] = same
  if (first === undefined) return []
  const sum = (of: (check: Check) => number) => same.reduce((total, each) => total + of(each), 0)
  const insiders = new Set(same.flatMap(({ by }) => by.map(({ insider }) => insider)))
  const its = (insider: string) => same.flatMap(({ by }) => by.filter((each) => each.insider === insider))
  return [
    {
      ...first,
      tries: same.some(({ tries }) => tries === 0) ? 0 : sum(({ tries }) => tries),
      violations: sum(({ violations }) => violations),
      by: [...insiders].map((insider) => ({
        insider,
        tries: its(insider).reduce((total, { tries }) => total + tries, 0),
        violations: its(insider).reduce((total, { violations }) => total + violations, 0),
      })),
      evidence: same.flatMap(({ evidence }) => evidence).slice(0, EVIDENCE_MAX),
    },
  ]
}

const samplesOf = ({ leakage }: PrivacyFindings): number =>
  leakage.reduce((most, { samples }) => Math.max(most, samples), 0)
