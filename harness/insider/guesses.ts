/** What somebody sees of a thing, as numbers, and what the thing was. */
export interface Example {
  readonly features: readonly number[]
  readonly label: string
}

/** Shannon's entropy of how often each value occurs: what one of them can tell at most. Of none 0. */
export function bitsIn(values: readonly number[]): number {
  return [...countsOf(values).values()].reduce((bits, count) => {
    const share = count / values.length
    return bits - share * Math.log2(share)
  }, 0)
}

/** Of always guessing the label that is most common. Of none 0. */
export function mostCommonShare(examples: readonly Example[]): number {
  if (examples.length === 0) return 0
  return Math.max(...countsOf(examples.map(({ label }) => label)).values()) / examples.length
}

/** How many neighbours vote. */
const NEIGHBOURS = 5

/**
 * What nearest neighbours guess right, each example by all others. Distances are of ranks: a size in bytes and a count of
 * segments weigh alike. Of none 0.
 */
export function guessedRight(examples: readonly Example[]): number {
  if (examples.length === 0) return 0
  const ranks = ranksOf(examples)
  const right = examples.filter(({ label }, own) => {
    const near = ranks
      .map((other, i) => ({
        i,
        distance: i === own ? Number.POSITIVE_INFINITY : distance(other, ranks[own] ?? []),
      }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, Math.min(NEIGHBOURS, examples.length - 1))
    const votes = countsOf(near.map(({ i }) => examples[i]?.label ?? ""))
    const [guess] = [...votes].sort((a, b) => b[1] - a[1])[0] ?? []
    return guess === label
  })
  return right.length / examples.length
}

/** Each feature as its place among all of that feature, from 0 to 1; equal ones share a place. */
function ranksOf(examples: readonly Example[]): readonly (readonly number[])[] {
  const width = examples[0]?.features.length ?? 0
  const columns = Array.from({ length: width }, (_, f) => {
    const sorted = [...new Set(examples.map(({ features }) => features[f] ?? 0))].sort((a, b) => a - b)
    return new Map(sorted.map((value, place) => [value, sorted.length < 2 ? 0 : place / (sorted.length - 1)]))
  })
  return examples.map(({ features }) => columns.map((places, f) => places.get(features[f] ?? 0) ?? 0))
}

function distance(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0)
}

function countsOf<T>(values: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return counts
}
