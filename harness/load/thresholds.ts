import { Fault } from "../../firmware/errors.ts"
import { nearest } from "../scenario/nearest.ts"
import { type Aggregation, aggregate, checkKind, METHODS, type Method } from "./aggregation.ts"
import { METRIC_NAMES, METRICS, type MetricKind, type MetricName, type Readings } from "./metrics.ts"
import type { ThresholdResult } from "./report.ts"

/**
 * What a run must come to, as k6 spells it (metrics/thresholds_parser.go), in the metric's own unit:
 *
 *   threshold    aggregation operator number
 *   aggregation  avg min max med p(N)   of a trend, N from 0 to 100
 *                count rate             of a counter; rate: a second
 *                rate                   of a rate, 0 to 1
 *                value                  of a gauge
 *   operator     < <= > >= == === !=
 *   number       digits, and a point and digits; no sign, no exponent, no unit
 */
export interface Threshold {
  readonly metric: MetricName
  /** As it was written, without spaces around it. */
  readonly expr: string
  readonly aggregation: Aggregation
  readonly operator: Operator
  /** In the metric's unit. */
  readonly bound: number
}

export type Operator = "<" | "<=" | ">" | ">=" | "==" | "===" | "!="

const HOLDS: Readonly<Record<Operator, (value: number, bound: number) => boolean>> = {
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
  "==": (value, bound) => value === bound,
  "===": (value, bound) => value === bound,
  "!=": (value, bound) => value !== bound,
}

const EXPRESSION_LENGTH_MAX = 100
const EXPRESSIONS_MAX = 20
/** Aggregation, N of p(N), operator, number. */
const GRAMMAR =
  /^(?:([A-Za-z]\w*)|p\( *(\d{1,3}(?:\.\d{1,9})?) *\)) *(<=|<|>=|>|===|==|!=) *(\d{1,15}(?:\.\d{1,15})?)$/
const EXAMPLES: Readonly<Record<MetricKind["kind"], string>> = {
  trend: "p(95)<500",
  counter: "count<10",
  gauge: "value<200",
  rate: "rate<0.01",
}

/**
 * @param input By metric, one expression or up to 20.
 * @throws Fault "usage", one line: no such metric, an aggregation that its kind has not, or no threshold at all.
 */
export function parseThresholds(
  input: Readonly<Record<string, string | readonly string[]>>,
): readonly Threshold[] {
  return Object.entries(input).flatMap(([name, given]) => {
    const metric = parseMetric(name)
    const expressions: readonly string[] = typeof given === "string" ? [given] : given
    if (expressions.length === 0 || expressions.length > EXPRESSIONS_MAX)
      throw refused(metric, `has ${expressions.length} expressions; give it 1 to ${EXPRESSIONS_MAX}`)
    return expressions.map((text) => parseThreshold(metric, text))
  })
}

function parseMetric(name: string): MetricName {
  const found = METRIC_NAMES.find((each) => each === name)
  if (found !== undefined) return found
  const near = name.length > EXPRESSION_LENGTH_MAX ? null : nearest(name, METRIC_NAMES)
  const advice = near === null ? `there are ${METRIC_NAMES.join(", ")}` : `did you mean ${near}?`
  throw new Fault("usage", `thresholds: there is no metric ${shown(name)}; ${advice}`)
}

function parseThreshold(metric: MetricName, text: string): Threshold {
  const { kind, unit }: MetricKind = METRICS[metric]
  const expr = text.trim()
  const match = expr.length > EXPRESSION_LENGTH_MAX ? null : GRAMMAR.exec(expr)
  if (match === null) {
    const number = unit === "1" ? ", a plain number from 0 to 1" : unit && `, a plain number in ${unit}`
    throw refused(metric, `${shown(expr)} is no threshold; one looks like ${EXAMPLES[kind]}${number}`)
  }
  const [, word, percentile = "", operator = "", number = ""] = match
  const fitting: readonly Method[] = METHODS[kind]
  const aggregation = aggregationOf(word ?? null, Number(percentile))
  if (aggregation === null || !fitting.includes(aggregation.method)) {
    const fit = fitting.map((method) => (method === "p" ? "p(N)" : method)).join(", ")
    throw refused(metric, `${shown(expr)}: a ${kind} has no ${shown(word ?? "p(N)")}; it has ${fit}`)
  }
  if (aggregation.method === "p" && aggregation.percentile > 100)
    throw refused(metric, `${shown(expr)}: N in p(N) is from 0 to 100`)
  const bound = Number(number)
  if (kind === "rate" && bound > 1)
    throw refused(metric, `${shown(expr)}: a rate is a part of all, so give a number from 0 to 1`)
  return { metric, expr, aggregation, operator: operator as Operator, bound }
}

function aggregationOf(word: string | null, percentile: number): Aggregation | null {
  switch (word) {
    case null:
      return { method: "p", percentile }
    case "avg":
    case "min":
    case "max":
    case "med":
    case "count":
    case "rate":
    case "value":
      return { method: word }
    default:
      return null
  }
}

/** Each of `thresholds` against what a run found; of a metric that never fired nothing holds. */
export function judgeThresholds(
  thresholds: readonly Threshold[],
  readings: Readings,
): readonly ThresholdResult[] {
  return thresholds.map((threshold) => judgeThreshold(threshold, readings))
}

export function judgeThreshold(threshold: Threshold, readings: Readings): ThresholdResult {
  const { metric, expr, aggregation, operator, bound } = threshold
  const reading = readings[metric]
  if (reading !== undefined) checkKind(metric, reading)
  const value = aggregate(reading, aggregation)
  return { metric, expr, value, pass: value !== null && HOLDS[operator](value, bound) }
}

function refused(metric: MetricName, why: string): Fault {
  return new Fault("usage", `thresholds: ${metric}: ${why}`)
}

/** What somebody wrote, in quotes, on one line and not too long. */
function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text)
}
