import { LAG_MAX } from "../lag.ts"
import type { Report, ThresholdResult } from "../report.ts"
import type { SeriesName } from "../series.ts"

/** Names of colours in the page's style: --blue and so on. */
export type Colour = "blue" | "slate" | "teal" | "amber" | "violet" | "rose"

export interface ChartLine {
  readonly name: SeriesName
  readonly label: string
  readonly colour: Colour
  /** Lets a line below it show. */
  readonly dashed?: true
}

/** A level worth a line of its own, such as a threshold's. */
export interface Mark {
  readonly value: number
  readonly label: string
}

export interface ChartPlan {
  readonly title: string
  readonly unit: string
  /** How to read it, where the title does not say; may be empty. */
  readonly note: string
  /** area: one quantity down to zero; stack: parts of a sum; log: a logarithmic scale. */
  readonly kind: "line" | "area" | "stack" | "log"
  readonly lines: readonly ChartLine[]
  readonly marks: readonly Mark[]
  /** What the scale goes up to at least; null: what there is. */
  readonly top: number | null
}

/** The charts of a run from top to bottom. */
export function chartPlans({ cameras, thresholds }: Report): readonly ChartPlan[] {
  const plain = { note: "", marks: [], top: null }
  return [
    {
      ...{ title: "Cameras up", unit: "cameras", kind: "area", ...plain, top: cameras.asked },
      lines: [{ name: "camerasUp", label: "connected", colour: "blue" }],
    },
    {
      ...{ title: "Clips", unit: "a second", kind: "area", ...plain },
      lines: [{ name: "clipsPerSecond", label: "recorded", colour: "teal" }],
    },
    {
      ...{ title: "Sealed bytes into the bucket", unit: "MB/s", kind: "area", ...plain },
      lines: [{ name: "megabytesPerSecond", label: "delivered", colour: "blue" }],
    },
    {
      ...{ title: "Latency", unit: "ms", kind: "log", ...plain },
      note: "logarithmic",
      marks: marksOf(thresholds),
      lines: [
        { name: "alertP95Ms", label: "alert p95", colour: "amber" },
        { name: "receiptP95Ms", label: "receipt p95", colour: "blue" },
        { name: "receiptP50Ms", label: "receipt p50", colour: "slate" },
      ],
    },
    {
      ...{ title: "Waiting objects", unit: "objects", kind: "area", ...plain },
      note: "sealed, not yet receipted",
      lines: [{ name: "waitingObjects", label: "waiting", colour: "amber" }],
    },
    {
      ...{ title: "Back-off spread", unit: "a second", kind: "line", ...plain },
      note: "a storm is a peak, jitter spreads it",
      lines: [
        { name: "connectsPerSecond", label: "accepted", colour: "blue" },
        { name: "dialsPerSecond", label: "dials", colour: "rose", dashed: true },
      ],
    },
    {
      ...{ title: "Processor", unit: "cores", kind: "stack", ...plain },
      lines: [
        { name: "coresCameras", label: "cameras", colour: "blue" },
        { name: "coresSealing", label: "sealing", colour: "violet" },
        { name: "coresBroker", label: "broker", colour: "teal" },
        { name: "coresIngest", label: "ingest", colour: "amber" },
      ],
    },
    {
      ...{ title: "Memory", unit: "MiB", kind: "line", ...plain },
      lines: [
        { name: "memoryCamerasMiB", label: "cameras", colour: "blue" },
        { name: "memoryBrokerMiB", label: "broker and ingest", colour: "teal" },
      ],
    },
    {
      ...{ title: "Generator lag", unit: "ms", kind: "area", ...plain },
      note: "how late timers came: high says that this machine is too small",
      marks: [{ value: LAG_MAX, label: "too slow" }],
      lines: [{ name: "lagMs", label: "p99", colour: "rose" }],
    },
  ]
}

/** Bounds on latencies, in the chart that shows them. */
function marksOf(thresholds: readonly ThresholdResult[]): readonly Mark[] {
  return thresholds.flatMap(({ metric, expr }) => {
    if (metric !== "receipt_latency" && metric !== "alert_latency") return []
    const value = Number(/^[^<>=!]+[<>]=?\s*([\d.]+)$/.exec(expr)?.[1] ?? Number.NaN)
    return value > 0 ? [{ value, label: `${metric.replace("_latency", "")} ${expr}` }] : []
  })
}
