import { Fault } from "../../firmware/errors.ts"
import type { Label } from "../../firmware/ports.ts"
import type { Seconds } from "../../firmware/units.ts"

/**
 * What moves when and where in a footage, as two small tables beside it:
 *
 *   NAME.events.csv   start,end,label                        seconds from the start, start < end
 *   NAME.boxes.csv    time,label,left,top,right,bottom       edges as fractions of the picture, from left and top
 */
export interface Truth {
  readonly events: readonly EventTruth[]
  /** Sorted by time. */
  readonly boxes: readonly BoxTruth[]
}

export interface EventTruth {
  readonly start: Seconds
  readonly end: Seconds
  readonly label: MovingLabel
}

export interface BoxTruth {
  readonly time: Seconds
  readonly label: Label
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

const VISITORS = ["person", "animal", "vehicle"] as const satisfies readonly Label[]
const MOVING = [...VISITORS, "leaves", "rain", "headlights"] as const
/** A visitor, or what moves and is none. */
export type MovingLabel = (typeof MOVING)[number]

export function isVisitor(label: MovingLabel): label is Label {
  return (VISITORS as readonly string[]).includes(label)
}

const EVENTS_HEADER = "start,end,label"
const BOXES_HEADER = "time,label,left,top,right,bottom"

export function eventsToCsv(events: readonly EventTruth[]): string {
  return table(
    EVENTS_HEADER,
    events.map(({ start, end, label }) => [start.toFixed(3), end.toFixed(3), label]),
  )
}

export function boxesToCsv(boxes: readonly BoxTruth[]): string {
  return table(
    BOXES_HEADER,
    boxes.map(({ time, label, ...edges }) => [
      time.toFixed(3),
      label,
      ...[edges.left, edges.top, edges.right, edges.bottom].map((edge) => edge.toFixed(4)),
    ]),
  )
}

/** @throws Fault "malformed", definite, naming `name` and the line. */
export function eventsFromCsv(text: string, name: string): readonly EventTruth[] {
  return rows(text, EVENTS_HEADER, name).map(([start = "", end = "", label = ""], index) => {
    const event = { start: Number(start), end: Number(end), label: MOVING.find((known) => known === label) }
    if (!(event.start >= 0 && event.end > event.start) || event.label === undefined)
      throw new Fault("malformed", `${name}: line ${index + 2} is no event`)
    return { ...event, label: event.label }
  })
}

/** @throws Fault "malformed", definite, naming `name` and the line. */
export function boxesFromCsv(text: string, name: string): readonly BoxTruth[] {
  return rows(text, BOXES_HEADER, name).map(([time, label, ...edges], index) => {
    const [left, top, right, bottom] = edges.map(Number)
    const known = VISITORS.find((visitor) => visitor === label)
    const at = Number(time)
    if (left === undefined || top === undefined || right === undefined || bottom === undefined || !known)
      throw new Fault("malformed", `${name}: line ${index + 2} is no box`)
    if (!(at >= 0 && left >= 0 && right > left && right <= 1 && top >= 0 && bottom > top && bottom <= 1))
      throw new Fault("malformed", `${name}: line ${index + 2} lies outside the picture or its time`)
    return { time: at, label: known, left, top, right, bottom }
  })
}

function table(header: string, lines: readonly (readonly string[])[]): string {
  return [header, ...lines.map((line) => line.join(","))].map((line) => `${line}\n`).join("")
}

function rows(text: string, header: string, name: string): string[][] {
  const [first, ...lines] = text.split(/\r?\n/)
  if (first !== header) throw new Fault("malformed", `${name}: the first line must be "${header}"`)
  return lines.filter((line) => line !== "").map((line) => line.split(","))
}
