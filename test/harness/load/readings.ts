import { build, type Histogram } from "hdr-histogram-js"
import type { Readings } from "../../../harness/load/metrics.ts"
import type { Report } from "../../../harness/load/report.ts"

/** Of values in the metric's unit. */
export function histogramOf(values: Iterable<number>): Histogram {
  const histogram = build({ highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: 3 })
  for (const value of values) histogram.recordValue(Math.round(value * 1_000))
  return histogram
}

export function trend(...values: readonly number[]) {
  return { kind: "trend", histogram: histogramOf(values) } as const
}

/** One of each kind; latencies are 1 to 100 ms. */
export const READINGS: Readings = {
  receipt_latency: trend(...Array.from({ length: 100 }, (_, i) => i + 1)),
  clips_recorded: { kind: "counter", count: 120, seconds: 60 },
  clips_lost: { kind: "counter", count: 0, seconds: 60 },
  memory_broker: { kind: "gauge", value: 99.5 },
  visits_missed: { kind: "rate", hits: 1, total: 200 },
}

/** A run that held, by and large as a fleet writes it. */
export const REPORT: Report = {
  schema: "obscura.report.v2",
  scenario: "steady",
  seed: 42,
  commit: "0123abc",
  command: "npm start -- --seed 42",
  exitCode: 0,
  seconds: 30,
  failures: [],
  cameras: { asked: 2, connected: 2, failed: 0 },
  clips: {
    recorded: 2,
    discarded: 1,
    delivered: 2,
    opened: 2,
    cut: 0,
    lost: 0,
    doubled: 0,
    openedByOthers: 0,
  },
  segments: { sealed: 9, delivered: 9, dropped: 0 },
  bytes: { sealed: 900_000, padding: 200_000 },
  invariants: [{ name: "clips lost", count: 0, limit: 0, detail: "counted" }],
  thresholds: [{ metric: "receipt_latency", expr: "p(95)<500", value: 95, pass: true }],
  faults: [],
  metrics: {
    receipt_latency: { avg: 50.5, min: 1, med: 50, max: 100, p90: 90, p95: 95, p99: 99, count: 100 },
    upload_rate: { avg: 4, min: 1, med: 4, max: 9, p90: 8, p95: 8.5, p99: 9, count: 60 },
    clips_delivered: { count: 120, rate: 2 },
    clips_lost: { count: 0, rate: 0 },
    memory_broker: 99.5,
    cameras_up: 0.99,
  },
  worst: [],
  connects: { perSecond: 2, ratio: null },
  latency: { p50Ms: 50, p95Ms: 95 },
  live: null,
  cpu: {
    camerasSecondsPerGB: 9.5,
    sealingSecondsPerGB: 3.2,
    brokerSecondsPerGB: 4.1,
    ingestSecondsPerGB: null,
  },
  memory: { camerasMiB: 170.2, brokerMiB: 99.5, idleKiBPerCamera: null },
  generator: { lagP99Ms: 3.1 },
  virtual: null,
  eventLogHash: null,
}
