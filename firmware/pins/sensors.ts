import type { Button, Switch } from "johnny-five"
import type { Clock, Lens } from "../ports.ts"
import type { Milliseconds } from "../units.ts"

/**
 * Sensors as edges with monotonic times. johnny-five's debouncing (5 ms on a switch, 7 ms on a button) is in the times:
 * next to a pre-roll of seconds it is nothing.
 */

/** Who sees motion. */
export interface MotionSources {
  /** Closed while its wire is high. */
  readonly pir: Switch
  readonly lens: Pick<Lens, "watchMotion"> | undefined
  /** How long a PIR says anything at all, from now on. */
  readonly warmUp: Milliseconds
}

/**
 * Tells whenever motion begins or ends, the two in turn; at once if it is already going on. Motion is what the PIR or the
 * lens sees. The returned function stops.
 * A PIR (HC-SR501 and its like) holds its wire high from 0.3 s to minutes while it sees motion, retriggered or not as
 * its jumper says, and is blind for some 3 s after: what is merged into one clip is decided later, by the post-roll.
 */
export function watchMotion(
  { pir, lens, warmUp }: MotionSources,
  clock: Clock,
  onEdge: (moving: boolean, at: Milliseconds) => void,
): () => void {
  let moving = false
  let isWarm = warmUp === 0
  let seenByLens = false
  const look = (at: Milliseconds) => {
    const now = seenByLens || (isWarm && pir.isClosed)
    if (now === moving) return
    moving = now
    onEdge(moving, at)
  }
  const edge = () => look(clock.monotonic())
  pir.on("close", edge).on("open", edge)
  const cancel = isWarm
    ? null
    : clock.after(warmUp, () => {
        isWarm = true
        edge()
      })
  const stopLens = lens?.watchMotion?.((sees, at) => {
    seenByLens = sees
    look(at)
  })
  edge()
  return () => {
    pir.removeListener("close", edge).removeListener("open", edge)
    cancel?.()
    stopLens?.()
  }
}

/** Tells of each press as it begins. The returned function stops. */
export function watchBell(button: Button, clock: Clock, onPress: (at: Milliseconds) => void): () => void {
  const press = () => onPress(clock.monotonic())
  button.on("press", press)
  return () => {
    button.removeListener("press", press)
  }
}
