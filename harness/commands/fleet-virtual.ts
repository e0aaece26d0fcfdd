import { rm } from "node:fs/promises"
import { join } from "node:path"
import { Fault } from "../../firmware/errors.ts"
import { commitOf } from "../load/commit.ts"
import { printReport, type Report, writeReport } from "../load/report.ts"
import { makeRunFolder } from "../load/run-folder.ts"
import type { Screen } from "../load/screen.ts"
import { repeatLine } from "../load/summary.ts"
import { reportOfVirtual } from "../virtual/report-of-virtual.ts"
import { runVirtual, VIRTUAL_DEFAULTS, type VirtualOutcome } from "../virtual/run-virtual.ts"

export interface VirtualFleetOptions {
  readonly seed: number
  readonly cameras: number
  readonly seconds: number
  readonly out: string | null
  readonly keep: number
  readonly json: boolean
  /** What repeats this run. */
  readonly command: string
  readonly screen: Screen
  readonly signal: AbortSignal
}

export const VIRTUAL_CAMERAS = 100
export const VIRTUAL_SECONDS = 86_400
export const VIRTUAL_SECONDS_MAX = 30 * 86_400

/** A fleet in virtual time: its own script of visits and cuts, from the seed. Resolves with the exit code. */
export async function virtualFleet(options: VirtualFleetOptions): Promise<number> {
  const { seed, cameras, seconds, out, keep, json, command, screen, signal } = options
  const folder = await makeRunFolder(out, seed, keep)
  await rm(folder.clips, { recursive: true }) // none is saved
  const hours = (seconds / 3_600).toFixed(1)
  screen.say(`virtual: ${cameras} cameras for ${hours} h of their own time, seed ${seed}`)
  const eventLog = join(folder.directory, "events.log")
  const outcome = await runVirtual({
    ...VIRTUAL_DEFAULTS,
    ...{ seed, cameras, duration: seconds * 1_000, eventLog, signal },
    onProgress: (at) => {
      const line = `${(at / 3_600_000).toFixed(0)} of ${hours} h`
      screen.show([`  running   ${line}`], line)
    },
  })
  screen.nextPhase()
  if (outcome === null) throw new Fault("unavailable", "stopped: half a run says nothing of its seed")
  const report = reportOfVirtual({ outcome, seed, cameras, commit: await commitOf(), command })
  await writeReport(folder.report, report)
  screen.say(told(report, outcome, eventLog))
  if (json) process.stdout.write(printReport(report))
  return report.exitCode
}

function told(report: Report, outcome: VirtualOutcome, eventLog: string): string {
  const { judgement, struck, virtual, memoryMiB, events, eventLogHash } = outcome
  const { clips } = judgement
  const broken = report.invariants.filter(({ count, limit }) => count > limit)
  return [
    "",
    `  time        ${(virtual.seconds / 3_600).toFixed(1)} h in ${virtual.wallSeconds.toFixed(1)} s, ${memoryMiB.toFixed(0)} MiB`,
    `  struck      ${struck.power} power cuts, ${struck.network} cuts of the network`,
    `  clips       ${clips.recorded} recorded, ${clips.recovered} cut short, ${clips.delivered} delivered`,
    `              ${clips.opened} of a sample of ${clips.sampled} opened and compared with their source`,
    `              ${clips.lost} lost, ${clips.doubled} doubled, ${clips.openedByOthers} opened by others`,
    `  events      ${events.toLocaleString("en-US")}, ${eventLog}`,
    `  event log   sha256 ${eventLogHash}`,
    "",
    ...broken.map(({ name, count }) => `FAILED  ${count} ${name}`),
    ...report.failures.map((failure) => `  ${failure}`),
    broken.length > 0 ? "It did not hold. To repeat it:" : "It held. To repeat it, event for event:",
    repeatLine(report),
  ].join("\n")
}
