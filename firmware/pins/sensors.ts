import type { Button, Switch } from "johnny-five"
import type { Clock } from "../ports.ts"
import type { Milliseconds } from "../units.ts"

/**
 * Sensors as edges with monotonic times. johnny-five's debouncing (5 ms on a switch, 7 ms on a button) is in the times:
 * next to a pre-roll of seconds it is nothing.
 */

/**
 * Tells whenever motion begins or ends, the two in turn; at once if it is already going on. The returned function stops.
 * A PIR (HC-SR501 and its like) holds its wire high from 0.3 s to minutes while it sees motion.
 */
export function watchMotion(
  pir: Switch,
  clock: Clock,
  onEdge: (moving: boolean, at: Milliseconds) => void,
): () => void {
  let moving = false
  const look = () => {
    if (pir.isClosed === moving) return
    moving = pir.isClosed
    onEdge(moving, clock.monotonic())
  }
  pir.on("close", look).on("open", look)
  look()
  return () => {
    pir.removeListener("close", look).removeListener("open", look)
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
