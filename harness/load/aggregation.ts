import type { Histogram } from "hdr-histogram-js"
import { Fault } from "../../firmware/errors.ts"
import {
  METRIC_NAMES,
  METRICS,
  type MetricKind,
  type MetricName,
  type Reading,
  type Readings,
} from "./metrics.ts"
import type { Report } from "./report.ts"

/** What k6 makes one number of a reading by. */
export type Aggregation =
  | { readonly method: "avg" | "min" | "max" | "med" | "count" | "rate" | "value" }
  /** From 0 to 100. */
  | { readonly method: "p"; readonly percentile: number }
export type Method = Aggregation["method"]

/** Which fit which kind of metric. */
export const METHODS = {
  trend: ["avg", "min", "max", "med", "p"],
  /** rate: how many a second. */
  counter: ["count", "rate"],
  gauge: ["value"],
  /** rate: what part of all, 0 to 1. */
  rate: ["rate"],
} as const satisfies Readonly<Record<MetricKind["kind"], readonly Method[]>>

/** Histograms count thousandths, so that a whole number of them says enough of a millisecond. */
const PARTS = 1_000

/**
 * One number, in the metric's unit; null: it never fired, so there is none. Percentiles are those of the histogram: as
 * many digits as it keeps, and rounded up in the last.
 *
 * @throws Fault "broken": the aggregation does not fit the reading.
 */
export function aggregate(reading: Reading | undefined, aggregation: Aggregation): number | null {
  if (reading === undefined) return null
  const { method } = aggregation
  switch (reading.kind) {
    case "trend":
      return reading.histogram.totalCount === 0 ? null : ofTrend(reading.histogram, aggregation)
    case "counter":
      if (method === "count") return finite(reading.count)
      if (method === "rate") return finite(reading.count / reading.seconds)
      break
    case "gauge":
      if (method === "value") return finite(reading.value)
      break
    case "rate":
      if (method === "rate") return finite(reading.hits / reading.total)
      break
  }
  throw new Fault("broken", `a ${reading.kind} has no ${method}`)
}

function ofTrend(histogram: Histogram, aggregation: Aggregation): number {
  const percentile = (at: number) => Math.min(histogram.getValueAtPercentile(at), histogram.maxValue) / PARTS
  switch (aggregation.method) {
    case "avg":
      return histogram.mean / PARTS
    case "min":
      return histogram.getValueAtPercentile(0) === 0 ? 0 : histogram.minNonZeroValue / PARTS
    case "max":
      return histogram.maxValue / PARTS
    case "med":
      return percentile(50)
    case "p":
      return percentile(aggregation.percentile)
    default:
      throw new Fault("broken", `a trend has no ${aggregation.method}`)
  }
}

/**
 * For `report.metrics`, in each metric's unit: a trend as {avg, min, med, max, p90, p95, p99, count}, a counter as
 * {count, rate}, the others as one number. What never fired is left out.
 */
export function metricsOf(readings: Readings): Report["metrics"] {
  const metrics: Report["metrics"] = {}
  for (const name of METRIC_NAMES) {
    const summary = summaryOf(readings[name], name)
    if (summary !== null) metrics[name] = summary
  }
  return metrics
}

function summaryOf(reading: Reading | undefined, name: MetricName): Report["metrics"][string] | null {
  if (reading === undefined) return null
  checkKind(name, reading)
  const value = (aggregation: Aggregation) => aggregate(reading, aggregation)
  switch (reading.kind) {
    case "trend":
      if (reading.histogram.totalCount === 0) return null
      return present({
        avg: value({ method: "avg" }),
        min: value({ method: "min" }),
        med: value({ method: "med" }),
        max: value({ method: "max" }),
        p90: value({ method: "p", percentile: 90 }),
        p95: value({ method: "p", percentile: 95 }),
        p99: value({ method: "p", percentile: 99 }),
        count: reading.histogram.totalCount,
      })
    case "counter":
      return present({ count: value({ method: "count" }), rate: value({ method: "rate" }) })
    case "gauge":
      return value({ method: "value" })
    case "rate":
      return value({ method: "rate" })
  }
}

/** @throws Fault "broken": the metric is of another kind than what was read. */
export function checkKind(name: MetricName, reading: Reading): void {
  const { kind } = METRICS[name]
  if (reading.kind !== kind)
    throw new Fault("broken", `${name} is a ${kind}, and was read as a ${reading.kind}`)
}

function present(values: Readonly<Record<string, number | null>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, number] => entry[1] !== null),
  )
}

/** Nothing counted over no time, or a part of nothing, is no number that anybody measured. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
