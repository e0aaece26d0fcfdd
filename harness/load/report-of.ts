import { detailOf, type Strike, spelledRanges } from "../scenario/strikes.ts"
import { metricsOf } from "./aggregation.ts"
import type { Judgement } from "./evidence.ts"
import type { CamerasFinished, Usage } from "./messages.ts"
import type { Readings } from "./metrics.ts"
import type { LoadedPlan } from "./plan.ts"
import type { FaultStruck, Report, WorstCamera } from "./report.ts"
import { judgeThresholds, type Threshold } from "./thresholds.ts"
import type { Timeline } from "./timeline.ts"
import { addedUp, percentile } from "./times.ts"

export interface JudgedRun {
  readonly loaded: LoadedPlan
  readonly command: string
  readonly commit: string
  readonly judgement: Judgement
  readonly results: readonly CamerasFinished[]
  readonly cloud: Usage
  readonly timeline: Timeline
}

const GB = 1_024 ** 3
const WORST_MAX = 20
/** Nothing broke, but a threshold failed: as k6 says it. */
const THRESHOLDS_FAILED = 99

/** A run and its judgement in numbers. */
export function reportOf(run: JudgedRun, readings: Readings, thresholds: readonly Threshold[]): Report {
  const { loaded, command, commit, judgement, results, cloud, timeline } = run
  const { plan, strikes } = loaded
  const { clips, segments, bytes, cameras, invariants } = judgement
  const judged = judgeThresholds(thresholds, readings)
  const latency = addedUp(results.map(({ times }) => times.receipt))
  const lag = addedUp(results.map(({ times }) => times.lag))
  const at = (percent: number) => {
    const value = latency && percentile(latency, percent)
    return value === null ? null : rounded(value, 1)
  }
  const perGB = (cpuSeconds: number) =>
    bytes.delivered === 0 ? null : rounded(cpuSeconds / (bytes.delivered / GB), 2)
  const sum = (of: (result: CamerasFinished) => number) =>
    results.reduce((total, result) => total + of(result), 0)
  const broke = invariants.some(({ count, limit }) => count > limit)
  return {
    schema: "obscura.report.v2",
    scenario: plan.name,
    seed: plan.seed,
    commit,
    command,
    exitCode: broke ? 1 : judged.every(({ pass }) => pass) ? 0 : THRESHOLDS_FAILED,
    cameras: { asked: plan.to - plan.from, ...cameras },
    clips,
    segments,
    bytes: { sealed: bytes.sealed, padding: bytes.padding },
    invariants: [...invariants],
    thresholds: [...judged],
    faults: strikes.map(faultStruck),
    metrics: metricsOf(readings),
    worst: worstOf(results, judgement),
    connects: { perSecond: timeline.connectsPerSecond, ratio: null },
    latency: { p50Ms: at(50), p95Ms: at(95) },
    cpu: {
      camerasSecondsPerGB: perGB(sum(({ usage }) => usage.cpuSeconds)),
      sealingSecondsPerGB: perGB(sum(({ usage }) => usage.cpuSeconds * (usage.share ?? 0))),
      brokerSecondsPerGB: perGB(cloud.cpuSeconds * (1 - (cloud.share ?? 0))),
      ingestSecondsPerGB: perGB(cloud.cpuSeconds * (cloud.share ?? 0)),
    },
    memory: {
      camerasMiB: rounded(
        sum(({ usage }) => usage.memoryMiB),
        1,
      ),
      brokerMiB: rounded(cloud.memoryMiB, 1),
      idleKiBPerCamera: idleOf(results),
    },
    generator: { lagP99Ms: rounded((lag && percentile(lag, 99)) ?? 0, 1) },
    virtual: null,
    eventLogHash: null,
  }
}

function faultStruck({ fault, cameras }: Strike): FaultStruck {
  return {
    at: fault.at,
    for: "for" in fault ? fault.for : null,
    kind: fault.kind,
    detail: detailOf(fault),
    target: cameras === null ? "cloud" : spelledRanges(cameras),
  }
}

/** Lost clips first, then who was not up at the end, then who was slow. */
function worstOf(results: readonly CamerasFinished[], { lostOf }: Judgement): WorstCamera[] {
  return results
    .flatMap(({ cameras }) => cameras)
    .map(
      (camera): WorstCamera => ({
        camera: camera.index,
        up: camera.connected && camera.settled && camera.fault === null,
        connects: camera.connects,
        clips: camera.clips.filter(({ outcome }) => outcome === "recorded").length,
        lost: lostOf.get(camera.index) ?? 0,
        dropped: camera.dropped.reduce((total, { from, to }) => total + to - from + 1, 0),
        p95Ms: camera.receiptP95Ms === null ? null : rounded(camera.receiptP95Ms, 1),
        complaints: [...(camera.fault === null ? [] : [camera.fault]), ...camera.complaints].slice(0, 5),
      }),
    )
    .sort(
      (a, b) =>
        b.lost - a.lost ||
        Number(a.up) - Number(b.up) ||
        b.dropped - a.dropped ||
        (b.p95Ms ?? 0) - (a.p95Ms ?? 0),
    )
    .slice(0, WORST_MAX)
}

/** null where something had moved before all were up. */
function idleOf(results: readonly CamerasFinished[]): number | null {
  let mebibytes = 0
  let cameras = 0
  for (const { idleMiB, cameras: own } of results) {
    if (idleMiB === null) return null
    mebibytes += idleMiB
    cameras += own.length
  }
  return cameras === 0 ? null : rounded((mebibytes * 1_024) / cameras, 1)
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
