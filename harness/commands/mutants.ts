import { writeFile } from "node:fs/promises"
import { Command } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { aligned } from "../bench/table.ts"
import type { Check } from "../checks/check.ts"
import { CHECKS, THEMES } from "../checks/list.ts"
import { firmwareHash, sourceHash } from "../load/source-hash.ts"
import type { Mistake } from "../unsafe/mistake.ts"
import { MISTAKES } from "../unsafe/mistakes/list.ts"
import { type Progress, type Result, type Row, rowsOf } from "../unsafe/rows.ts"

const HELP = `
Each check runs on the system as it is, where it must find no violation, and on the same system with a mistake in its
source, where it must find one. The mistakes are made as a process of their own reads the source (harness/unsafe); no
option of anything that ships makes one.

NAME: a check or a mistake, or a rule in quotes. Rules:
  ${THEMES.map(({ rule }) => rule).join("\n  ")}

Exit code 1 if a check is wrong on the system as it is, or does not find its mistake.`

export function mutantsCommand(): Command {
  return new Command("mutants")
    .description("show that each check finds nothing as it is, and the mistake it is there for")
    .argument("[names...]", "only these checks, mistakes or rules")
    .option("--json", "for a machine")
    .option(
      "--out <file>",
      "also write there what --json prints: for obscura evidence, and obscura incident --all",
    )
    .addHelpText("after", HELP)
    .action(async (names: readonly string[], { json, out }: { json?: boolean; out?: string }) => {
      const { checks, mistakes } = named(names)
      if (out !== undefined) await write(out, "") // says so now that it cannot be, and not in minutes
      const began = performance.now()
      // Of what is about to run: somebody may edit meanwhile.
      const hashes = { sources: await sourceHash(), firmware: await firmwareHash() }
      const rows = await rowsOf(checks, mistakes, showProgress)
      const wrong = rows.filter(({ right }) => !right)
      const report = JSON.stringify({ version: 1, held: wrong.length === 0, ...hashes, rows }, null, 2)
      if (out !== undefined) await write(out, `${report}\n`)
      if (json) console.log(report)
      else console.log(`${tableOf(rows)}\n\n${summary(rows, (performance.now() - began) / 1_000)}`)
      if (wrong.length > 0) process.exitCode = 1
    })
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text)
  } catch (cause) {
    throw new Fault("usage", `--out ${path}: cannot be written (${messageOf(cause)}); name another file`, {
      cause,
    })
  }
}

/** @throws Fault "usage": nothing is called so. */
export function named(names: readonly string[]): {
  readonly checks: readonly Check[]
  readonly mistakes: readonly Mistake[]
} {
  if (names.length === 0) return { checks: CHECKS, mistakes: MISTAKES }
  const mistakes = new Set<Mistake>()
  for (const name of names) {
    const its = MISTAKES.filter(
      ({ id, check }) =>
        id === name || check === name || CHECKS.some((one) => one.id === check && one.rule === name),
    )
    for (const mistake of its) mistakes.add(mistake)
    if (its.length === 0 && !CHECKS.some(({ id, rule }) => id === name || rule === name))
      throw new Fault("usage", `${name}: no check, mistake or rule; obscura mutants --help names the rules`)
  }
  const checks = CHECKS.filter(
    ({ id, rule }) =>
      names.includes(id) || names.includes(rule) || [...mistakes].some(({ check }) => check === id),
  )
  return { checks, mistakes: [...mistakes] }
}

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ rule, check, safe, mistake, unsafe, right }, at) => {
    const [before] = at > 0 ? rows.slice(at - 1) : []
    return [
      before?.rule === rule ? "" : rule,
      before?.check === check ? "" : check,
      before?.check === check ? "" : counted(safe),
      mistake?.says ?? "no mistake is known",
      unsafe ? counted(unsafe) : "",
      right ? "" : "WRONG",
    ]
  })
  const table = aligned([["rule", "check", "as it is", "with this mistake", "", ""], ...lines])
  return [table, ...rows.filter(({ right }) => !right).map(why)].join("\n")
}

const counted = (result: Result): string =>
  "stuck" in result ? "could not look" : `${result.violations} of ${result.tries}`

/** What a wrong row saw. */
function why({ check, says, safe, mistake, unsafe }: Row): string {
  const seen = [safe, unsafe].flatMap((result) => {
    if (result === null) return []
    return "stuck" in result ? [result.stuck] : result.evidence
  })
  return [`\n${check}: ${says}${mistake ? ` (${mistake.id})` : ""}`, ...seen.map((line) => `  ${line}`)].join(
    "\n",
  )
}

function summary(rows: readonly Row[], seconds: number): string {
  const wrong = rows.filter(({ right }) => !right).length
  const checks = new Set(rows.map(({ check }) => check)).size
  const all = `${checks} checks, ${rows.length} mistakes, ${seconds.toFixed(0)} s; violations of tries`
  return wrong === 0 ? `${all}. Every mistake is found.` : `${all}. ${wrong} rows are wrong.`
}

/** On a terminal one line that changes; anywhere else a line now and then. */
function showProgress({ done, all, last }: Progress): void {
  const line = `${done} of ${all} processes: ${last}`
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${done === all ? "" : line}`)
  else if (done % 20 === 0) console.error(line)
}
