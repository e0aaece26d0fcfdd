import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Command } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { parseRows } from "../checks/saved-rows.ts"
import { INCIDENTS, incidentNamed } from "../incidents/list.ts"
import { incidentPage } from "../incidents/page.ts"
import { type IncidentRun, runAll, runIncident, runsFrom } from "../incidents/run.ts"
import { listOf, tableOfAll, textOf } from "../incidents/text.ts"
import { isRight, leakOf, verdictOf } from "../incidents/verdict.ts"
import { Screen } from "../load/screen.ts"
import { sourceHash } from "../load/source-hash.ts"

interface IncidentOptions {
  readonly unsafe?: boolean
  readonly all?: boolean
  readonly from?: string
  readonly json?: boolean
  readonly list?: boolean
  readonly out?: string
}

const HELP = `
What happened to people elsewhere, run here: insiders with the same access, in a street of four homes with the real
firmware. With --unsafe the mistake of history is made again in the source, a process each, and the checks must find it.

Incidents:
${listOf(INCIDENTS).replace(/^/gm, "  ")}

Exit codes: 0 every check held, with --all also: every mistake was found; 1 something leaked, as it must with --unsafe;
2 wrong call; 3 somebody could not look, so nothing is known.`

export function incidentCommand(): Command {
  return new Command("incident")
    .description("run what happened elsewhere: as it is it holds, with the mistake of history it must not")
    .argument("[name]", "one of the incidents below")
    .option("--unsafe", "make what was wrong again; it must fail, and says what leaked")
    .option("--all", "every incident both ways")
    .option("--from <file>", 'with --all: nothing runs; take what "obscura mutants --json" wrote')
    .option("--list", "which incidents there are")
    .option("--json", "for a machine")
    .option(
      "--out <dir>",
      "also write a page that needs no server: NAME.html, NAME-unsafe.html, incidents.html",
    )
    .addHelpText("after", HELP)
    .action(incident)
}

async function incident(name: string | undefined, options: IncidentOptions): Promise<void> {
  const { unsafe = false, all, from, json, list, out } = options
  if (list) {
    console.log(listOf(INCIDENTS))
    return
  }
  if ((name === undefined) !== (all === true))
    throw new Fault("usage", "give one incident, or --all; obscura incident --list names them")
  if (all && unsafe) throw new Fault("usage", "--all runs both ways already; leave --unsafe out")
  if (from !== undefined && !all) throw new Fault("usage", "--from goes with --all")
  const runs = name === undefined ? await allRuns(from) : [await runIncident(incidentNamed(name), unsafe)]
  const [first] = runs
  if (out !== undefined)
    await writePage(out, name === undefined ? "incidents" : `${name}${unsafe ? "-unsafe" : ""}`, runs)
  if (json)
    console.log(JSON.stringify({ version: 1, right: runs.every(isRight), runs: runs.map(jsonOf) }, null, 2))
  else console.log(name === undefined || !first ? tableOfAll(runs) : textOf(first))
  process.exitCode = exitCodeOf(runs, name === undefined)
}

function exitCodeOf(runs: readonly IncidentRun[], all: boolean): 0 | 1 | 3 {
  if (all) return runs.every(isRight) ? 0 : 1
  const verdicts = runs.map(verdictOf)
  if (verdicts.includes("could not look")) return 3
  return verdicts.includes("broke") ? 1 : 0
}

async function allRuns(from: string | undefined): Promise<readonly IncidentRun[]> {
  if (from !== undefined) {
    const { sources, rows } = parseRows(await textIn(from), from)
    if (sources !== (await sourceHash()))
      throw new Fault("usage", `${from}: ran on other sources than these; run "obscura mutants --json" again`)
    return runsFrom(INCIDENTS, rows)
  }
  const screen = new Screen(process.stderr)
  const runs = await runAll(INCIDENTS, ({ done, all, last }) => {
    const line = `${done} of ${all} processes: ${last}`
    screen.show([`  ${line}`], line)
  })
  screen.nextPhase()
  return runs
}

/** A run as a program reads it. Clips are counted, not named. */
function jsonOf(run: IncidentRun): object {
  const { incident, unsafe, tried } = run
  const { name, title, year, source } = incident
  return {
    ...{ name, title, year, source, unsafe, verdict: verdictOf(run), leaked: leakOf(run) },
    checks: tried.map((each) => {
      const { check, says, mistake, result } = each
      const told = { id: check, says, mistake: mistake && { id: mistake.id, says: mistake.says } }
      if ("stuck" in result) return { ...told, tries: 0, violations: 0, stuck: result.stuck }
      const { tries, violations, evidence } = result
      return { ...told, tries, violations, leaked: leakOf({ tried: [each] }), evidence }
    }),
  }
}

async function textIn(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8")
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be read (${messageOf(cause)})`, { cause })
  }
}

async function writePage(folder: string, name: string, runs: readonly IncidentRun[]): Promise<void> {
  const path = join(folder, `${name}.html`)
  try {
    await makeFolder(folder, 0o755)
    await writeFile(path, incidentPage(runs))
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be written (${messageOf(cause)}); choose another --out`, {
      cause,
    })
  }
}
