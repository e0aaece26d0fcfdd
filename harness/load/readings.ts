import type { Judgement } from "./evidence.ts"
import type { CameraResult, CamerasFinished, Usage } from "./messages.ts"
import type { Reading, Readings } from "./metrics.ts"
import type { Timeline } from "./timeline.ts"
import { addedUp } from "./times.ts"

export interface RunNumbers {
  readonly results: readonly CamerasFinished[]
  readonly cloud: Usage
  readonly timeline: Timeline
  readonly judgement: Judgement
  /** From the first camera's start to the end of the final phase. */
  readonly seconds: number
}

const GB = 2 ** 30

/** Every metric of a run that fired. */
export function readingsOf({ results, cloud, timeline, judgement, seconds }: RunNumbers): Readings {
  const cameras = results.flatMap((result) => result.cameras)
  const { clips, bytes } = judgement
  const trend = (of: (result: CamerasFinished) => string): Reading | null => {
    const histogram = addedUp(results.map(of))
    return histogram && { kind: "trend", histogram }
  }
  const counter = (count: number): Reading => ({ kind: "counter", count, seconds })
  const sum = (of: (camera: CameraResult) => number) => cameras.reduce((total, each) => total + of(each), 0)
  const usage = (of: (usage: Usage) => number) => results.reduce((total, each) => total + of(each.usage), 0)
  const perGB = (cpuSeconds: number): Reading | null =>
    bytes.delivered === 0 ? null : { kind: "gauge", value: cpuSeconds / (bytes.delivered / GB) }
  const visits = sum((camera) => camera.visits)
  return present({
    alert_latency: trend(({ times }) => times.alert),
    receipt_latency: trend(({ times }) => times.receipt),
    connect_latency: trend(({ times }) => times.connect),
    backoff: trend(({ times }) => times.backOff),
    generator_lag: trend(({ times }) => times.lag),
    recovery:
      results.length === 0
        ? null
        : { kind: "gauge", value: Math.max(...results.map((r) => r.recoverySeconds)) },
    visits: counter(visits),
    visits_missed:
      visits === 0 ? null : { kind: "rate", hits: sum((camera) => camera.missedVisits), total: visits },
    clips_recorded: counter(clips.recorded),
    clips_delivered: counter(clips.delivered),
    clips_lost: counter(clips.lost),
    objects_dropped: counter(sum(({ dropped }) => dropped.reduce((n, { from, to }) => n + to - from + 1, 0))),
    cameras_up: timeline.camerasUp,
    connects: counter(sum((camera) => camera.connects)),
    disconnects: counter(sum((camera) => camera.disconnects)),
    uploads_refused: counter(sum((camera) => camera.refusedUploads)),
    upload_rate: timeline.uploadRate,
    cpu_cameras: perGB(usage(({ cpuSeconds }) => cpuSeconds)),
    cpu_sealing: perGB(usage(({ cpuSeconds, share }) => cpuSeconds * (share ?? 0))),
    cpu_broker: perGB(cloud.cpuSeconds * (1 - (cloud.share ?? 0))),
    cpu_ingest: perGB(cloud.cpuSeconds * (cloud.share ?? 0)),
    memory_cameras: { kind: "gauge", value: usage(({ memoryMiB }) => memoryMiB) },
    memory_broker: { kind: "gauge", value: cloud.memoryMiB },
    strangers_let_in: counter(results.reduce((total, each) => total + each.strangersLetIn, 0)),
  })
}

function present(readings: { readonly [Name in keyof Required<Readings>]: Reading | null }): Readings {
  return Object.fromEntries(Object.entries(readings).filter(([, reading]) => reading !== null))
}
