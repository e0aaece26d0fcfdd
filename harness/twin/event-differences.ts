import type { Milliseconds } from "../../firmware/units.ts"
import { type Difference, NOTHING } from "./difference.ts"
import type { TwinEvent } from "./trace.ts"

/** What an event is, without its time. */
export function eventName(event: TwinEvent): string {
  switch (event.what) {
    case "asked":
      return "lens asked for pictures"
    case "write":
      return `pin ${event.pin} (${event.name}) written ${event.value}`
    case "pattern":
      return `pin ${event.pin} (${event.name}) blinks ${event.durations.join("/")} ms`
    case "line":
      return `"${event.text}"`
  }
}

interface Named {
  readonly name: string
  readonly at: Milliseconds
}

/**
 * Events in their order; times of the same event may be `tolerance` apart. An event that is only elsewhere is one
 * difference, of its time, and not two.
 */
export function eventDifferences(
  expected: readonly TwinEvent[],
  got: readonly TwinEvent[],
  tolerance: Milliseconds,
): readonly Difference[] {
  const { pairs, missing, extra } = aligned(expected.map(named), got.map(named))
  const found: (Difference & Named)[] = []
  const compare = (left: Named, right: Named, moved: boolean) => {
    if (Math.abs(left.at - right.at) > tolerance)
      found.push({ ...left, what: "time", where: left.name, expected: time(left.at), got: time(right.at) })
    else if (moved && tolerance === 0)
      found.push({ ...left, what: "order", where: left.name, expected: "another place", got: time(right.at) })
  }
  for (const [left, right] of pairs) compare(left, right, false)
  for (const left of missing) {
    const moved = extra.findIndex(({ name }) => name === left.name)
    const [right] = moved === -1 ? [] : extra.splice(moved, 1)
    if (right) compare(left, right, true)
    else
      found.push({ ...left, what: "event", where: `at ${time(left.at)}`, expected: left.name, got: NOTHING })
  }
  for (const right of extra)
    found.push({ ...right, what: "event", where: `at ${time(right.at)}`, expected: NOTHING, got: right.name })
  return found
    .sort((a, b) => a.at - b.at)
    .map(({ what, where, expected, got }) => ({ what, where, expected, got }))
}

function named(event: TwinEvent): Named {
  return { name: eventName(event), at: event.at }
}

function time(at: Milliseconds): string {
  return `${(at / 1_000).toFixed(3)} s`
}

interface Aligned {
  readonly pairs: readonly (readonly [Named, Named])[]
  readonly missing: readonly Named[]
  readonly extra: Named[]
}

/** More than this are not aligned, but paired by place. */
const ALIGNED_MAX = 4_000_000

/** The longest common subsequence of names; between two that are equally long, the one that pairs earlier. */
function aligned(left: readonly Named[], right: readonly Named[]): Aligned {
  const pairs: (readonly [Named, Named])[] = []
  let begin = 0
  for (let [a, b] = [left[0], right[0]]; a && b && a.name === b.name; [a, b] = [left[begin], right[begin]]) {
    pairs.push([a, b])
    begin++
  }
  const [restLeft, restRight] = [left.slice(begin), right.slice(begin)]
  const missing: Named[] = []
  const extra: Named[] = []
  const lengths = restLeft.length * restRight.length > ALIGNED_MAX ? null : commonLengths(restLeft, restRight)
  let [i, j] = [0, 0]
  for (let [a, b] = [restLeft[i], restRight[j]]; a || b; [a, b] = [restLeft[i], restRight[j]]) {
    const drop = (lengths?.[i + 1]?.[j] ?? 0) >= (lengths?.[i]?.[j + 1] ?? 0)
    if (a && b && a.name === b.name) {
      pairs.push([a, b])
      i++
      j++
    } else if (a && (!b || drop)) {
      missing.push(a)
      i++
    } else if (b) {
      extra.push(b)
      j++
    }
  }
  return { pairs, missing, extra }
}

/** [i][j]: of what follows `left[i]` and `right[j]`, both included. */
function commonLengths(left: readonly Named[], right: readonly Named[]): readonly Uint32Array[] {
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1))
  for (let i = left.length - 1; i >= 0; i--)
    for (let j = right.length - 1; j >= 0; j--) {
      const row = lengths[i]
      const below = lengths[i + 1]
      if (!row || !below) continue
      row[j] =
        left[i]?.name === right[j]?.name ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
    }
  return lengths
}
