import type { LogLine } from "../../firmware/log.ts"
import { type Milliseconds, minutes, seconds } from "../../firmware/units.ts"
import type { Readings } from "../load/metrics.ts"

/** What cameras made of who came, against the footage's truth. Sums of parts of a fleet are sums of these. */
export interface RecognitionCounts {
  /** Of visitors whom the sensor felt. */
  visits: number
  /** Of those, how many have a clip that was kept. */
  hits: number
  /** How often cameras that nobody passed were woken, and how many clips of that they kept. */
  wakes: number
  falseAlarms: number
  /** How long cameras that nobody passed were watched. */
  milliseconds: Milliseconds
}

export const noCounts: RecognitionCounts = { visits: 0, hits: 0, wakes: 0, falseAlarms: 0, milliseconds: 0 }

/** A clip of a visit may begin this long after it has ended. */
const AFTER: Milliseconds = seconds(2)

/** One camera's. Its footage has visitors, whom alone its sensor feels, or it has none. */
export class RecognitionTally {
  readonly #hasVisitors: boolean
  readonly #now: () => Milliseconds
  readonly #counts = { ...noCounts }
  #visit: { readonly from: Milliseconds; to: Milliseconds | null; hit: boolean } | null = null
  /** When each clip was opened that has no verdict yet. */
  readonly #open = new Map<string, Milliseconds>()
  /** Clips that are kept and go on. */
  readonly #kept = new Set<string>()

  constructor(hasVisitors: boolean, now: () => Milliseconds) {
    this.#hasVisitors = hasVisitors
    this.#now = now
  }

  felt(): void {
    if (!this.#hasVisitors) this.#counts.wakes++
    else {
      this.#counts.visits++
      this.#visit = { from: this.#now(), to: null, hit: false }
      // Who comes back before the post-roll is over is in the same clip.
      if (this.#kept.size > 0) this.#hit(this.#visit)
    }
  }

  gone(): void {
    if (this.#visit) this.#visit.to ??= this.#now()
  }

  note(line: LogLine): void {
    if (line.event === "clip opened") this.#open.set(line.clip, this.#now())
    if (line.event === "clip recorded" || line.event === "clip lost") this.#kept.delete(line.clip)
    if (line.event !== "verdict") return
    const opened = this.#open.get(line.clip)
    this.#open.delete(line.clip)
    if (opened === undefined || !line.keep) return
    this.#kept.add(line.clip)
    if (!this.#hasVisitors) this.#counts.falseAlarms++
    const visit = this.#visit
    if (!visit || visit.hit || opened < visit.from || opened > (visit.to ?? opened) + AFTER) return
    this.#hit(visit)
  }

  #hit(visit: { hit: boolean }): void {
    visit.hit = true
    this.#counts.hits++
  }

  /** After having been watched so long. */
  counts(watched: Milliseconds): RecognitionCounts {
    return { ...this.#counts, milliseconds: this.#hasVisitors ? 0 : watched }
  }
}

export function sumOfCounts(all: readonly RecognitionCounts[]): RecognitionCounts {
  const sum = { ...noCounts }
  for (const counts of all)
    for (const key of Object.keys(sum) as (keyof RecognitionCounts)[]) sum[key] += counts[key]
  return sum
}

/** The metrics that these are. */
export const RECOGNITION_METRICS = ["visitors_hit", "false_alarms"] as const

export function readingsOf(counts: RecognitionCounts | null): Readings {
  if (counts === null) return {}
  const { visits, hits, falseAlarms, milliseconds } = counts
  return {
    ...(visits > 0 && { visitors_hit: { kind: "rate", hits, total: visits } }),
    ...(milliseconds > 0 && {
      false_alarms: { kind: "gauge", value: falseAlarms / (milliseconds / minutes(60)) },
    }),
  }
}
