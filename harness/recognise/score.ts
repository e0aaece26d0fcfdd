import type { Label } from "../../firmware/ports.ts"
import type { Seconds } from "../../firmware/units.ts"
import type { FileTruth, LabelledEvent } from "./labels.ts"

/** Of one label: how many were right, invented, missed. */
export interface Tally {
  readonly right: number
  readonly invented: number
  readonly missed: number
}

export const NO_TALLY: Tally = { right: 0, invented: 0, missed: 0 }

export type Tallies = Readonly<Record<Label, Tally>>

export const NO_TALLIES: Tallies = { person: NO_TALLY, animal: NO_TALLY, vehicle: NO_TALLY }

/** Of what was found, how much was there; null: nothing was found. */
export const precisionOf = ({ right, invented }: Tally): number | null =>
  right + invented === 0 ? null : right / (right + invented)

/** Of what was there, how much was found; null: nothing was there. */
export const recallOf = ({ right, missed }: Tally): number | null =>
  right + missed === 0 ? null : right / (right + missed)

export function sumOf(all: readonly Tallies[]): Tallies {
  const sum = (label: Label): Tally => ({
    right: all.reduce((n, tallies) => n + tallies[label].right, 0),
    invented: all.reduce((n, tallies) => n + tallies[label].invented, 0),
    missed: all.reduce((n, tallies) => n + tallies[label].missed, 0),
  })
  return { person: sum("person"), animal: sum("animal"), vehicle: sum("vehicle") }
}

/** Whether each label was found in a picture that has it. What the truth ignores counts for nothing. */
export function scorePresence(found: ReadonlySet<Label>, { labels, ignore }: FileTruth): Tallies {
  const tally = (label: Label): Tally => {
    if (ignore.has(label)) return NO_TALLY
    const [is, was] = [labels.has(label), found.has(label)]
    return { right: is && was ? 1 : 0, invented: !is && was ? 1 : 0, missed: is && !was ? 1 : 0 }
  }
  return { person: tally("person"), animal: tally("animal"), vehicle: tally("vehicle") }
}

/** So far may an event's beginning and its end lie from the truth's. */
export const MATCH_WITHIN: Seconds = 1

export interface EventMatch {
  /** By index into what was found: the truth that it matches; null: invented. */
  readonly found: readonly (number | null)[]
  /** By index into the truth: what matches it; null: missed. */
  readonly truth: readonly (number | null)[]
  readonly tallies: Tallies
  /** Invented, and without a label. */
  readonly unnamed: number
}

/** What a camera said; null: it has no model, or was not sure. */
export interface FoundEvent extends Omit<LabelledEvent, "label"> {
  readonly label: Label | null
}

/**
 * One to one, in the order of beginnings. A match has the same label, and begins and ends within MATCH_WITHIN of the
 * truth. `anyLabel`: an event without a label matches every label, as of a camera that has no model.
 */
export function matchEvents(
  found: readonly FoundEvent[],
  truth: readonly LabelledEvent[],
  anyLabel = false,
): EventMatch {
  const byFound: (number | null)[] = found.map(() => null)
  const byTruth: (number | null)[] = truth.map(() => null)
  for (const [index, real] of inOrder(truth)) {
    const near = inOrder(found).find(([at, event]) => byFound[at] === null && isMatch(event, real, anyLabel))
    if (!near) continue
    byFound[near[0]] = index
    byTruth[index] = near[0]
  }
  const tally = (label: Label): Tally => {
    const ours = truth.flatMap((event, index) => (event.label === label ? [byTruth[index] ?? null] : []))
    const theirs = found.flatMap((event, index) => (event.label === label ? [byFound[index] ?? null] : []))
    return {
      right: ours.filter((match) => match !== null).length,
      invented: theirs.filter((match) => match === null).length,
      missed: ours.filter((match) => match === null).length,
    }
  }
  const tallies = { person: tally("person"), animal: tally("animal"), vehicle: tally("vehicle") }
  const unnamed = found.filter(({ label }, index) => label === null && byFound[index] === null).length
  return { found: byFound, truth: byTruth, tallies, unnamed }
}

function isMatch(event: FoundEvent, real: LabelledEvent, anyLabel: boolean): boolean {
  const isSame = event.label === real.label || (anyLabel && event.label === null)
  return isSame && apart(event.start, real.start) && apart(event.end, real.end)
}

// Decimal fractions of a second do not subtract exactly.
const apart = (a: Seconds, b: Seconds): boolean => Math.abs(a - b) <= MATCH_WITHIN + 1e-6

function inOrder<T extends FoundEvent>(events: readonly T[]): readonly (readonly [number, T])[] {
  return [...events.entries()].sort(([, a], [, b]) => a.start - b.start)
}

/** How long `label` is nowhere in a film of `duration`, by its truth. */
export function timeWithout(label: Label, truth: readonly LabelledEvent[], duration: Seconds): Seconds {
  const stretches = truth
    .filter((event) => event.label === label)
    .map(({ start, end }) => [start, Math.min(end, duration)] as const)
    .sort(([a], [b]) => a - b)
  let covered = 0
  let until = 0
  for (const [start, end] of stretches) {
    covered += Math.max(0, end - Math.max(start, until))
    until = Math.max(until, end)
  }
  return Math.max(0, duration - covered)
}
