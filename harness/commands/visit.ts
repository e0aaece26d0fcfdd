import type { Clock } from "../../firmware/ports.ts"
import { type Milliseconds, millisecondsOf, type Seconds, seconds } from "../../firmware/units.ts"
import type { VirtualBoard, Visitor } from "../../simulator/board.ts"
import type { Footage } from "../../simulator/footage.ts"
import type { MotionSpan } from "../../simulator/motion.ts"
import { type EventTruth, isVisitor } from "../../simulator/scene/truth.ts"

/** What a visitor does before one virtual camera: presses, walks by, moves when a script says so. */

const WALK: Milliseconds = seconds(3)
/** The camera looks at a frame a second, and two must show somebody. */
const SEEN_FOR: Seconds = 2.2

/** Presses until `seen`: nothing tells when a camera that starts begins to feel its button. */
export async function pressUntil(
  seen: () => boolean,
  visitor: Visitor,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  while (!seen() && !signal.aborted) {
    await visitor.pressesBell()
    await clock.sleep(50, signal)
  }
}

/** Sets off the motion sensor for three seconds, as soon as the scene shows somebody. `onWait` is told how long that is. */
export async function walkBy(
  { clock, lens }: VirtualBoard,
  footage: Footage,
  visitor: Visitor,
  signal: AbortSignal,
  onWait: (wait: Milliseconds) => void,
): Promise<void> {
  const wait = untilSomebody(footage, lens.positionAt(clock.monotonic()))
  if (wait > 0) {
    onWait(wait)
    await clock.sleep(wait, signal)
  }
  if (signal.aborted) return
  visitor.moves(true)
  await clock.sleep(WALK, signal)
  visitor.moves(false)
}

/** From second `position` of the footage until somebody is in it for long enough to be recognised; 0: now, or nobody knows. */
export function untilSomebody(
  footage: Pick<Footage, "events" | "duration">,
  position: Seconds,
): Milliseconds {
  const loop = millisecondsOf(footage.duration) / 1_000
  const waits = visitsOf(footage).map(({ start, end }) =>
    start <= position && position <= end - SEEN_FOR ? 0 : (start - position + loop) % loop,
  )
  return waits.length === 0 ? 0 : seconds(Math.min(...waits))
}

/** When somebody is in the picture, for a person: `1.8 s to 8.6 s`. */
export function printVisits(footage: Pick<Footage, "events">): string {
  return visitsOf(footage)
    .map(({ start, end }) => `${start.toFixed(1)} s to ${end.toFixed(1)} s`)
    .join(", ")
}

function visitsOf({ events }: Pick<Footage, "events">): readonly EventTruth[] {
  return events.filter(({ label }) => isVisitor(label))
}

/** `spans` in each loop of the footage, until `signal` aborts. */
export async function playMotion(
  spans: readonly MotionSpan[],
  footage: Footage,
  { clock }: VirtualBoard,
  visitor: Visitor,
  signal: AbortSignal,
): Promise<void> {
  const begun = clock.monotonic()
  for (let loop = 0; spans.length > 0 && !signal.aborted; loop++)
    for (const { start, end } of spans)
      for (const [at, moving] of [
        [start, true],
        [end, false],
      ] as const) {
        const due = begun + (loop * footage.duration) / 90 + seconds(at)
        await clock.sleep(Math.max(0, due - clock.monotonic()), signal)
        if (!signal.aborted) visitor.moves(moving)
      }
}
