import { encodeIntoCompressedBase64 } from "hdr-histogram-js"
import { z } from "zod"
import type { Judgement } from "./evidence.ts"
import type { CameraResult, CamerasFinished, Usage } from "./messages.ts"
import { type PrivacyFindings, privacyShape } from "./privacy-shape.ts"
import { invariantShape, reportShape, worstShape } from "./report.ts"
import { type Series, seriesShape } from "./series.ts"
import type { Timeline } from "./timeline.ts"
import { addedUp } from "./times.ts"
import { worstOf } from "./worst.ts"

/**
 * All that a report is made of, as numbers of which those of two shards make those of one run: counts, sums,
 * distributions. `readings.ts` and `report-of.ts` divide, round and judge afterwards.
 */

const count = z.int().min(0)
const measure = z.number().min(0)
/** An HdrHistogram of microseconds as `times.ts` makes it, compressed, base64; null: nothing was counted. */
const histogram = z.base64().max(2_000_000).nullable()

export const numbersShape = z.strictObject({
  cameras: reportShape.shape.cameras,
  clips: reportShape.shape.clips,
  segments: reportShape.shape.segments,
  bytes: z.strictObject({ sealed: count, padding: count, delivered: count }),
  invariants: z.array(invariantShape),
  failures: z.array(z.string()),
  times: z.strictObject({
    receipt: histogram,
    alert: histogram,
    connect: histogram,
    backOff: histogram,
    lag: histogram,
    /** null: nobody looked. */
    live: histogram.default(null),
  }),
  counts: z.strictObject({
    visits: count,
    missedVisits: count,
    connects: count,
    disconnects: count,
    droppedObjects: count,
    refusedUploads: count,
    strangersLetIn: count,
  }),
  /** Camera-seconds connected, of all there could be; null: there was no second. */
  up: z.strictObject({ hits: count, total: count }).nullable(),
  /** From the first camera's start to the end of the final phase. */
  seconds: measure,
  /** Until the last spool was empty; null: no process of cameras came so far. */
  recoverySeconds: measure.nullable(),
  /** CPU seconds, and the most that was resident. */
  usage: z.strictObject({
    camerasSeconds: measure,
    /** Of those. */
    sealingSeconds: measure,
    camerasMiB: measure,
    brokerSeconds: measure,
    /** Of those. */
    ingestSeconds: measure,
    brokerMiB: measure,
  }),
  /** What processes of cameras grew by until nothing had moved yet; null: something had. */
  idle: z.strictObject({ mebibytes: measure, cameras: count }).nullable(),
  worst: z.array(worstShape),
  /** null or absent: no insiders tried. */
  privacy: privacyShape.nullable().optional(),
  series: seriesShape,
})
export type RunNumbers = z.infer<typeof numbersShape>

/** What the processes of a run tell of it. */
export interface RunParts {
  /** How many cameras were asked for. */
  readonly asked: number
  readonly results: readonly CamerasFinished[]
  readonly cloud: Usage
  readonly timeline: Pick<Timeline, "camerasUp">
  readonly series: Series
  readonly judgement: Judgement
  /** How old pictures were when viewers had them, as `times` below; null: nobody looked. */
  readonly live: string | null
  /** What insiders tried; null: they did not. */
  readonly privacy?: PrivacyFindings | null
  /** From the first camera's start to the end of the final phase. */
  readonly seconds: number
}

export function numbersOf(parts: RunParts): RunNumbers {
  const { asked, results, cloud, timeline, judgement, seconds, series } = parts
  const { clips, segments, bytes, invariants, failures } = judgement
  const all = results.flatMap(({ cameras }) => cameras)
  const sum = (of: (camera: CameraResult) => number) => all.reduce((total, each) => total + of(each), 0)
  const used = (of: (usage: Usage) => number) => results.reduce((total, { usage }) => total + of(usage), 0)
  const { camerasUp } = timeline
  return {
    cameras: { asked, ...judgement.cameras },
    clips: { ...clips },
    segments: { ...segments },
    bytes: { ...bytes },
    invariants: [...invariants],
    failures: [...failures],
    times: {
      receipt: encoded(results.map(({ times }) => times.receipt)),
      alert: encoded(results.map(({ times }) => times.alert)),
      connect: encoded(results.map(({ times }) => times.connect)),
      backOff: encoded(results.map(({ times }) => times.backOff)),
      lag: encoded(results.map(({ times }) => times.lag)),
      live: parts.live,
    },
    counts: {
      visits: sum((camera) => camera.visits),
      missedVisits: sum((camera) => camera.missedVisits),
      connects: sum((camera) => camera.connects),
      disconnects: sum((camera) => camera.disconnects),
      droppedObjects: sum(({ dropped }) => dropped.reduce((n, { from, to }) => n + to - from + 1, 0)),
      refusedUploads: sum((camera) => camera.refusedUploads),
      strangersLetIn: results.reduce((total, each) => total + each.strangersLetIn, 0),
    },
    up: camerasUp?.kind === "rate" ? { hits: camerasUp.hits, total: camerasUp.total } : null,
    seconds,
    recoverySeconds:
      results.length === 0 ? null : Math.max(...results.map(({ recoverySeconds }) => recoverySeconds)),
    usage: {
      camerasSeconds: used(({ cpuSeconds }) => cpuSeconds),
      sealingSeconds: used(({ cpuSeconds, share }) => cpuSeconds * (share ?? 0)),
      camerasMiB: used(({ memoryMiB }) => memoryMiB),
      brokerSeconds: cloud.cpuSeconds,
      ingestSeconds: cloud.cpuSeconds * (cloud.share ?? 0),
      brokerMiB: cloud.memoryMiB,
    },
    idle: idleOf(results),
    worst: worstOf(results, judgement),
    privacy: parts.privacy ?? null,
    series,
  }
}

/** All of them as one; each may be null. */
export function encoded(histograms: readonly (string | null)[]): string | null {
  const sum = addedUp(histograms.filter((each) => each !== null))
  return sum && encodeIntoCompressedBase64(sum)
}

/** null where something had moved before all were up. */
function idleOf(results: readonly CamerasFinished[]): RunNumbers["idle"] {
  let [mebibytes, cameras] = [0, 0]
  for (const { idleMiB, cameras: own } of results) {
    if (idleMiB === null) return null
    mebibytes += idleMiB
    cameras += own.length
  }
  return cameras === 0 ? null : { mebibytes, cameras }
}
