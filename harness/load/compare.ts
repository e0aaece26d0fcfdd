import { warningsOf } from "./compare-warnings.ts"
import { METRIC_NAMES, METRICS, type MetricKind, type MetricName } from "./metrics.ts"
import type { Report } from "./report.ts"

/** Two runs side by side: A is what was, B is what is asked about. */

export type Direction = "lower" | "higher" | "neither"

/** Which way a metric is better; neither: it says what the run was, not how good it was. */
export const BETTER: Readonly<Record<MetricName, Direction>> = {
  alert_latency: "lower",
  receipt_latency: "lower",
  live_latency: "lower",
  connect_latency: "lower",
  // Long waits spread a storm, short ones end it sooner.
  backoff: "neither",
  recovery: "lower",
  // The machine's, not the fleet's: there is a warning for it.
  generator_lag: "neither",
  visits: "neither",
  visits_missed: "lower",
  // As many as somebody came by for; what of them arrives is judged.
  clips_recorded: "neither",
  clips_delivered: "higher",
  clips_lost: "lower",
  objects_dropped: "lower",
  cameras_up: "higher",
  visitors_hit: "higher",
  false_alarms: "lower",
  connects: "neither",
  disconnects: "lower",
  uploads_refused: "lower",
  upload_rate: "higher",
  cpu_cameras: "lower",
  cpu_sealing: "lower",
  cpu_broker: "lower",
  cpu_ingest: "lower",
  memory_cameras: "lower",
  memory_broker: "lower",
  strangers_let_in: "lower",
}

/** Less of a difference is the clock's or the allocator's, whatever it is in percent. In each unit. */
const NOISE: Readonly<Record<MetricKind["unit"], number>> = {
  ms: 1,
  s: 0.1,
  KiB: 64,
  MiB: 2,
  "MB/s": 0.05,
  "CPU-s/GB": 0.05,
  "1": 0.001,
  cameras: 0,
  clips: 0,
  objects: 0,
  visits: 0,
  "": 0,
}

/** What broke a promise, so that one more is one too many. */
const NOT_TOLERATED: ReadonlySet<string> = new Set<MetricName>(["clips_lost", "strangers_let_in"])

/**
 * What of a trend is compared. The one greatest value of a run is chance, and where more is better the high percentiles
 * are its luckiest seconds: those are shown, and decide nothing.
 */
const PARTS: ReadonlyMap<string, readonly Direction[]> = new Map([
  ["med", ["lower", "higher"]],
  ["p95", ["lower"]],
  ["p99", ["lower"]],
  ["max", []],
])

export type Verdict =
  | "same"
  | "better"
  /** Worse, and within the tolerance. */
  | "a little worse"
  | "worse"
  | "differs"
  | "only in A"
  | "only in B"

export interface Row {
  /** A metric, a threshold or an invariant. */
  readonly name: string
  /** Of a trend: which percentile; otherwise empty. */
  readonly part: string
  /** May be empty. */
  readonly unit: string
  readonly a: number | null
  readonly b: number | null
  /** Of B against A, in percent of A; null: one of them is missing, or A is 0. */
  readonly percent: number | null
  readonly better: Direction
  readonly verdict: Verdict
}

export interface Comparison {
  readonly metrics: readonly Row[]
  /** The exit code, each threshold (1: held) and each invariant (how often it broke). */
  readonly verdicts: readonly Row[]
  /** Why the numbers may not be comparable; one line each. */
  readonly warnings: readonly string[]
  /** How many metrics both runs have that could have been worse; with none, no regression says nothing. */
  readonly judged: number
  /** How many rows are worse by more than the tolerance. */
  readonly regressions: number
}

/** @param tolerance In percent of A: how much worse a metric of B may be. A verdict may be no worse at all. */
export function compareReports(a: Report, b: Report, tolerance: number): Comparison {
  const metrics = metricRows(a, b, tolerance)
  const verdicts = verdictRows(a, b)
  const regressions = [...metrics, ...verdicts].filter(({ verdict }) => verdict === "worse").length
  const judged = metrics.filter(isJudged).length
  return { metrics, verdicts, warnings: warningsOf(a, b, judged), judged, regressions }
}

/** A promise that broke is a regression whatever else can be said. */
export function isNothingCompared({ judged, regressions }: Comparison): boolean {
  return judged === 0 && regressions === 0
}

function isJudged({ a, b, better }: Row): boolean {
  return a !== null && b !== null && better !== "neither"
}

