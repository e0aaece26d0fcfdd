import { aligned } from "../bench/table.ts"
import type { Incident } from "./incident.ts"
import type { IncidentRun, Tried } from "./run.ts"
import { COUNTED, isRight, leakOf, seenIn, spokenLeak, spokenVerdict, verdictOf } from "./verdict.ts"

/** What an incident's run says on a terminal, and the table of all of them. */

const COLUMNS = 96

export function textOf(run: IncidentRun): string {
  const { incident, unsafe, tried } = run
  const { name, title, year, happened, source, wrong, scenario } = incident
  return [
    `${name}: ${title} (${year})`,
    "",
    ...happened.flatMap((each) => wrapped(each)),
    ...wrapped(`Source: ${source}.`),
    "",
    ...wrapped(`What was wrong: ${wrong}`),
    "",
    ...wrapped(`Here: ${scenario}`),
    ...(unsafe ? ["", "With what was wrong made again, a change of the source at a time:"] : []),
    "",
    aligned([["", "violations", unsafe ? "mistake" : "must be impossible"], ...tried.map(rowOf)]),
    ...tried.flatMap((each) => seenIn(each).map((seen) => `  ${each.check}  ${seen}`)),
    "",
    spokenVerdict(run),
    ...(verdictOf(run) === "broke" ? wrapped(COUNTED) : []),
  ].join("\n")
}

function rowOf({ check, says, mistake, result }: Tried): readonly string[] {
  const counted = "stuck" in result ? "could not look" : `${result.violations} of ${result.tries}`
  return [check, counted, mistake?.says ?? says]
}

/** A line an incident. */
export function tableOfAll(runs: readonly IncidentRun[]): string {
  const rows = [...new Set(runs.map(({ incident }) => incident))].map((incident) => {
    const its = runs.filter((run) => run.incident === incident)
    const [safe, bent] = [its.find(({ unsafe }) => !unsafe), its.find(({ unsafe }) => unsafe)]
    return [
      incident.name,
      safe ? verdictOf(safe) : "",
      bent ? verdictOf(bent) : "",
      bent ? spokenLeak(leakOf(bent)) : "",
      incident.checks.join(" "),
      its.every(isRight) ? "" : "WRONG",
    ]
  })
  const table = aligned([["incident", "as it is", "with its mistakes", "leaked then", "checks", ""], ...rows])
  const seen = runs.filter((run) => !isRight(run)).flatMap((run) => ["", textOf(run)])
  return [table, ...seen].join("\n")
}

export function listOf(incidents: readonly Incident[]): string {
  return aligned(incidents.map(({ name, year, title, checks }) => [name, year, title, checks.join(" ")]))
}

function wrapped(text: string): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= COLUMNS)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
