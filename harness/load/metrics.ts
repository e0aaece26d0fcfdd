import type { Histogram } from "hdr-histogram-js"

/** What a run is measured by. Thresholds name these, `report.json` and `metrics.prom` hold them. */

export interface MetricKind {
  /** trend: many values; counter: how many, over how long; gauge: one value; rate: what part of all. */
  readonly kind: "trend" | "counter" | "gauge" | "rate"
  readonly unit:
    | "ms"
    | "s"
    | "MiB"
    | "KiB"
    | "MB/s"
    | "CPU-s/GB"
    | "cameras"
    | "clips"
    | "objects"
    | "visits"
    | ""
    | "1"
  readonly what: string
}

export const METRICS = {
  alert_latency: {
    kind: "trend",
    unit: "ms",
    what: "from when somebody was to come by to the receipt of the first object of their clip",
  },
  receipt_latency: {
    kind: "trend",
    unit: "ms",
    what: "from an object's listing in a manifest to its receipt",
  },
  live_latency: {
    kind: "trend",
    unit: "ms",
    what: "from when the lens gave a picture to when a viewer had opened it",
  },
  connect_latency: {
    kind: "trend",
    unit: "ms",
    what: "from the first dial after a camera lost its link to being connected",
  },
  backoff: { kind: "trend", unit: "ms", what: "how long cameras waited before they dialled again" },
  recovery: {
    kind: "gauge",
    unit: "s",
    what: "from the last fault's end until every camera was connected and every spool empty",
  },
  generator_lag: {
    kind: "trend",
    unit: "ms",
    what: "by how much timers of the cameras' processes came late",
  },
  visits: { kind: "counter", unit: "visits", what: "how often somebody came by or rang" },
  visits_missed: { kind: "rate", unit: "1", what: "of those, before a camera that was off, or not yet on" },
  clips_recorded: { kind: "counter", unit: "clips", what: "finished and kept" },
  clips_delivered: { kind: "counter", unit: "clips", what: "whole in the bucket, and listed" },
  clips_lost: {
    kind: "counter",
    unit: "clips",
    what: "recorded, neither delivered nor dropped with a record",
  },
  objects_dropped: { kind: "counter", unit: "objects", what: "dropped by their camera with a signed record" },
  cameras_up: {
    kind: "rate",
    unit: "1",
    what: "cameras connected, of all that were asked for, second by second",
  },
  visitors_hit: {
    kind: "rate",
    unit: "1",
    what: "of the visitors whom a sensor felt, those of whom a clip was kept; with the footage's arrivals alone",
  },
  false_alarms: {
    kind: "gauge",
    unit: "clips",
    what: "clips kept in an hour before a camera that nobody passes; with the footage's arrivals alone",
  },
  connects: { kind: "counter", unit: "", what: "connections that were accepted" },
  disconnects: { kind: "counter", unit: "", what: "connections that broke, and dials that failed" },
  uploads_refused: { kind: "counter", unit: "", what: "manifests that the cloud refused with a reason" },
  upload_rate: {
    kind: "trend",
    unit: "MB/s",
    what: "sealed bytes that reached the bucket, second by second",
  },
  cpu_cameras: {
    kind: "gauge",
    unit: "CPU-s/GB",
    what: "processor time of the cameras for each GiB delivered",
  },
  cpu_sealing: { kind: "gauge", unit: "CPU-s/GB", what: "of that, sealing" },
  cpu_broker: {
    kind: "gauge",
    unit: "CPU-s/GB",
    what: "processor time of the cloud's process without its ingest",
  },
  cpu_ingest: { kind: "gauge", unit: "CPU-s/GB", what: "of its ingest: checks, hashes, bucket, receipts" },
  memory_cameras: { kind: "gauge", unit: "MiB", what: "the most that all processes of cameras had resident" },
  memory_broker: { kind: "gauge", unit: "MiB", what: "the most that the cloud's process had resident" },
  strangers_let_in: {
    kind: "counter",
    unit: "",
    what: "connections with a wrong key that the broker accepted",
  },
} as const satisfies Readonly<Record<string, MetricKind>>

export type MetricName = keyof typeof METRICS
export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[]

/** What a run found. A metric that never fired is missing. */
export type Readings = Partial<Record<MetricName, Reading>>

export type Reading =
  /** In thousandths of the metric's unit. */
  | { readonly kind: "trend"; readonly histogram: Histogram }
  | { readonly kind: "counter"; readonly count: number; readonly seconds: number }
  | { readonly kind: "gauge"; readonly value: number }
  | { readonly kind: "rate"; readonly hits: number; readonly total: number }
