import type { CloudKeeper } from "./cloud-keeper.ts"
import type { CameraProgress } from "./messages.ts"
import type { Reading, Readings } from "./metrics.ts"
import type { Timeline } from "./timeline.ts"
import { addedUp } from "./times.ts"

/** What a run has found so far. Clips are not judged yet, so nothing is said of what was lost. */
export class LiveReadings {
  readonly #timeline: Timeline
  readonly #cloud: CloudKeeper

  constructor(timeline: Timeline, cloud: CloudKeeper) {
    this.#timeline = timeline
    this.#cloud = cloud
  }

  /** `seconds`: since the first camera's start. */
  readings(seconds: number): Readings {
    const { workers, uploadRate, camerasUp } = this.#timeline
    const sum = (of: (progress: CameraProgress) => number) =>
      workers.reduce((total, progress) => total + of(progress), 0)
    const counter = (count: number): Reading => ({ kind: "counter", count, seconds })
    const trend = (name: "receipt" | "alert" | "connect" | "backOff" | "lag"): Reading | null => {
      const histogram = addedUp(workers.map(({ times }) => times[name]))
      return histogram && { kind: "trend", histogram }
    }
    const all: Readonly<Record<string, Reading | null>> = {
      alert_latency: trend("alert"),
      receipt_latency: trend("receipt"),
      connect_latency: trend("connect"),
      backoff: trend("backOff"),
      generator_lag: trend("lag"),
      clips_recorded: counter(sum(({ recorded }) => recorded)),
      connects: counter(sum(({ connects }) => connects)),
      disconnects: counter(sum(({ disconnects }) => disconnects)),
      cameras_up: camerasUp,
      upload_rate: uploadRate,
      memory_cameras: { kind: "gauge", value: sum(({ memoryMiB }) => memoryMiB) },
      memory_broker: this.#cloud.memoryMiB === null ? null : { kind: "gauge", value: this.#cloud.memoryMiB },
    }
    return Object.fromEntries(Object.entries(all).filter(([, reading]) => reading !== null))
  }
}
