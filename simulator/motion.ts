import { Fault } from "../firmware/errors.ts"
import type { Random } from "../firmware/ports.ts"
import type { Seconds } from "../firmware/units.ts"
import { between } from "./random.ts"

/** When the motion sensor is high, in seconds from a footage's start; 0 <= start < end <= its duration. */
export interface MotionSpan {
  readonly start: Seconds
  readonly end: Seconds
}

/** How long a PIR sensor stays high after a single movement. */
const PIR_HOLD: Seconds = 2.5

/**
 * `3s,12s-20s`: moments and spans, in any order, the `s` optional. A moment lasts as long as a PIR holds. What overlaps
 * becomes one span; ends are cut at `duration`.
 *
 * @throws Fault "usage", definite.
 */
export function parseMotion(text: string, duration: Seconds): readonly MotionSpan[] {
  const spans = text.split(",").map((part) => {
    const found = /^\s*(\d+(?:\.\d+)?)s?(?:\s*-\s*(\d+(?:\.\d+)?)s?)?\s*$/.exec(part)
    if (!found)
      throw new Fault("usage", `--motion: "${part.trim()}" is no time; write for example 3s,12s-20s`)
    const start = Number(found[1])
    const end = found[2] === undefined ? start + PIR_HOLD : Number(found[2])
    if (end <= start) throw new Fault("usage", `--motion: "${part.trim()}" ends before it starts`)
    if (start >= duration)
      throw new Fault("usage", `--motion: "${part.trim()}" is past the end, at ${printSeconds(duration)}`)
    return { start, end: Math.min(end, duration) }
  })
  return merged(spans)
}

/** For footage that says nothing of motion: one movement about every twelve seconds, at least one. */
export function seededMotion(duration: Seconds, random: Random): readonly MotionSpan[] {
  const spans: MotionSpan[] = []
  const movements = Math.max(1, Math.round(duration / 12))
  const slot = duration / movements
  for (let movement = 0; movement < movements; movement++) {
    const start = toTenths(movement * slot + between(random, 0.05, 0.4) * slot)
    const end = Math.min(duration, toTenths(start + between(random, 0.2, 0.5) * slot))
    if (end > start) spans.push({ start, end })
  }
  return spans.length > 0 ? spans : [{ start: 0, end: duration }]
}

/** The spelling that `parseMotion` reads. */
export function printMotion(spans: readonly MotionSpan[]): string {
  return spans.map(({ start, end }) => `${printSeconds(start)}-${printSeconds(end)}`).join(",")
}

function merged(spans: readonly MotionSpan[]): readonly MotionSpan[] {
  const whole: MotionSpan[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const last = whole[whole.length - 1]
    if (last && span.start <= last.end)
      whole[whole.length - 1] = { start: last.start, end: Math.max(last.end, span.end) }
    else whole.push(span)
  }
  return whole
}

function printSeconds(time: Seconds): string {
  return `${Number(time.toFixed(3))}s`
}

function toTenths(time: Seconds): Seconds {
  return Math.round(time * 10) / 10
}
