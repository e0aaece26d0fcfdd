import { setMaxListeners } from "node:events"
import { messageOf } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import type { Tally } from "../checks/check.ts"
import { INSIDERS } from "./all.ts"
import { CHECK_IDS, type CheckId } from "./privacy-checks.ts"
import type { Insider, When, World } from "./world.ts"

const STOPS_WITHIN: Milliseconds = seconds(5)

/** What came of one insider's attempt at one thing. */
export interface Outcome extends Tally {
  readonly insider: string
  readonly check: CheckId
  /** It could not look: then nothing is known, and nothing was tried. */
  readonly stuck: string | null
}

export interface Trying {
  readonly when: readonly When[]
  /** Absent: all. */
  readonly insiders?: readonly Insider[]
  readonly checks?: readonly CheckId[]
  /** Absent: all of these; else those attempts alone. */
  readonly only?: readonly Pick<Outcome, "insider" | "check">[]
  readonly onOutcome?: (outcome: Outcome) => void
}

/** Lets them try, side by side; each attempt is counted, whether it could look or not. Never throws for what one does. */
export async function letThemTry(
  world: World,
  trying: Trying,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const { when, insiders = INSIDERS, checks = CHECK_IDS, only, onOutcome } = trying
  const isAsked = (insider: string, check: CheckId) =>
    only?.some((each) => each.insider === insider && each.check === check) ?? true
  setMaxListeners(0, signal) // every attempt listens
  const attempts = insiders.flatMap(({ name, attempts }) =>
    checks.flatMap((check) => {
      const attempt = attempts[check]
      return attempt && when.includes(attempt.when) && isAsked(name, check)
        ? [{ insider: name, check, attempt }]
        : []
    }),
  )
  return Promise.all(
    attempts.map(async ({ insider, check, attempt }) => {
      const outcome = await outcomeOf(insider, check, () => inTime(attempt.run(world, signal), signal))
      onOutcome?.(outcome)
      return outcome
    }),
  )
}

/** Whoever does not stop when told to is not waited for. */
function inTime<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const late = () => setTimeout(() => reject(new Error("it did not come to an end")), STOPS_WITHIN).unref()
    signal.addEventListener("abort", late, { once: true })
    if (signal.aborted) late()
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", late))
  })
}

async function outcomeOf(insider: string, check: CheckId, run: () => Promise<Tally>): Promise<Outcome> {
  try {
    const { tries, violations, evidence, leaked } = await run()
    return { insider, check, tries, violations, evidence, ...(leaked && { leaked }), stuck: null }
  } catch (error) {
    return { insider, check, tries: 0, violations: 0, evidence: [], stuck: messageOf(error) }
  }
}
