import type { Seconds } from "../../../firmware/units.ts"
import { number } from "../compare-table.ts"
import type { FaultStruck } from "../report.ts"
import { text } from "./html.ts"

/** Whom a fault concerns; each has a colour. */
export type Tone = "network" | "cloud" | "camera" | "stranger"

/** When one struck, for the bands in the charts. */
export interface StruckSpan {
  readonly from: Seconds
  /** The same: at one moment. */
  readonly to: Seconds
  readonly tone: Tone
}

const TONES: Readonly<Record<string, Tone>> = {
  ...{ link: "network", partition: "network", stall: "network", "half-open": "network", cut: "network" },
  ...{ "broker-restart": "cloud", "broker-kill": "cloud", "cloud-slow": "cloud" },
  ...{ "cloud-failing": "cloud", "cloud-full": "cloud" },
  ...{ "duplicate-client": "stranger", "wrong-key": "stranger" },
}

/** Which part of the axis a bar's name may need beside it. */
const NAME_SHARE = 0.34
/** More of them are a wall of words. */
const NAMED_ROWS_MAX = 6

export function spansOf(faults: readonly FaultStruck[], until: Seconds): readonly StruckSpan[] {
  return faults
    .filter(({ at }) => at <= until)
    .map(({ at, for: duration, kind }) => ({ from: at, to: at + (duration ?? 0), tone: toneOf(kind) }))
}

/** Bars over the same seconds as the charts' x axis; their names beside them. */
export function faultLane(faults: readonly FaultStruck[], until: Seconds): string {
  const rows = rowsOf(faults, until)
  const lanes = rows.map((row) => {
    const bars = row.faults.map((fault, i) => strike(fault, until, i === 0 || row.named))
    return `<div class="row">${bars.join("")}</div>`
  })
  const body = faults.length === 0 ? '<div class="row quiet">no faults</div>' : lanes.join("")
  return `<div class="lane" id="lane"><div class="track">${body}<div class="now" hidden></div></div></div>`
}

/** A target's cameras counted: "cloud", "1 camera", "16 cameras". */
export function targetOf({ target }: FaultStruck): string {
  const ranges = target.split(",").map((part) => /^(\d+)(?:-(\d+))?$/.exec(part))
  let count = 0
  for (const range of ranges) {
    if (range === null) return target
    count += Number(range[2] ?? range[1]) - Number(range[1]) + 1
  }
  return count === 1 ? `camera ${target}` : `${number(count)} cameras`
}

function strike(fault: FaultStruck, until: Seconds, named: boolean): string {
  const { at, for: duration, kind } = fault
  const to = at + (duration ?? 0)
  const left = share(at, until)
  const width = share(to, until) - left
  const when = duration === null ? `at ${number(at)} s` : `${number(at)} to ${number(to)} s`
  const title = [when, kind, targetOf(fault), fault.detail].filter((word) => word !== "").join(" · ")
  const name = `<span><b>${text(kind)}</b> ${text(targetOf(fault))}</span>`
  const side = left > 1 - NAME_SHARE ? "before" : "after"
  return (
    `<div class="strike ${toneOf(kind)} ${side}${duration === null ? " moment" : ""}" title="${text(title)}" ` +
    `data-from="${at}" data-to="${to}" style="left:${percent(left)};width:${percent(width)}">` +
    `${named ? name : ""}</div>`
  )
}

interface Row {
  readonly faults: readonly FaultStruck[]
  /** Every bar has its name; otherwise the first, for all of its kind. */
  readonly named: boolean
}

/** As few rows as hold them with their names side by side; where that takes too many, a row for each kind. */
function rowsOf(faults: readonly FaultStruck[], until: Seconds): readonly Row[] {
  const sorted = [...faults].sort((a, b) => a.at - b.at)
  const rows: { readonly faults: FaultStruck[]; free: number }[] = []
  for (const fault of sorted) {
    const from = share(fault.at, until)
    const to = share(fault.at + (fault.for ?? 0), until)
    const before = from > 1 - NAME_SHARE
    const row = rows.find(({ free }) => free <= (before ? from - NAME_SHARE : from))
    const free = before ? to : to + NAME_SHARE
    if (row) Object.assign(row, { free }).faults.push(fault)
    else rows.push({ faults: [fault], free })
  }
  if (rows.length <= NAMED_ROWS_MAX) return rows.map((row) => ({ faults: row.faults, named: true }))
  const kinds = [...new Set(sorted.map(({ kind }) => kind))]
  return kinds.map((kind) => ({ faults: sorted.filter((fault) => fault.kind === kind), named: false }))
}

function toneOf(kind: string): Tone {
  return (Object.hasOwn(TONES, kind) ? TONES[kind] : null) ?? "camera"
}

function share(at: Seconds, until: Seconds): number {
  return Math.min(1, at / until)
}

function percent(part: number): string {
  return `${(100 * part).toFixed(3)}%`
}
