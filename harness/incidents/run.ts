import type { Check } from "../checks/check.ts"
import { CHECKS } from "../checks/list.ts"
import type { Mistake } from "../unsafe/mistake.ts"
import { MISTAKES } from "../unsafe/mistakes/list.ts"
import { type Progress, type Result, type Row, resultOf, rowsOf } from "../unsafe/rows.ts"
import { runChecks } from "../unsafe/run-mistaken.ts"
import type { Incident } from "./incident.ts"

/** One check of an incident, on the system as it is or with one mistake in its source. */
export interface Tried {
  readonly check: string
  readonly says: string
  readonly mistake: Pick<Mistake, "id" | "says" | "patches"> | null
  readonly result: Result
}

export interface IncidentRun {
  readonly incident: Incident
  /** With the mistakes of history. */
  readonly unsafe: boolean
  readonly tried: readonly Tried[]
}

const RULE = "Privacy"
/** A process of these is waiting most of its time. */
const AT_ONCE = 4
const SILENT: Result = { stuck: "it said nothing" }

/** The checks of an incident in one process; with `unsafe` each of its mistakes in a process of its own. */
export async function runIncident(incident: Incident, unsafe: boolean): Promise<IncidentRun> {
  if (!unsafe) {
    const outcomes = await runChecks(RULE, incident.checks, null)
    return runFrom(incident, false, ({ check }) => resultOf(outcomes.get(check)))
  }
  const results = new Map<string, Result>()
  await Promise.all(
    mistakesOf(incident).map(async (mistake) => {
      const outcomes = await runChecks(RULE, [mistake.check], mistake)
      results.set(mistake.id, resultOf(outcomes.get(mistake.check)))
    }),
  )
  return runFrom(incident, true, ({ mistake }) => results.get(mistake?.id ?? "") ?? SILENT)
}

/** Every incident both ways: all checks as they are in one process, and each mistake in one of its own. */
export async function runAll(
  incidents: readonly Incident[],
  onProgress?: (progress: Progress) => void,
): Promise<readonly IncidentRun[]> {
  const ids = new Set<string>(incidents.flatMap(({ checks }) => checks))
  const checks: readonly Check[] = CHECKS.filter(({ id, rule }) => rule === RULE && ids.has(id))
  const mistakes = [...new Set(incidents.flatMap(mistakesOf))]
  return runsFrom(incidents, await rowsOf(checks, mistakes, onProgress, AT_ONCE))
}

/** Every incident both ways, from rows of `obscura mutants`, where the same checks have run. */
export function runsFrom(
  incidents: readonly Incident[],
  rows: readonly Pick<Row, "check" | "safe" | "mistake" | "unsafe">[],
): readonly IncidentRun[] {
  return incidents.flatMap((incident) => [
    runFrom(incident, false, ({ check }) => rows.find((row) => row.check === check)?.safe ?? SILENT),
    runFrom(
      incident,
      true,
      ({ mistake }) => rows.find((row) => row.mistake?.id === mistake?.id)?.unsafe ?? SILENT,
    ),
  ])
}

function runFrom(
  incident: Incident,
  unsafe: boolean,
  found: (trying: Pick<Tried, "check" | "mistake">) => Result,
): IncidentRun {
  const trials: readonly Pick<Tried, "check" | "mistake">[] = unsafe
    ? mistakesOf(incident).map((mistake) => ({ check: mistake.check, mistake }))
    : incident.checks.map((check) => ({ check, mistake: null }))
  const tried = trials.map(({ check, mistake }) => ({
    ...{ check, mistake, says: saysOf(check) },
    result: found({ check, mistake }),
  }))
  return { incident, unsafe, tried }
}

function saysOf(check: string): string {
  return CHECKS.find(({ id }) => id === check)?.says ?? ""
}

/** @throws Error: the story names a mistake that there is not. */
function mistakesOf({ name, mistakes }: Incident): readonly Mistake[] {
  return mistakes.map((id) => {
    const mistake = MISTAKES.find((each) => each.id === id)
    if (!mistake) throw new Error(`${name}: there is no mistake ${id}`)
    return mistake
  })
}
