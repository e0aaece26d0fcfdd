import type { Seconds } from "../../../firmware/units.ts"
import type { Series, SeriesName } from "../series.ts"
import type { ChartLine, ChartPlan } from "./chart-plan.ts"
import type { StruckSpan } from "./fault-lane.ts"

/** What draw.js draws, as it stands in the page. */
export interface ChartData {
  /** The x axis of every chart, from 0. */
  readonly until: Seconds
  /** How many seconds one point stands for. */
  readonly step: Seconds
  readonly at: readonly Seconds[]
  readonly charts: readonly DrawnChart[]
  readonly faults: readonly StruckSpan[]
}

export interface DrawnChart extends Omit<ChartPlan, "lines"> {
  readonly lines: readonly DrawnLine[]
}

export interface DrawnLine extends ChartLine {
  /** As many as `at`; null: nothing was measured. */
  readonly values: readonly (number | null)[]
}

type Column = readonly (number | null)[]

/** More than this many points share a pixel, and would make a day's page as large as its film. */
const POINTS_MAX = 1_500
/** A file may hold any number; what no run can reach would only spoil the scale. */
const VALUE_MAX = 1e15

/** Of slots that share a point: the worst is what one looks for, but of what adds up the mean. */
const WORST_IS_LEAST: readonly SeriesName[] = ["camerasUp"]
const MEANS: readonly SeriesName[] = ["coresCameras", "coresSealing", "coresBroker", "coresIngest"]

/** Without lines that measured nothing, and without charts that have no line. */
export function chartData(
  plans: readonly ChartPlan[],
  series: Series,
  faults: readonly StruckSpan[],
  until: Seconds,
): ChartData {
  const bins = binsOf(series.at)
  const charts = plans
    .map((plan) => ({ ...plan, lines: plan.lines.flatMap((line) => drawn(line, series, bins)) }))
    .filter(({ lines }) => lines.length > 0)
  return {
    until,
    step: Math.max(1, Math.ceil(series.at.length / POINTS_MAX)),
    at: bins.map(([first]) => series.at[first] ?? 0),
    charts,
    faults,
  }
}

/** First slot, and the one after the last. */
type Bin = readonly [from: number, to: number]

function binsOf(at: readonly Seconds[]): readonly Bin[] {
  const size = Math.max(1, Math.ceil(at.length / POINTS_MAX))
  return Array.from({ length: Math.ceil(at.length / size) }, (_, i) => [i * size, (i + 1) * size])
}

function drawn(line: ChartLine, { columns }: Series, bins: readonly Bin[]): readonly DrawnLine[] {
  const column: Column = columns[line.name] ?? []
  const values = bins.map(([from, to]) => oneOf(line.name, column.slice(from, to)))
  return values.some((value) => value !== null) ? [{ ...line, values }] : []
}

function oneOf(name: SeriesName, slots: Column): number | null {
  const known = slots
    .filter((value) => value !== null)
    .map((value) => Math.min(VALUE_MAX, Math.max(0, value)))
  if (known.length === 0) return null
  if (MEANS.includes(name)) return known.reduce((sum, value) => sum + value, 0) / known.length
  return WORST_IS_LEAST.includes(name) ? Math.min(...known) : Math.max(...known)
}
