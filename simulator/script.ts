import type { Milliseconds, Seconds } from "../firmware/units.ts"
import type { Footage } from "./footage.ts"
import type { MotionSpan } from "./motion.ts"
import { between, chance, seededRandom } from "./random.ts"
import { isVisitor } from "./scene/truth.ts"

/** What happens before one camera, and when: counted from when its lens began. */
export interface Step {
  readonly at: Milliseconds
  readonly what: "moves" | "still" | "bell"
}

export interface ScriptOptions {
  readonly seed: number
  /** The camera's number in the fleet. */
  readonly index: number
  readonly footage: Footage
  /** The group of the footage at which the camera starts. */
  readonly offset: number
  readonly duration: Milliseconds
  /** In what part of the loops the sensor feels anything; then nobody rings. Absent: in all. */
  readonly share?: number
  /** For footage that has no truth of its own: when the sensor is high, in each loop. */
  readonly motion?: readonly MotionSpan[] | null
}

/** How often a sensor is fooled in one loop by what moves and is no visitor, and for how long. */
const FOOLED = 0.35
const FOOLED_FOR: Seconds = 0.8
/** How likely somebody rings in one loop. */
const RINGS = 0.06

/**
 * A camera's script: the sensor feels every visitor that the footage's truth tells of, now and then leaves, rain or
 * headlights too, and sometimes somebody rings. The same seed, index, footage and duration give the same script.
 * Within any script something happens that is worth a clip: where nobody would come, somebody rings; but not where
 * `share` is given. It ends still.
 */
export function scriptOf(options: ScriptOptions): readonly Step[] {
  const { seed, index, footage, duration } = options
  const random = seededRandom(seed, "script", index)
  const loop = footage.duration / 90_000
  const offset = offsetSeconds(footage, options.offset)
  const end = duration / 1_000
  const spans: MotionSpan[] = []
  const bells: Seconds[] = []
  let visited = false
  for (let start = -offset; start < end; start += loop) {
    if (options.share !== undefined && !chance(random, options.share)) continue
    for (const event of options.motion ?? []) spans.push(shifted(event, start))
    for (const event of footage.events) {
      const visitor = isVisitor(event.label)
      const felt = visitor
        ? { start: event.start + between(random, 0.1, 0.5), end: event.end }
        : fooled(event, chance(random, FOOLED) ? between(random, 0, 1) : null)
      if (felt && felt.end > felt.start) spans.push(shifted(felt, start))
      visited ||= visitor && start + event.start > 0 && start + event.start + 2 < end
    }
    visited ||= (options.motion ?? []).some((span) => start + span.end > 0 && start + span.start + 1 < end)
    if (options.share === undefined && chance(random, RINGS)) bells.push(start + between(random, 0, loop))
  }
  const inTime = bells.filter((at) => at > 0.2 && at < end - 0.2)
  const early = between(random, 0.1, 0.6) * end
  if (!visited && inTime.length === 0 && options.share === undefined) inTime.push(early)
  const steps = stepsOf(merged(spans, end), inTime)
  // 32.005 s are a little more than 32,005 ms.
  return steps.map((step) => (step.at > duration ? { ...step, at: duration } : step))
}

function offsetSeconds({ groups }: Footage, offset: number): Seconds {
  const first = ((offset % groups.length) + groups.length) % groups.length
  return (groups[first]?.start ?? 0) / 90_000
}

function shifted({ start, end }: MotionSpan, by: Seconds): MotionSpan {
  return { start: start + by, end: end + by }
}

function fooled(event: MotionSpan, where: number | null): MotionSpan | null {
  if (where === null) return null
  const start = event.start + where * Math.max(0, event.end - event.start - FOOLED_FOR)
  return { start, end: start + FOOLED_FOR }
}

/** Within the script, apart from each other by more than a sensor's bounce. */
function merged(spans: readonly MotionSpan[], end: Seconds): readonly MotionSpan[] {
  const apart: MotionSpan[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const inside = { start: Math.max(0.1, span.start), end: Math.min(end, span.end) }
    if (inside.end - inside.start < 0.1) continue
    const last = apart.at(-1)
    if (last && inside.start <= last.end + 0.1)
      apart[apart.length - 1] = { start: last.start, end: Math.max(last.end, inside.end) }
    else apart.push(inside)
  }
  return apart
}

function stepsOf(spans: readonly MotionSpan[], bells: readonly Seconds[]): readonly Step[] {
  const steps: Step[] = [
    ...spans.map(({ start }): Step => ({ at: start * 1_000, what: "moves" })),
    ...spans.map(({ end }): Step => ({ at: end * 1_000, what: "still" })),
    ...bells.map((at): Step => ({ at: at * 1_000, what: "bell" })),
  ]
  return steps.sort((a, b) => a.at - b.at)
}
