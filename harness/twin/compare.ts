import type { Milliseconds } from "../../firmware/units.ts"
import { clipDifferences } from "./clip-differences.ts"
import type { Difference } from "./difference.ts"
import { eventDifferences } from "./event-differences.ts"
import { clipsOf, isEvent, type Trace, type TwinEvent } from "./trace.ts"

/** How much there was to compare: nothing differs where there is nothing. */
export interface Compared {
  readonly events: number
  readonly clips: number
  readonly segments: number
  readonly differences: readonly Difference[]
}

/** What came of two runs: every event and its time, within `tolerance`; every clip as it was opened, to the byte. */
export function compareRuns(expected: Trace, got: Trace, tolerance: Milliseconds): Compared {
  const [events, others] = [expected, got].map(({ records }) => records.filter(isEvent))
  const [clips, otherClips] = [expected, got].map(({ records }) => clipsOf(records))
  return {
    events: events?.length ?? 0,
    clips: clips?.length ?? 0,
    segments: (clips ?? []).reduce((sum, { segments }) => sum + segments.length, 0),
    differences: [
      ...darkClips(others ?? []),
      ...eventDifferences(events ?? [], others ?? [], tolerance),
      ...clipDifferences(clips ?? [], otherClips ?? [], tolerance),
    ],
  }
}

/** Whatever was expected, and however tolerant anybody is: no clip begins before the recording light was written on. */
function darkClips(events: readonly TwinEvent[]): readonly Difference[] {
  let lit = false
  const found: Difference[] = []
  for (const event of events) {
    if (event.what === "write" && event.name === "light") lit = event.value !== 0
    if (event.what !== "line" || !event.text.startsWith("clip opened") || lit) continue
    const where = `clip at ${(event.at / 1_000).toFixed(3)} s`
    found.push({ what: "recording light", where, expected: "on before it", got: "off" })
  }
  return found
}
