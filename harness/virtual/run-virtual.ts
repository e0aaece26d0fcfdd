import { createHash } from "node:crypto"
import { open } from "node:fs/promises"
import { availableParallelism } from "node:os"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Bytes, Milliseconds, Seconds } from "../../firmware/units.ts"
import { Child } from "../load/child.ts"
import type { Limits } from "../load/findings.ts"
import type { MetricName } from "../load/metrics.ts"
import type { ThresholdResult } from "../load/report.ts"
import { judgeThresholds, parseThresholds, type Threshold } from "../load/thresholds.ts"
import type { Scenario } from "../scenario/scenario.ts"
import { mergeEvents } from "./event-log.ts"
import { sumOfJudgements, type VirtualJudgement } from "./judge-virtual.ts"
import type { FleetPart, FromVirtual, ToVirtual } from "./messages.ts"
import { RECOGNITION_METRICS, type RecognitionCounts, readingsOf, sumOfCounts } from "./recognition-tally.ts"

export interface VirtualRunOptions extends Omit<FleetPart, "from"> {
  /** A new file for the event log's lines; null: only its hash is wanted. */
  readonly eventLog: string | null
  /**
   * Among how many processes the cameras are shared out, each with its own broker, clock and time. Cameras never meet, so
   * the event log is the same however many there are. Absent: one a core, and no more than one for 25 cameras.
   */
  readonly processes?: number
  /** How much virtual time of `duration` has passed in the slowest process; after each virtual hour. */
  readonly onProgress?: (at: Milliseconds) => void
  /** Ends the run at once: a day takes less than a minute, and half a day says nothing of the seed. */
  readonly signal?: AbortSignal
}

export interface VirtualOutcome {
  readonly judgement: VirtualJudgement
  /** SHA-256 of the event log: `event-log.ts` says of what. */
  readonly eventLogHash: string
  readonly events: number
  readonly virtual: { readonly seconds: Seconds; readonly wallSeconds: Seconds }
  /** Cuts that the script made; random cuts of links come on top. */
  readonly struck: { readonly power: number; readonly network: number }
  /** null: nothing in it says how well anything was recognised. */
  readonly recognition: RecognitionCounts | null
  /** Clips in which cameras saw nobody. */
  readonly discarded: number
  /** Of those that its scenario asks for, the ones that virtual time can tell: `RECOGNITION_METRICS`. */
  readonly thresholds: readonly ThresholdResult[]
  /** What the cloud took. */
  readonly sealedBytes: Bytes
  /** Of all processes together, the most that each ever was. */
  readonly memoryMiB: number
  readonly cpuSeconds: Seconds
}

/** What happens to a fleet by default: two visits an hour, some of which meet a cut of network or power. */
export const VIRTUAL_DEFAULTS = { visitsPerHour: 2, faults: true, openEvery: 20, eventLog: null } as const

/**
 * Runs a fleet in virtual time, in fresh processes, and judges it: broker, ingest, cameras and owners on one clock, over
 * links in memory. The same seed and options give the same `eventLogHash`.
 *
 * null: `signal` aborted.
 * Rejects with Fault "usage", definite: the event log cannot be written. Fault "unavailable" when a process died: the
 * harness failed, not the cameras.
 */
