import type { CameraConfig } from "../config.ts"
import { messageOf } from "../errors.ts"
import type { Clock, Log, PinsIo } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { componentsOn } from "./components.ts"
import { type MotionEvent, MotionEvents } from "./events.ts"
import { Light } from "./light.ts"
import { watchBell, watchMotion } from "./sensors.ts"

/** GPIO numbers (BCM). */
export type PinNumbers = CameraConfig["pins"]

/** What a camera feels and shows: motion, bell and recording light. High is motion, high is pressed, high is lit. */
export interface Pins {
  /**
   * One event after another, for one reader at a time. It begins with a motion that is already going on; what was over
   * before it was asked is forgotten. Ends when `signal` aborts.
   */
  events(signal: AbortSignal): AsyncIterable<MotionEvent>
  /** When the button is next pressed, on the monotonic clock; null when `signal` aborts first. */
  nextPress(signal: AbortSignal): Promise<Milliseconds | null>
  /** Must be on before a frame leaves the ring. */
  readonly light: Light
  /** Stops listening and puts the light out. The IO itself stays its maker's, and may be wired again. */
  close(): void
}

/** @throws Fault "unavailable", indefinite, if the IO does not become ready. */
export async function wirePins(io: PinsIo, numbers: PinNumbers, clock: Clock, log: Log): Promise<Pins> {
  const { motion, bell, light: led } = await componentsOn(io, numbers)
  const light = new Light(led, io, numbers.light, log)
  const events = new MotionEvents(clock)
  const presses = new Set<(at: Milliseconds) => void>()

  const stopMotion = watchMotion(motion, clock, (moving, at) => {
    if (moving) log.write({ event: "motion", trigger: "motion", at })
    events.motion(moving, at)
  })
  const stopBell = watchBell(bell, clock, (at) => {
    log.write({ event: "motion", trigger: "bell", at })
    events.bell(at)
    for (const press of presses) press(at)
  })
  const report = (error: unknown) =>
    log.write({ event: "fault", where: "pins", kind: "unavailable", reason: messageOf(error) })
  io.on("error", report)

  return {
    light,
    events: (signal) => events.each(signal),
    nextPress: (signal) => nextOf(presses, signal),
    close() {
      stopMotion()
      stopBell()
      io.removeListener("error", report)
      light.close()
    },
  }
}

function nextOf(presses: Set<(at: Milliseconds) => void>, signal: AbortSignal): Promise<Milliseconds | null> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve(null)
    const settle = (at: Milliseconds | null) => {
      presses.delete(settle)
      signal.removeEventListener("abort", giveUp)
      resolve(at)
    }
    const giveUp = () => settle(null)
    presses.add(settle)
    signal.addEventListener("abort", giveUp)
  })
}
