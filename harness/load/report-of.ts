import { detailOf, type Strike, spelledRanges } from "../scenario/strikes.ts"
import { metricsOf } from "./aggregation.ts"
import type { RunNumbers } from "./numbers.ts"
import { isBroken } from "./privacy-shape.ts"
import { readingsFrom } from "./readings.ts"
import type { FaultStruck, Report } from "./report.ts"
import { judgeThresholds, type Threshold } from "./thresholds.ts"
import { addedUp, percentile } from "./times.ts"

/** Which run a report is of. */
export interface RunTitle {
  /** The scenario's name, or its file. */
  readonly name: string
  readonly seed: number
  readonly commit: string
  readonly firmware?: string | undefined
  readonly command: string
  /** How long things happen, as the scenario says. */
  readonly seconds: number
  readonly strikes: readonly Strike[]
}

const GB = 1_024 ** 3
/** Nothing broke, but a threshold failed: as k6 says it. */
const THRESHOLDS_FAILED = 99

/** A report of one run's numbers, or of those of all its shards. */
export function reportFrom(
  { name, seed, commit, firmware, command, seconds, strikes }: RunTitle,
  numbers: RunNumbers,
  thresholds: readonly Threshold[],
): Report {
  const readings = readingsFrom(numbers)
  const { cameras, clips, segments, bytes, invariants, failures } = numbers
  const { times, usage, idle, worst, series } = numbers
  const judged = judgeThresholds(thresholds, readings)
  const at = (encoded: string | null, percent: number) => {
    const histogram = encoded === null ? null : addedUp([encoded])
    const value = histogram && percentile(histogram, percent)
    return value === null ? null : rounded(value, 1)
  }
  const perGB = (cpuSeconds: number) =>
    bytes.delivered === 0 ? null : rounded(cpuSeconds / (bytes.delivered / GB), 2)
  const connects = series.columns.connectsPerSecond.filter((each) => each !== null)
  const { checks, insiders, leakage } = numbers.privacy ?? {}
  const broke = invariants.some(({ count, limit }) => count > limit) || checks?.some(isBroken) === true
  return {
    schema: "obscura.report.v2",
    ...{ scenario: name, seed, commit, ...(firmware && { firmware }), command },
    exitCode: broke ? 1 : judged.every(({ pass }) => pass) ? 0 : THRESHOLDS_FAILED,
    seconds,
    cameras,
    clips,
    segments,
    bytes: { sealed: bytes.sealed, padding: bytes.padding },
    invariants,
    failures,
    ...(checks && { checks }),
    ...(insiders && { insiders }),
    ...(leakage && { leakage }),
    thresholds: [...judged],
    faults: strikes.map(faultStruck),
    metrics: metricsOf(readings),
    worst,
    connects: {
      perSecond: connects.length === 0 ? null : connects.reduce((most, each) => Math.max(most, each), 0),
      ratio: null,
    },
    latency: { p50Ms: at(times.receipt, 50), p95Ms: at(times.receipt, 95) },
    live: liveOf(times.live),
    cpu: {
      camerasSecondsPerGB: perGB(usage.camerasSeconds),
      sealingSecondsPerGB: perGB(usage.sealingSeconds),
      brokerSecondsPerGB: perGB(usage.brokerSeconds - usage.ingestSeconds),
      ingestSecondsPerGB: perGB(usage.ingestSeconds),
    },
    memory: {
      camerasMiB: rounded(usage.camerasMiB, 1),
      brokerMiB: rounded(usage.brokerMiB, 1),
      idleKiBPerCamera: idle && rounded((idle.mebibytes * 1_024) / idle.cameras, 1),
    },
    generator: { lagP99Ms: at(times.lag, 99) ?? 0 },
    virtual: null,
    eventLogHash: null,
  }
}

function liveOf(encoded: string | null): Report["live"] {
  const histogram = encoded === null ? null : addedUp([encoded])
  if (histogram === null) return null
  const at = (percent: number) => rounded(percentile(histogram, percent) ?? 0, 1)
  return { pictures: histogram.totalCount, p50Ms: at(50), p95Ms: at(95) }
}

export function faultStruck({ fault, cameras }: Strike): FaultStruck {
  return {
    at: fault.at,
    for: "for" in fault ? fault.for : null,
    kind: fault.kind,
    detail: detailOf(fault),
    target: cameras === null ? "cloud" : spelledRanges(cameras),
  }
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
