import { z } from "zod"

/** A run second by second: `series.json` beside the report, for its charts. */

export const SERIES = {
  camerasUp: "cameras connected",
  connectsPerSecond: "connections accepted a second",
  dialsPerSecond: "dials a second: a storm is a peak, jitter spreads it",
  clipsPerSecond: "clips recorded a second",
  megabytesPerSecond: "sealed MB that reached the bucket a second",
  receiptP50Ms: "receipt latency, median of that second",
  receiptP95Ms: "receipt latency, 95th percentile of that second",
  alertP95Ms: "alert latency, 95th percentile of that second",
  waitingObjects: "objects on the cameras' disks: sealed, and not yet receipted",
  lagMs: "generator lag, 99th percentile of that second",
  coresCameras: "cores busy with cameras, sealing left out",
  coresSealing: "cores busy with sealing",
  coresBroker: "cores busy with the broker, ingest left out",
  coresIngest: "cores busy with ingest",
  memoryCamerasMiB: "resident memory of the cameras' processes",
  memoryBrokerMiB: "resident memory of the cloud's process",
} as const
export type SeriesName = keyof typeof SERIES

const column = z.array(z.number().nullable())

export const seriesShape = z.strictObject({
  schema: z.literal("obscura.series.v1"),
  /** Seconds from the first camera's start, one a slot. */
  at: z.array(z.number()),
  /** As many in each; null: nothing was measured in that slot. */
  columns: z.record(z.enum(Object.keys(SERIES) as [SeriesName, ...SeriesName[]]), column),
})
export type Series = z.infer<typeof seriesShape>
