import { aligned } from "../bench/table.ts"
import { type CheckResult, holds } from "./results.ts"

/** For a terminal: each check with its tries, then what was seen. */
export function tableOf(results: readonly CheckResult[]): string {
  const rows = results.map((result) => {
    const { id, tries, violations, mutantViolations, says } = result
    const mutant = mutantViolations === null ? "-" : `${mutantViolations}`
    const verdict = holds(result) ? "" : tries === 0 ? "NOT TRIED" : "BROKEN"
    return [
      id,
      `${tries}`,
      `${violations}`,
      mutant,
      verdict,
      says.length > 70 ? `${says.slice(0, 69)}…` : says,
    ]
  })
  const seen = results
    .filter((each) => !holds(each))
    .flatMap(({ id, evidence }) => evidence.map((what) => `  ${id}  ${what}`))
  return [
    aligned([["check", "tries", "violations", "mutant", "", "what must be impossible"], ...rows]),
    ...seen,
  ].join("\n")
}
