import { decodeFromCompressedBase64 } from "hdr-histogram-js"
import type { Reading, Readings } from "./metrics.ts"
import type { RunNumbers } from "./numbers.ts"
import type { Series } from "./series.ts"
import { newHistogram } from "./times.ts"

const GB = 2 ** 30

/** Every metric that fired, of one run's numbers or of those of all its shards. */
export function readingsFrom(numbers: RunNumbers): Readings {
  const { clips, bytes, times, counts, up, usage, seconds, recoverySeconds, series } = numbers
  const gauge = (value: number): Reading => ({ kind: "gauge", value })
  const counter = (count: number): Reading => ({ kind: "counter", count, seconds })
  const perGB = (cpuSeconds: number) =>
    bytes.delivered === 0 ? null : gauge(cpuSeconds / (bytes.delivered / GB))
  return present({
    alert_latency: trend(times.alert),
    receipt_latency: trend(times.receipt),
    live_latency: trend(times.live),
    connect_latency: trend(times.connect),
    backoff: trend(times.backOff),
    generator_lag: trend(times.lag),
    recovery: recoverySeconds === null ? null : gauge(recoverySeconds),
    visits: counter(counts.visits),
    visits_missed:
      counts.visits === 0 ? null : { kind: "rate", hits: counts.missedVisits, total: counts.visits },
    clips_recorded: counter(clips.recorded),
    clips_delivered: counter(clips.delivered),
    clips_lost: counter(clips.lost),
    objects_dropped: counter(counts.droppedObjects),
    cameras_up: up && { kind: "rate", ...up },
    visitors_hit: null, // told in virtual time alone, as is the next
    false_alarms: null,
    connects: counter(counts.connects),
    disconnects: counter(counts.disconnects),
    uploads_refused: counter(counts.refusedUploads),
    upload_rate: uploadRate(series),
    cpu_cameras: perGB(usage.camerasSeconds),
    cpu_sealing: perGB(usage.sealingSeconds),
    cpu_broker: perGB(usage.brokerSeconds - usage.ingestSeconds),
    cpu_ingest: perGB(usage.ingestSeconds),
    memory_cameras: gauge(usage.camerasMiB),
    memory_broker: gauge(usage.brokerMiB),
    strangers_let_in: counter(counts.strangersLetIn),
  })
}

function trend(encoded: string | null): Reading | null {
  return encoded === null ? null : { kind: "trend", histogram: decodeFromCompressedBase64(encoded) }
}

/** MB/s in thousandths, second by second: of several shards it is the sum of each second, not a mixture of all. */
function uploadRate({ columns }: Series): Reading | null {
  const histogram = newHistogram()
  for (const rate of columns.megabytesPerSecond)
    if (rate !== null) histogram.recordValue(Math.min(3_599_000_000, Math.round(rate * 1_000)))
  return histogram.totalCount === 0 ? null : { kind: "trend", histogram }
}

function present(readings: { readonly [Name in keyof Required<Readings>]: Reading | null }): Readings {
  return Object.fromEntries(Object.entries(readings).filter(([, reading]) => reading !== null))
}
