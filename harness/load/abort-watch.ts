import type { Milliseconds } from "../../firmware/units.ts"
import { METRICS, type Readings } from "./metrics.ts"
import type { ThresholdResult } from "./report.ts"
import { judgeThreshold, type Threshold } from "./thresholds.ts"

/**
 * Says when a run is hopeless, from its readings so far (k6's abortOnFail with delayAbortEval). Nothing ends a run
 * before the grace time is over. After it:
 *
 *   final     what cannot come back ends it at once: a counter's `count` that is over its upper bound, a trend's `max`
 *             over its upper or `min` under its lower bound, a rate that was to be exactly 0 or 1 and is not
 *   lasting   `avg`, `med` and `p(N)` of a trend with an upper bound can still fall: they end it once they have failed
 *             at every look for as long as the grace time
 *
 * All others are judged at the end alone: lower bounds on counts, which a run reaches late, a counter's `rate`, gauges,
 * which are known at the end, and rates between 0 and 1. So is a metric that has not fired yet.
 */
export class AbortWatch {
  /** Those that can end a run early. */
  readonly watched: readonly Threshold[]
  readonly #grace: Milliseconds
  readonly #failingSince = new Map<Threshold, Milliseconds>()

  constructor(thresholds: readonly Threshold[], grace: Milliseconds) {
    this.watched = thresholds.filter((threshold) => canFall(threshold) || canEnd(threshold))
    this.#grace = grace
  }

  /**
   * The threshold that ends the run; null: go on.
   *
   * @param readings Of the whole run so far, not of the time since the last look. A count may hold only what is certain:
   *   a clip on its way is not lost yet.
   * @param at Since the first camera's start; never less than at the look before.
   */
  look(readings: Readings, at: Milliseconds): ThresholdResult | null {
    let hopeless: ThresholdResult | null = null
    for (const threshold of this.watched) {
      const result = judgeThreshold(threshold, readings)
      if (result.pass || result.value === null) {
        this.#failingSince.delete(threshold)
        continue
      }
      const since = this.#failingSince.get(threshold) ?? at
      this.#failingSince.set(threshold, since)
      const enough = isFinal(threshold, result.value) || (canFall(threshold) && at - since >= this.#grace)
      if (enough && at >= this.#grace) hopeless ??= result
    }
    return hopeless
  }
}

/** Counts and greatest values never fall, least values never rise. */
const UPPER = new Set(["<", "<=", "==", "==="])
const LOWER = new Set([">", ">=", "==", "==="])

function canEnd({ metric, aggregation: { method }, operator, bound }: Threshold): boolean {
  if (method === "count" || method === "max") return UPPER.has(operator)
  if (method === "min") return LOWER.has(operator)
  if (method !== "rate" || METRICS[metric].kind !== "rate") return false
  return (
    (bound === 0 && operator !== "<" && UPPER.has(operator)) ||
    (bound === 1 && operator !== ">" && LOWER.has(operator))
  )
}

/** It failed, with `value`: for good? */
function isFinal(threshold: Threshold, value: number): boolean {
  if (!canEnd(threshold)) return false
  const { aggregation, bound, operator } = threshold
  if (operator !== "==" && operator !== "===") return true
  if (aggregation.method === "rate") return true
  return aggregation.method === "min" ? value < bound : value > bound
}

function canFall({ aggregation: { method }, operator }: Threshold): boolean {
  const middling = method === "avg" || method === "med" || method === "p"
  return middling && (operator === "<" || operator === "<=")
}
