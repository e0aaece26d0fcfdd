import { build, decodeFromCompressedBase64 } from "hdr-histogram-js"
import type { Judgement } from "./judge.ts"
import type { CamerasFinished, Usage } from "./messages.ts"
import type { FleetPlan } from "./plan.ts"
import type { Report } from "./report.ts"

/** A run and its judgement in numbers. */
export function reportOf(
  plan: FleetPlan,
  command: string,
  commit: string,
  judgement: Judgement,
  results: readonly CamerasFinished[],
  serverUsage: Usage,
): Report {
  const { clips, segments, bytes, cameras, invariants } = judgement
  const latency = build({ highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: 3 })
  for (const result of results) latency.add(decodeFromCompressedBase64(result.latency))
  const percentile = (at: number) =>
    latency.totalCount === 0 ? null : rounded(latency.getValueAtPercentile(at) / 1_000, 1)
  const perGB = (cpuSeconds: number) =>
    bytes.delivered === 0 ? null : rounded(cpuSeconds / (bytes.delivered / 1_024 ** 3), 2)
  const sum = (of: (result: CamerasFinished) => number) =>
    results.reduce((total, result) => total + of(result), 0)
  return {
    schema: "obscura.report.v1",
    seed: plan.seed,
    commit,
    command,
    exitCode: invariants.some(({ count, limit }) => count > limit) ? 1 : 0,
    cameras: { asked: plan.cameras, ...cameras },
    clips,
    segments,
    bytes: { sealed: bytes.sealed, padding: bytes.padding },
    invariants: [...invariants],
    latency: { p50Ms: percentile(50), p95Ms: percentile(95) },
    cpu: {
      camerasSecondsPerGB: perGB(sum(({ usage }) => usage.cpuSeconds)),
      brokerSecondsPerGB: perGB(serverUsage.cpuSeconds),
    },
    memory: {
      camerasMiB: rounded(
        sum(({ usage }) => usage.memoryMiB),
        1,
      ),
      brokerMiB: rounded(serverUsage.memoryMiB, 1),
    },
    generator: { lagP99Ms: rounded(Math.max(0, ...results.map(({ lagP99Ms }) => lagP99Ms)), 1) },
  }
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