export async function runVirtual(options: VirtualRunOptions): Promise<VirtualOutcome | null> {
  const { eventLog, processes = defaultProcesses(options.cameras), onProgress, signal, ...fleet } = options
  const begun = performance.now()
  const file = eventLog === null ? null : await openNew(eventLog)
  const parts = shares(fleet.cameras, processes).map((share) => new Part({ ...fleet, ...share }))
  const report = () => onProgress?.(Math.min(...parts.map(({ at }) => at)))
  const stopped = new Promise<null>((resolve) => {
    if (signal?.aborted) resolve(null)
    signal?.addEventListener("abort", () => resolve(null), { once: true })
  })
  try {
    const finished = await Promise.race([Promise.all(parts.map((part) => part.run(report))), stopped])
    if (finished === null) return null
    const lines = mergeEvents(parts.map((part) => part.lines))
    const text = lines.map((line) => `${line}\n`).join("")
    await file?.writeFile(text)
    const counts = finished.map(({ recognition }) => recognition).filter((each) => each !== null)
    const recognition = counts.length === 0 ? null : sumOfCounts(counts)
    return {
      recognition,
      discarded: sum(finished.map(({ discarded }) => discarded)),
      thresholds: judgeThresholds(virtualThresholds(fleet.scenario), readingsOf(recognition)),
      judgement: withLimits(
        sumOfJudgements(finished.map(({ judgement }) => judgement)),
        fleet.scenario?.limits ?? {},
      ),
      eventLogHash: createHash("sha256").update(text).digest("hex"),
      events: lines.length,
      virtual: {
        seconds: Math.max(...finished.map(({ passed }) => passed)) / 1_000,
        wallSeconds: (performance.now() - begun) / 1_000,
      },
      struck: {
        power: sum(finished.map(({ struck }) => struck.power)),
        network: sum(finished.map(({ struck }) => struck.network)),
      },
      sealedBytes: sum(finished.map(({ sealedBytes }) => sealedBytes)),
      memoryMiB: sum(finished.map(({ memoryMiB }) => memoryMiB)),
      cpuSeconds: sum(finished.map(({ cpuSeconds }) => cpuSeconds)),
    }
  } finally {
    await Promise.all(parts.map((part) => part.end()))
    await file?.close()
  }
}

/** With what a scenario allows of each invariant. */
function withLimits(judgement: VirtualJudgement, limits: Limits): VirtualJudgement {
  const allowed = new Map<string, number | undefined>(Object.entries(limits))
  const invariants = judgement.invariants.map((invariant) => {
    return { ...invariant, limit: allowed.get(invariant.name) ?? invariant.limit }
  })
  return { ...judgement, invariants }
}

/** 0: it held; 1: an invariant broke; 99: a threshold failed. */
export function exitCodeOf({ judgement, thresholds }: VirtualOutcome): 0 | 1 | 99 {
  if (judgement.invariants.some(({ count, limit }) => count > limit)) return 1
  return thresholds.some(({ pass }) => !pass) ? 99 : 0
}

/** What virtual time can tell of a scenario's thresholds: nothing that hangs on how fast this machine is. */
export function virtualThresholds(scenario: Scenario | undefined): readonly Threshold[] {
  const told: readonly MetricName[] = RECOGNITION_METRICS
  return parseThresholds(scenario?.thresholds ?? {}).filter(({ metric }) => told.includes(metric))
}

/** One process and its share of the cameras. */
class Part {
  /** How far it has come. */
  at: Milliseconds = 0
  readonly lines: string[] = []
  readonly #options: FleetPart
  readonly #child = new Child<ToVirtual, FromVirtual>(
    "virtual",
    new URL("./virtual-process.ts", import.meta.url),
  )

  constructor(options: FleetPart) {
    this.#options = options
  }

  async run(onProgress: () => void) {
    const finished = this.#child.next("finished")
    this.#child.on("events", ({ lines }) => {
      for (const line of lines.trimEnd().split("\n")) this.lines.push(line)
    })
    this.#child.on("progress", ({ at }) => {
      this.at = at
      onProgress()
    })
    this.#child.send({ kind: "run", options: this.#options })
    return finished
  }

  end(): Promise<void> {
    return this.#child.end()
  }
}

function defaultProcesses(cameras: number): number {
  return Math.max(1, Math.min(availableParallelism(), Math.floor(cameras / 25)))
}

function shares(
  cameras: number,
  processes: number,
): readonly { readonly from: number; readonly cameras: number }[] {
  const count = Math.min(processes, cameras)
  return Array.from({ length: count }, (_, part) => {
    const from = Math.floor((part * cameras) / count)
    return { from, cameras: Math.floor(((part + 1) * cameras) / count) - from }
  })
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0)
}

async function openNew(path: string) {
  try {
    return await open(path, "wx")
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be made (${messageOf(cause)}); choose a new file name`, {
      cause,
    })
  }
}
