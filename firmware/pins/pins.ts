import type { CameraConfig } from "../config.ts"
import { messageOf } from "../errors.ts"
import type { LogLine } from "../log.ts"
import type { Board, Log } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { componentsOn } from "./components.ts"
import { type MotionEvent, MotionEvents } from "./events.ts"
import { Light } from "./light.ts"
import { watchBell, watchMotion } from "./sensors.ts"
import { Shutter } from "./shutter.ts"
import { StatusLight } from "./status-light.ts"

/** GPIO numbers (BCM). */
export type PinNumbers = CameraConfig["pins"]

/**
 * What a camera feels and shows: motion, bell and recording light. High is motion, high is pressed, high is lit. What
 * has no pin in the configuration is null.
 */
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
  /**
   * true: closes the shutter and tells nobody of motion; the bell is a button still. false: as it was. Resolves once the
   * shutter has been told; one that does not follow is a fault in the log.
   */
  rest(resting: boolean): Promise<void>
  /** Open while the firmware runs and does not rest: a camera that does not run does not look. */
  readonly shutter: Shutter | null
  /** The board's log, which the status light follows. */
  readonly log: Log
  /** Stops listening, puts the lights out and closes the shutter. The IO itself stays its maker's, and may be wired again. */
  close(): void
}

/** What pins need of a board. The lens may see motion, too. */
export type PinsBoard = Pick<Board, "pins" | "clock" | "log"> & Partial<Pick<Board, "lens">>

/**
 * Takes the pins, opens the shutter unless it begins `resting`, and sets the infrared-cut filter for day or night.
 * @throws Fault "unavailable", indefinite, if the IO does not become ready.
 */
export async function wirePins(board: PinsBoard, config: CameraConfig, resting = false): Promise<Pins> {
  const { pins: io, clock } = board
  const numbers = config.pins
  const {
    motion,
    bell,
    light: led,
    status: statusLed,
    infraredCut,
    shutter: servo,
  } = await componentsOn(io, numbers)
  const status =
    statusLed && numbers.status !== undefined ? new StatusLight(statusLed, io, numbers.status, clock) : null
  const log = status ? both(board.log, status) : board.log
  const light = new Light(led, io, numbers.light, log)
  const shutter =
    servo && numbers.shutter !== undefined ? new Shutter(servo, io, numbers.shutter, config.shutter) : null
  const events = new MotionEvents(clock)
  const presses = new Set<(at: Milliseconds) => void>()

  const report = (error: unknown) =>
    log.write({ event: "fault", where: "pins", kind: "unavailable", reason: messageOf(error) })
  let rests = resting
  const felt = (moving: boolean, at: Milliseconds) => {
    if (moving && !rests) log.write({ event: "motion", trigger: "motion", at })
    events.motion(moving, at)
  }
  const stopMotion = watchMotion({ pir: motion, lens: board.lens, warmUp: config.motion.warmUp }, clock, felt)
  const stopBell = watchBell(bell, clock, (at) => {
    if (!rests) {
      log.write({ event: "motion", trigger: "bell", at })
      events.bell(at)
    }
    for (const press of presses) press(at)
  })
  io.on("error", report)
  if (infraredCut) {
    if (config.lens.night) infraredCut.on()
    else infraredCut.off()
  }
  if (!resting) shutter?.open().catch(report)

  return {
    light,
    shutter,
    log,
    async rest(resting) {
      rests = resting
      await (resting ? shutter?.close() : shutter?.open())?.catch(report)
    },
    events: (signal) => events.each(signal),
    nextPress: (signal) => nextOf(presses, signal),
    close() {
      stopMotion()
      stopBell()
      io.removeListener("error", report)
      light.close()
      status?.close()
      // Nobody is left to tell of a shutter that does not follow.
      shutter?.close().catch(() => undefined)
    },
  }
}

function both(log: Log, status: StatusLight): Log {
  return {
    write(line: LogLine) {
      log.write(line)
      status.write(line)
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
