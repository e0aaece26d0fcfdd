import { availableParallelism } from "node:os"
import type { Check, Tally } from "../checks/check.ts"
import { THEMES } from "../checks/list.ts"
import { checkPatches, type Mistake } from "./mistake.ts"
import { type Outcome, runChecks } from "./run-mistaken.ts"

/** A check on the sound system, and on the one with a mistake that it must find. */
export interface Row {
  readonly rule: string
  readonly check: string
  /** The promise that is checked, in words. */
  readonly says: string
  readonly safe: Result
  /** null: nobody has thought of a mistake for this check, and that is wrong. */
  readonly mistake: { readonly id: string; readonly says: string } | null
  readonly unsafe: Result | null
  /** Safe it tries and finds nothing; with the mistake it finds something. */
  readonly right: boolean
}

export type Result = (Tally & { readonly cpuSeconds: number }) | { readonly stuck: string }

const SILENT: Outcome = { stuck: "it said nothing" }

/** One process: the checks of a theme as they are, or one of them with a mistake. */
interface Job {
  readonly theme: string
  readonly ids: readonly string[]
  readonly mistake: Mistake | null
}

export interface Progress {
  readonly done: number
  readonly all: number
  readonly last: string
}

/**
 * Runs each check as it is and with each of its mistakes, `atOnce` processes at a time: twice as many as there are cores, for many wait more than they
 * work.
 *
 * @throws Fault "broken": a mistake does not fit its source any more.
 */
export async function rowsOf(
  checks: readonly Check[],
  mistakes: readonly Mistake[],
  onProgress: (progress: Progress) => void = () => undefined,
  atOnce = 2 * availableParallelism(),
): Promise<readonly Row[]> {
  for (const mistake of mistakes) checkPatches(mistake)
  const jobs = jobsFor(checks, mistakes)
  const safe = new Map<string, Outcome>()
  const unsafe = new Map<string, Outcome>()
  let done = 0
  await inParallel(jobs, atOnce, async ({ theme, ids, mistake }) => {
    const outcomes = await runChecks(theme, ids, mistake)
    for (const id of ids) {
      const outcome = outcomes.get(id) ?? SILENT
      if (mistake) unsafe.set(mistake.id, outcome)
      else safe.set(id, outcome)
    }
    onProgress({ done: ++done, all: jobs.length, last: mistake?.id ?? theme })
  })
  return checks.flatMap(({ id, rule, says }) => {
    const rowFor = (mistake: Mistake | null): Row => {
      const [sound, bent] = [resultOf(safe.get(id)), mistake && resultOf(unsafe.get(mistake.id))]
      return {
        rule,
        check: id,
        says,
        safe: sound,
        mistake: mistake && { id: mistake.id, says: mistake.says },
        unsafe: bent,
        right: isSound(sound) && bent !== null && isFound(bent),
      }
    }
    const its = mistakes.filter(({ check }) => check === id)
    return its.length > 0 ? its.map(rowFor) : [rowFor(null)]
  })
}

function jobsFor(checks: readonly Check[], mistakes: readonly Mistake[]): readonly Job[] {
  const rules = new Map(checks.map(({ id, rule }) => [id, rule]))
  const sound = THEMES.map(({ rule }) => ({
    theme: rule,
    ids: [...rules].filter(([, of]) => of === rule).map(([id]) => id),
    mistake: null,
  }))
  const bent = mistakes.flatMap((mistake) => {
    const theme = rules.get(mistake.check)
    return theme === undefined ? [] : [{ theme, ids: [mistake.check], mistake }]
  })
  return [...sound.filter(({ ids }) => ids.length > 0), ...bent]
}

/** In order, so many at a time. */
async function inParallel<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = [...items]
  const worker = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

export function resultOf(outcome: Outcome = SILENT): Result {
  return "stuck" in outcome ? outcome : { ...outcome.tally, cpuSeconds: outcome.cpuSeconds }
}

const isSound = (result: Result): boolean =>
  !("stuck" in result) && result.tries > 0 && result.violations === 0
const isFound = (result: Result): boolean => !("stuck" in result) && result.tries > 0 && result.violations > 0
