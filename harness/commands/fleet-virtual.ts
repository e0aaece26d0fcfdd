import { rm } from "node:fs/promises"
import { join } from "node:path"
import { Fault } from "../../firmware/errors.ts"
import type { Seconds } from "../../firmware/units.ts"
import type { BothEyes } from "../load/both-eyes.ts"
import { commitOf } from "../load/commit.ts"
import { printReport, type Report, writeReport } from "../load/report.ts"
import { makeRunFolder } from "../load/run-folder.ts"
import type { Screen } from "../load/screen.ts"
import { firmwareHash } from "../load/source-hash.ts"
import { repeatLine } from "../load/summary.ts"
import type { NamedScenario } from "../scenario/load-scenario.ts"
import { reportOfVirtual } from "../virtual/report-of-virtual.ts"
import {
  runVirtual,
  VIRTUAL_DEFAULTS,
  type VirtualOutcome,
  virtualThresholds,
} from "../virtual/run-virtual.ts"

export interface VirtualFleetOptions {
  readonly seed: number
  /** One that `checkVirtual` accepts; null: a script of its own. */
  readonly named: NamedScenario | null
  readonly cameras: number
  readonly seconds: number
  readonly out: string | null
  readonly keep: number
  readonly json: boolean
  /** What a model says of the footage, beside its truth; null: it was not asked. */
  readonly both: BothEyes | null
  /** What repeats this run. */
  readonly command: string
  readonly screen: Screen
  readonly signal: AbortSignal
}

export const VIRTUAL_CAMERAS = 100
export const VIRTUAL_SECONDS = 86_400
export const VIRTUAL_SECONDS_MAX = 30 * 86_400

/** A fleet in virtual time: a scenario, or its own script of visits and cuts. Resolves with the exit code. */
export async function virtualFleet(options: VirtualFleetOptions): Promise<number> {
  const { seed, named, cameras, seconds, out, keep, json, command, screen, signal, both } = options
  const folder = await makeRunFolder(out, seed, keep)
  await rm(folder.clips, { recursive: true }) // none is saved
  const script = named === null ? "" : ` of scenario ${named.name}`
  screen.say(`virtual: ${cameras} cameras${script} for ${spelled(seconds)} of their own time, seed ${seed}`)
  const judged = virtualThresholds(named?.scenario).map(({ metric }) => metric)
  const others = Object.keys(named?.scenario.thresholds ?? {}).filter(
    (name) => !judged.some((metric) => metric === name),
  )
  if (others.length > 0)
    screen.say(`its thresholds of ${others.join(", ")} are for real time, and are not judged here`)
  const eventLog = join(folder.directory, "events.log")
  const outcome = await runVirtual({
    ...VIRTUAL_DEFAULTS,
    ...{ seed, cameras, duration: seconds * 1_000, eventLog, signal },
    ...(named && { scenario: named.scenario }),
    ...(both && { seen: both.seen }),
    onProgress: (at) => {
      const line = `${spelled(at / 1_000)} of ${spelled(seconds)}`
      screen.show([`  running   ${line}`], line)
    },
  })
  screen.nextPhase()
  if (outcome === null) throw new Fault("unavailable", "stopped: half a run says nothing of its seed")
  const hashes = { commit: await commitOf(), firmware: await firmwareHash() }
  const report = reportOfVirtual({ outcome, seed, named, cameras, ...hashes, command })
  await writeReport(folder.report, report)
  screen.say(told(report, outcome, eventLog))
  if (both) screen.say(await both.tell(folder.directory))
  if (json) process.stdout.write(printReport(report))
  return report.exitCode
}

function told(report: Report, outcome: VirtualOutcome, eventLog: string): string {
  const { judgement, struck, virtual, memoryMiB, events, eventLogHash } = outcome
  const { clips } = judgement
  const broken = report.invariants.filter(({ count, limit }) => count > limit)
  return [
    "",
    `  time        ${spelled(virtual.seconds)} in ${virtual.wallSeconds.toFixed(1)} s, ${memoryMiB.toFixed(0)} MiB`,
    `  struck      ${struck.power} power cuts, ${struck.network} cuts of the network`,
    `  clips       ${clips.recorded} recorded, ${clips.recovered} cut short, ${clips.delivered} delivered`,
    `              ${clips.opened} of a sample of ${clips.sampled} opened and compared with their source`,
    `              ${clips.lost} lost, ${clips.doubled} doubled, ${clips.openedByOthers} opened by others`,
    ...recognised(outcome),
    `  events      ${events.toLocaleString("en-US")}, ${eventLog}`,
    `  event log   sha256 ${eventLogHash}`,
    "",
    ...broken.map(({ name, count }) => `FAILED  ${count} ${name}`),
    ...report.thresholds.map(
      ({ metric, expr, value, pass }) =>
        `${pass ? "held   " : "FAILED "} ${metric} ${expr}: ${value ?? "nothing to tell"}`,
    ),
    ...report.failures.map((failure) => `  ${failure}`),
    report.exitCode !== 0 ? "It did not hold. To repeat it:" : "It held. To repeat it, event for event:",
    repeatLine(report),
  ].join("\n")
}

function spelled(duration: Seconds): string {
  return duration < 3_600 ? `${duration.toFixed(0)} s` : `${(duration / 3_600).toFixed(1)} h`
}

function recognised({ recognition }: VirtualOutcome): readonly string[] {
  if (recognition === null) return []
  const { visits, hits, wakes, falseAlarms, milliseconds } = recognition
  const hours = milliseconds / 3_600_000
  const visitors = visits > 0 ? [`${hits} of ${visits} visitors have a clip`] : []
  const perHour = hours > 0 ? (falseAlarms / hours).toFixed(2) : "0"
  const nobody =
    hours > 0
      ? [
          `${falseAlarms} false alarms in ${hours.toFixed(0)} h without anybody, ${perHour} an hour, of ${wakes} times woken`,
        ]
      : []
  return [...visitors, ...nobody].map((line, i) => `  ${i === 0 ? "recognised" : "          "}  ${line}`)
}
