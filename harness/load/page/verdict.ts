import { number } from "../compare-table.ts"
import { LAG_MAX } from "../lag.ts"
import { METRICS } from "../metrics.ts"
import { isBroken as isCheckBroken } from "../privacy-shape.ts"
import type { Invariant, Report, ThresholdResult } from "../report.ts"
import { text } from "./html.ts"

/** What came of a run, for whoever has two seconds; then what failed; then its size and cost. */
export function verdictOf(report: Report): string {
  const { scenario, seed, cameras, commit, virtual } = report
  const [tone, mark, words] = headlineOf(report)
  const failed = failuresOf(report)
  const subject = [
    `<b>${text(scenario)}</b>`,
    `${number(cameras.asked)} ${cameras.asked === 1 ? "camera" : "cameras"}`,
    `seed ${seed}`,
    `commit ${text(commit)}`,
    ...(virtual === null
      ? []
      : [`${number(virtual.seconds)} virtual seconds in ${number(virtual.wallSeconds)} s`]),
  ]
  return `<header class="verdict ${tone}">
<h1><span class="mark" aria-hidden="true">${mark}</span> ${words}</h1>
<p>${subject.map((each) => `<span>${each}</span>`).join(" · ")}</p>
${failed.length === 0 ? "" : `<ul>${failed.map((line) => `<li>${line}</li>`).join("")}</ul>`}
</header>
${warningOf(report)}
<div class="tiles">${tilesOf(report).map(tile).join("")}</div>`
}

/** For the page's title, too. */
export function headlineOf({ exitCode }: Report): readonly [tone: string, mark: string, words: string] {
  if (exitCode === 1) return ["bad", "✕", "It broke"]
  if (exitCode === 99) return ["warn", "!", "It held, but not within its thresholds"]
  return ["good", "✓", "It held"]
}

export function isBroken({ count, limit }: Invariant): boolean {
  return count > limit
}

/** A metric's own unit, or none. */
export function unitOf(metric: string): string {
  const unit = Object.entries(METRICS).find(([name]) => name === metric)?.[1].unit ?? ""
  return unit === "1" ? "" : unit
}

export function cameToOf({ metric, value }: ThresholdResult): string {
  return value === null ? "it never fired" : `${number(value)} ${unitOf(metric)}`.trimEnd()
}

function failuresOf({ invariants, thresholds, checks = [] }: Report): readonly string[] {
  const broken = invariants.filter(isBroken).map(({ name, count, limit, detail }) => {
    const allowed = limit === 0 ? "" : `, at most ${number(limit)}`
    return `<b>${number(count)} ${text(name)}</b>${allowed}<small>${text(detail)}</small>`
  })
  const failed = thresholds
    .filter(({ pass }) => !pass)
    .map((each) => `<b>${text(each.metric)} ${text(each.expr)}</b><small>${text(spokenOf(each))}</small>`)
  const seen = checks.filter(isCheckBroken).map(({ id, says, tries, violations, evidence }) => {
    const count = tries === 0 ? "not tried" : `${number(violations)} of ${number(tries)} tries`
    return `<b>${text(id)}: ${count}</b> ${text(says)}<small>${text(evidence[0] ?? "")}</small>`
  })
  return [...seen, ...broken, ...failed]
}

function spokenOf(threshold: ThresholdResult): string {
  return threshold.value === null ? "it never fired" : `it came to ${cameToOf(threshold)}`
}

function warningOf({ generator: { lagP99Ms } }: Report): string {
  if (lagP99Ms <= LAG_MAX) return ""
  return `<p class="warning"><b>This machine was too small for the run.</b> Timers of the cameras' processes came up to
${number(lagP99Ms)} ms late (p99), so latencies say little of the cloud.</p>`
}

interface Tile {
  readonly name: string
  readonly value: string
  readonly note: string
  readonly bad: boolean
}

function tilesOf({ cameras, clips, latency, cpu, metrics, memory }: Report): readonly Tile[] {
  const rate = metrics.upload_rate
  const { sealingSecondsPerGB: sealing, ingestSecondsPerGB: ingest } = cpu
  const perGB = (value: number | null) => (value === null ? "none" : number(value))
  return [
    {
      ...{ name: "cameras connected", value: `${number(cameras.connected)} of ${number(cameras.asked)}` },
      ...{ note: `${number(cameras.failed)} failed`, bad: cameras.connected < cameras.asked },
    },
    {
      ...{ name: "clips delivered", value: `${number(clips.delivered)} of ${number(clips.recorded)}` },
      note: `${number(clips.lost)} lost, ${number(clips.doubled)} doubled`,
      bad: clips.lost > 0 || clips.doubled > 0,
    },
    {
      ...{ name: "opened by others", value: number(clips.openedByOthers) },
      ...{ note: `${number(clips.opened)} by their owners`, bad: clips.openedByOthers > 0 },
    },
    {
      ...{
        name: "to a receipt, p95",
        value: latency.p95Ms === null ? "none" : `${number(latency.p95Ms)} ms`,
      },
      ...{ note: latency.p50Ms === null ? "" : `median ${number(latency.p50Ms)} ms`, bad: false },
    },
    {
      name: "into the bucket",
      value: typeof rate === "object" && rate.avg !== undefined ? `${number(rate.avg)} MB/s` : "none",
      note: typeof rate === "object" && rate.max !== undefined ? `at most ${number(rate.max)} MB/s` : "",
      bad: false,
    },
    {
      ...{ name: "camera CPU-s/GB", value: perGB(cpu.camerasSecondsPerGB) },
      ...{ note: sealing === null ? "" : `of it ${number(sealing)} sealing`, bad: false },
    },
    {
      ...{ name: "broker CPU-s/GB", value: perGB(cpu.brokerSecondsPerGB) },
      ...{ note: ingest === null ? "" : `and ${number(ingest)} ingest`, bad: false },
    },
    {
      ...{ name: "memory of the cameras", value: `${number(memory.camerasMiB)} MiB` },
      ...{ note: `${number(memory.brokerMiB)} MiB broker`, bad: false },
    },
  ]
}

function tile({ name, value, note, bad }: Tile): string {
  return `<div class="tile${bad ? " bad" : ""}"><span>${name}</span><b>${value}</b><small>${note}</small></div>`
}
