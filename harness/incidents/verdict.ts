import type { IncidentRun, Tried } from "./run.ts"

export type Verdict =
  /** Every check was tried, and found nothing. */
  | "held"
  /** Some check found something; with the mistakes of history, every one of them was found. */
  | "broke"
  /** With a mistake some check found nothing: it is worth nothing. */
  | "not found"
  /** Somebody could not look: nothing is known. */
  | "could not look"

export function verdictOf({ unsafe, tried }: IncidentRun): Verdict {
  if (tried.some(({ result }) => "stuck" in result || result.tries === 0)) return "could not look"
  if (unsafe) return tried.every(isBroken) ? "broke" : "not found"
  return tried.some(isBroken) ? "broke" : "held"
}

/** As it should be: it holds, and with each mistake it does not. */
export const isRight = (run: IncidentRun): boolean => verdictOf(run) === (run.unsafe ? "broke" : "held")

export const isBroken = ({ result }: Tried): boolean => !("stuck" in result) && result.violations > 0

/** What was seen, each once. */
export function seenIn({ result }: Tried): readonly string[] {
  const lines = "stuck" in result ? [result.stuck.split("\n")[0] ?? ""] : result.evidence
  return [...new Set(lines)]
}

export interface Leak {
  readonly clips: number
  readonly frames: number
}

/** What got out: distinct clips of each check, and pictures of live views. */
export function leakOf({ tried }: Pick<IncidentRun, "tried">): Leak {
  const of = tried.map(({ result }) => ("stuck" in result ? undefined : result.leaked))
  return {
    clips: of.reduce((sum, leaked) => sum + (leaked?.clips.length ?? 0), 0),
    frames: of.reduce((sum, leaked) => sum + (leaked?.frames ?? 0), 0),
  }
}

/** "4 clips and 90 frames". */
export function spokenLeak({ clips, frames }: Leak): string {
  const of = (count: number, one: string) =>
    `${count.toLocaleString("en-US")} ${one}${count === 1 ? "" : "s"}`
  const parts = [
    ...(clips > 0 || frames === 0 ? [of(clips, "clip")] : []),
    ...(frames > 0 ? [of(frames, "frame")] : []),
  ]
  return parts.join(" and ")
}

/** What is counted, in words: under every number of leaked clips or frames. */
export const COUNTED =
  "Counted are clips of which somebody had a piece in plain, opened one, or found one in a queue, and frames of live views that were sent to somebody."

export function spokenVerdict(run: IncidentRun): string {
  const tries = run.tried.reduce((sum, { result }) => sum + ("stuck" in result ? 0 : result.tries), 0)
  const leak = spokenLeak(leakOf(run))
  switch (verdictOf(run)) {
    case "held":
      return `It held: nothing got out in ${tries.toLocaleString("en-US")} tries.`
    case "broke":
      return run.unsafe
        ? `With the mistake made again it broke: ${leak} leaked.`
        : `It broke: ${leak} leaked.`
    case "not found":
      return "A check does not find its mistake, so it is worth nothing."
    case "could not look":
      return "Somebody could not look, so nothing is known."
  }
}