function metricRows(a: Report, b: Report, tolerance: number): readonly Row[] {
  const own = (report: Report, name: string) =>
    Object.hasOwn(report.metrics, name) ? report.metrics[name] : undefined
  const found = [...Object.keys(a.metrics), ...Object.keys(b.metrics)]
  // Names that this version does not know come last: they are shown, and decide nothing.
  return [...new Set([...METRIC_NAMES.filter((name) => found.includes(name)), ...found])].flatMap((name) => {
    const [left, right] = [partsOf(own(a, name)), partsOf(own(b, name))]
    const known = METRIC_NAMES.find((each) => each === name)
    const { unit, kind }: MetricKind =
      known === undefined ? { kind: "gauge", unit: "", what: "" } : METRICS[known]
    const better = known === undefined ? "neither" : BETTER[known]
    return partsShown(kind, [...left.keys(), ...right.keys()]).map((part) =>
      judged(
        {
          name,
          part: part === "count" || part === "value" ? "" : part,
          unit: unit === "1" ? "" : unit,
          a: left.get(part) ?? null,
          b: right.get(part) ?? null,
          better: decides(kind, part, better) ? better : "neither",
        },
        NOT_TOLERATED.has(name) ? 0 : tolerance,
        NOISE[unit],
      ),
    )
  })
}

function partsOf(values: Report["metrics"][string] | undefined): ReadonlyMap<string, number> {
  return new Map(Object.entries(typeof values === "number" ? { value: values } : (values ?? {})))
}

/** A gauge or a rate is one number, and of a counter its count is compared; names we do not know are shown whole. */
function partsShown(kind: MetricKind["kind"], present: readonly string[]): readonly string[] {
  if (present.includes("value")) return ["value"]
  const compared = kind === "counter" ? ["count"] : [...PARTS.keys()]
  const shown = compared.filter((part) => present.includes(part))
  return shown.length > 0 ? shown : [...new Set(present)]
}

function decides(kind: MetricKind["kind"], part: string, better: Direction): boolean {
  if (kind === "trend") return PARTS.get(part)?.includes(better) === true
  return part === "value" || part === "count"
}

function judged(row: Omit<Row, "percent" | "verdict">, tolerance: number, noise: number): Row {
  const { a, b, better } = row
  if (a === null || b === null)
    return { ...row, percent: null, verdict: a === null ? "only in B" : "only in A" }
  const percent = a === b ? 0 : a === 0 ? null : (100 * (b - a)) / Math.abs(a)
  const verdict = (): Verdict => {
    if (Math.abs(b - a) <= noise) return "same"
    if (better === "neither") return "differs"
    if (b < a === (better === "lower")) return "better"
    return percent !== null && Math.abs(percent) <= tolerance ? "a little worse" : "worse"
  }
  return { ...row, percent, verdict: verdict() }
}

/** From best to worst. */
const EXIT_CODES: readonly Report["exitCode"][] = [0, 99, 1]

function verdictRows(a: Report, b: Report): readonly Row[] {
  const codes = judged({ ...BARE, name: "exit code", better: "lower", a: a.exitCode, b: b.exitCode }, 0, 0)
  const worse = EXIT_CODES.indexOf(b.exitCode) - EXIT_CODES.indexOf(a.exitCode)
  const verdict: Verdict = worse > 0 ? "worse" : worse < 0 ? "better" : "same"
  return [
    { ...codes, percent: null, verdict },
    ...paired(
      a.thresholds.map(({ metric, expr, pass }) => [`${metric}: ${expr}`, pass ? 1 : 0]),
      b.thresholds.map(({ metric, expr, pass }) => [`${metric}: ${expr}`, pass ? 1 : 0]),
      "higher",
    ),
    ...paired(
      a.invariants.map(({ name, count }) => [name, count]),
      b.invariants.map(({ name, count }) => [name, count]),
      "lower",
    ),
  ]
}

const BARE = { part: "", unit: "" } as const
type Named = readonly (readonly [name: string, value: number])[]

function paired(a: Named, b: Named, better: Direction): readonly Row[] {
  const [left, right] = [new Map(a), new Map(b)]
  return [...new Set([...left.keys(), ...right.keys()])].map((name) => {
    const row = { ...BARE, name, better, a: left.get(name) ?? null, b: right.get(name) ?? null }
    return { ...judged(row, 0, 0), percent: null }
  })
}
