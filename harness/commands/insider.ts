import { randomInt } from "node:crypto"
import { Command, Option } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { seconds } from "../../firmware/units.ts"
import { CHECKS } from "../checks/list.ts"
import { INSIDERS } from "../insider/all.ts"
import { within } from "../insider/guest.ts"
import { keepMutants, knownMutants } from "../insider/known-mutants.ts"
import { CHECK_IDS } from "../insider/privacy-checks.ts"
import { type CheckResult, holds, resultsOf } from "../insider/results.ts"
import { openStreet } from "../insider/street.ts"
import { tableOf } from "../insider/summary.ts"
import { letThemTry, type Outcome } from "../insider/try-all.ts"
import type { Insider } from "../insider/world.ts"
import { Screen } from "../load/screen.ts"
import { sourceHash } from "../load/source-hash.ts"
import { MISTAKES } from "../unsafe/mistakes/list.ts"
import { rowsOf } from "../unsafe/rows.ts"
import { wholeNumber } from "./options.ts"
import { stopOnSignals } from "./stop.ts"

interface InsiderOptions {
  readonly seed?: number
  readonly json?: boolean
  readonly list?: boolean
  readonly mutants?: boolean
}

const HELP = `
Everyone with access tries with everything that they have, in a small street of its own: a cloud with bucket, index,
accounts and access log, and four homes whose cameras run the real firmware. "obscura fleet" lets them try in every run.

NAME: an insider as --list names them, in quotes where there are spaces; default: all.

Exit codes: 0 nobody got anything; 1 somebody did, or could not try; 2 wrong call.`

export function insiderCommand(): Command {
  return new Command("insider")
    .description("let everyone who has access try to see what they must not")
    .argument("[names...]", "only these")
    .option("--list", "who there is, and what they have")
    .option(
      "--mutants",
      "also with the historical mistake of each check, which it must find (a minute or two)",
    )
    .option("--json", "for a machine")
    .addOption(new Option("--seed <n>", "repeats what chance decides").argParser(wholeNumber(0, 2 ** 32 - 1)))
    .addHelpText("after", HELP)
    .action(insider)
}

async function insider(names: readonly string[], options: InsiderOptions): Promise<void> {
  if (options.list) {
    for (const { name, has, attempts } of INSIDERS)
      console.log(`${name}\n    has: ${has}\n    tries: ${Object.keys(attempts).join(" ")}`)
    return
  }
  const chosen = named(names)
  const { signal, forget } = stopOnSignals()
  const screen = new Screen(options.json ? process.stderr : process.stdout)
  try {
    const outcomes = await trying(chosen, options.seed ?? randomInt(2 ** 32 - 1), screen, signal)
    const isKnown = options.mutants ? await runMutants(outcomes, screen) : true
    screen.nextPhase()
    const results = resultsOf(outcomes, await knownMutants())
    if (options.json)
      console.log(JSON.stringify({ version: 1, held: heldAll(results), checks: results }, null, 2))
    else screen.say(`\n${tableOf(results)}\n\n${verdictOf(results)}`)
    if (!heldAll(results) || !isKnown) process.exitCode = 1
  } finally {
    forget()
  }
}

async function trying(
  insiders: readonly Insider[],
  seed: number,
  screen: Screen,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const { signal: patience, stop } = within(seconds(180), signal)
  const all = insiders.reduce((sum, { attempts }) => sum + Object.keys(attempts).length, 0)
  let done = 0
  screen.say(`seed ${seed}: four homes record a clip each, then ${insiders.length} try`)
  const street = await openStreet(seed, patience)
  const onOutcome = ({ insider: who, check }: Outcome) => {
    const line = `${++done} of ${all}: ${who}, ${check}`
    screen.show([`  ${line}`], line)
  }
  try {
    const trials = { insiders, onOutcome }
    return [
      ...(await letThemTry(street.world, { ...trials, when: ["during"] }, patience)),
      ...(await letThemTry(street.world, { ...trials, when: ["after"] }, patience)),
    ]
  } finally {
    stop()
    await street.close()
  }
}

/** Keeps what they come to for every report of this source. False: of some nobody knows, for they could not look. */
async function runMutants(outcomes: readonly Outcome[], screen: Screen): Promise<boolean> {
  const source = await sourceHash()
  const ids = new Set<string>(outcomes.map(({ check }) => check))
  const mistakes = MISTAKES.filter(({ check }) => ids.has(check))
  const checks = CHECKS.filter(({ id }) => mistakes.some(({ check }) => check === id))
  const rows = await rowsOf(checks, mistakes, ({ done, all, last }) => {
    const line = `mistakes: ${done} of ${all}, ${last}`
    screen.show([`  ${line}`], line)
  })
  const found = new Map<string, number>()
  let known = true
  for (const { check, mistake, unsafe } of rows) {
    if (unsafe === null || "stuck" in unsafe) {
      known = false
      screen.say(
        `with ${mistake?.id ?? "no mistake"} ${check} could not look: "obscura mutants ${check}" says why`,
      )
    } else found.set(check, Math.min(found.get(check) ?? unsafe.violations, unsafe.violations))
  }
  await keepMutants(found, source)
  return known
}

/** @throws Fault "usage", definite: nobody is called so. */
function named(names: readonly string[]): readonly Insider[] {
  for (const name of names)
    if (!INSIDERS.some((each) => each.name === name))
      throw new Fault(
        "usage",
        `${name}: no such insider; there are ${INSIDERS.map((each) => each.name).join(", ")}`,
      )
  return names.length === 0 ? INSIDERS : INSIDERS.filter(({ name }) => names.includes(name))
}

/** A mistake that is not found makes a check worthless. */
function heldAll(results: readonly CheckResult[]): boolean {
  return results.length > 0 && results.every((each) => holds(each) && each.mutantViolations !== 0)
}

function verdictOf(results: readonly CheckResult[]): string {
  const tries = results.reduce((sum, each) => sum + each.tries, 0).toLocaleString("en-US")
  const broken = results.filter((each) => !holds(each))
  const missing = CHECK_IDS.length - results.length
  const rest = missing === 0 ? "" : ` ${missing} checks are other people's to try.`
  if (broken.length > 0) return `It did not hold: ${broken.map(({ id }) => id).join(", ")}.`
  return heldAll(results)
    ? `Nobody got anything in ${tries} tries.${rest}`
    : "A check does not find its mistake."
}
