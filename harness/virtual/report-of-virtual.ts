import type { Report } from "../load/report.ts"
import { faultStruck } from "../load/report-of.ts"
import type { NamedScenario } from "../scenario/load-scenario.ts"
import { strikesOf } from "../scenario/strikes.ts"
import { readingsOf } from "./recognition-tally.ts"
import { exitCodeOf, type VirtualOutcome } from "./run-virtual.ts"

export interface VirtualRun {
  readonly outcome: VirtualOutcome
  readonly seed: number
  readonly named: NamedScenario | null
  readonly cameras: number
  readonly commit: string
  readonly firmware?: string
  readonly command: string
}

const GB = 2 ** 30

/** What a run in virtual time can say in a report: processor and memory are those of all its processes together. */
export function reportOfVirtual(run: VirtualRun): Report {
  const { outcome, seed, named, cameras, commit, firmware, command } = run
  const { judgement, eventLogHash, virtual, struck, sealedBytes, memoryMiB, cpuSeconds } = outcome
  const { clips } = judgement
  return {
    schema: "obscura.report.v2",
    scenario: named?.name ?? "virtual",
    ...{ seed, commit, ...(firmware && { firmware }), command },
    ...{ exitCode: exitCodeOf(outcome), seconds: virtual.seconds },
    cameras: { asked: cameras, ...judgement.cameras },
    clips: {
      ...{
        recorded: clips.recorded,
        discarded: outcome.discarded,
        cut: clips.recovered,
        delivered: clips.delivered,
      },
      ...{ opened: clips.opened, lost: clips.lost, doubled: clips.doubled },
      openedByOthers: clips.openedByOthers,
    },
    segments: { sealed: 0, delivered: 0, dropped: 0 },
    bytes: { sealed: sealedBytes, padding: 0 },
    invariants: [...judgement.invariants],
    failures: [...judgement.failures],
    thresholds: [...outcome.thresholds],
    faults: named === null ? [] : strikesOf(named.scenario, seed).map(faultStruck),
    metrics: {
      ...recognitionOf(outcome),
      power_cuts: struck.power,
      network_cuts: struck.network,
      events: outcome.events,
    },
    worst: [],
    connects: { perSecond: null, ratio: null },
    latency: { p50Ms: null, p95Ms: null },
    cpu: {
      camerasSecondsPerGB: sealedBytes === 0 ? null : Number((cpuSeconds / (sealedBytes / GB)).toFixed(2)),
      ...{ sealingSecondsPerGB: null, brokerSecondsPerGB: null, ingestSecondsPerGB: null },
    },
    live: null,
    memory: { camerasMiB: Number(memoryMiB.toFixed(1)), brokerMiB: 0, idleKiBPerCamera: null },
    generator: { lagP99Ms: 0 },
    virtual: {
      seconds: virtual.seconds,
      wallSeconds: Number(virtual.wallSeconds.toFixed(1)),
    },
    eventLogHash,
  }
}

function recognitionOf({ recognition }: VirtualOutcome): Report["metrics"] {
  const { visitors_hit: hit, false_alarms: alarms } = readingsOf(recognition)
  return {
    ...(hit?.kind === "rate" && { visitors_hit: Number((hit.hits / hit.total).toFixed(4)) }),
    ...(alarms?.kind === "gauge" && { false_alarms: Number(alarms.value.toFixed(2)) }),
    ...(recognition && { visits: recognition.visits, wakes: recognition.wakes }),
  }
}
