import { metricsOf } from "./aggregation.ts"
import { METRIC_NAMES, METRICS, type MetricKind, type Readings } from "./metrics.ts"
import type { Report } from "./report.ts"

type Values = Report["metrics"][string]

/** How a unit of ours is called in base units, and what to multiply by. */
const BASE: Readonly<Record<MetricKind["unit"], { readonly suffix: string; readonly factor: number }>> = {
  ms: { suffix: "_seconds", factor: 0.001 },
  s: { suffix: "_seconds", factor: 1 },
  KiB: { suffix: "_bytes", factor: 1_024 },
  MiB: { suffix: "_bytes", factor: 1_024 ** 2 },
  "MB/s": { suffix: "_bytes_per_second", factor: 1_000_000 },
  // In base units it would be some billionths of a second for a byte, which nobody could compare with a report.
  "CPU-s/GB": { suffix: "_seconds_per_gibibyte", factor: 1 },
  "1": { suffix: "_ratio", factor: 1 },
  // What is counted is in the metric's name.
  cameras: { suffix: "", factor: 1 },
  clips: { suffix: "", factor: 1 },
  objects: { suffix: "", factor: 1 },
  visits: { suffix: "", factor: 1 },
  "": { suffix: "", factor: 1 },
}

const QUANTILES = { "0.5": "med", "0.9": "p90", "0.95": "p95", "0.99": "p99" } as const

export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

/**
 * Prometheus' text format, 0.0.4: each metric that fired as `obscura_<metric>` with its base unit. Trends are summaries,
 * counters end in `_total`. Of a report also
 *
 *   obscura_run_info{scenario,seed,commit} 1
 *   obscura_run_exit_code
 *   obscura_threshold_held{metric,expr}      1 or 0
 *   obscura_invariant_breaks{invariant}      how often it was broken
 */
export function prometheusOf(source: Report | Readings): string {
  const lines = isReport(source)
    ? [...metricLines(source.metrics), ...reportLines(source)]
    : metricLines(metricsOf(source))
  return lines.map((line) => `${line}\n`).join("")
}

function isReport(source: Report | Readings): source is Report {
  return "schema" in source
}

function metricLines(metrics: Report["metrics"]): readonly string[] {
  return METRIC_NAMES.flatMap((name) => {
    const values = Object.hasOwn(metrics, name) ? metrics[name] : undefined
    if (values === undefined) return []
    const { kind, unit, what }: MetricKind = METRICS[name]
    const { suffix, factor } = BASE[unit]
    const full = `obscura_${name}${suffix}${kind === "counter" ? "_total" : ""}`
    const type = kind === "trend" ? "summary" : kind === "counter" ? "counter" : "gauge"
    return family(full, type, what, samplesOf(full, kind, values, factor))
  })
}

function samplesOf(
  name: string,
  kind: MetricKind["kind"],
  values: Values,
  factor: number,
): readonly string[] {
  if (typeof values === "number") return kind === "trend" ? [] : [sample(name, {}, values * factor)]
  if (kind === "counter") return values.count === undefined ? [] : [sample(name, {}, values.count)]
  if (kind !== "trend") return []
  const quantiles = Object.entries(QUANTILES).flatMap(([quantile, key]) => {
    const value = values[key]
    return value === undefined ? [] : [sample(name, { quantile }, value * factor)]
  })
  const { avg, count } = values
  const sums =
    avg === undefined || count === undefined
      ? []
      : [sample(`${name}_sum`, {}, avg * count * factor), sample(`${name}_count`, {}, count)]
  return [...quantiles, ...sums]
}

function reportLines({
  scenario,
  seed,
  commit,
  exitCode,
  thresholds,
  invariants,
}: Report): readonly string[] {
  const info = sample("obscura_run_info", { scenario, seed: String(seed), commit }, 1)
  // The same line twice would make the whole page unreadable.
  const held = new Map(
    thresholds.map(({ metric, expr, pass }) => [`${metric} ${expr}`, { metric, expr, pass }] as const),
  )
  return [
    ...family("obscura_run_info", "gauge", "which run this was", [info]),
    ...family("obscura_run_exit_code", "gauge", "0 held, 1 an invariant broke, 99 only thresholds failed", [
      sample("obscura_run_exit_code", {}, exitCode),
    ]),
    ...family(
      "obscura_threshold_held",
      "gauge",
      "1 if the threshold held",
      [...held.values()].map(({ metric, expr, pass }) =>
        sample("obscura_threshold_held", { metric, expr }, pass ? 1 : 0),
      ),
    ),
    ...family(
      "obscura_invariant_breaks",
      "gauge",
      "how often the invariant was broken",
      invariants.map(({ name, count }) => sample("obscura_invariant_breaks", { invariant: name }, count)),
    ),
  ]
}

function family(
  name: string,
  type: "counter" | "gauge" | "summary",
  help: string,
  samples: readonly string[],
): readonly string[] {
  if (samples.length === 0) return []
  const text = help.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")
  return [`# HELP ${name} ${text}`, `# TYPE ${name} ${type}`, ...samples]
}

function sample(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${quoted(text)}"`)
  return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${plain(value)}`
}

function quoted(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")
}

/** Without the last bit's noise of a change of units: 0.0123, not 0.012300000000000002. */
function plain(value: number): string {
  if (Number.isNaN(value)) return "NaN"
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf"
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(12)))
}
