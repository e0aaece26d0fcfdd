import type { Clock } from "../../firmware/ports.ts"
import { type Milliseconds, type Seconds, seconds } from "../../firmware/units.ts"
import { type InputPins, Wire } from "../wire.ts"

/** Held this long from the program's start on, */
export const HELD_FOR: Milliseconds = seconds(10)
/** and let go within this: a wire that got wet or stuck is high for ever, and must not cost anybody a camera. */
export const LET_GO_WITHIN: Milliseconds = seconds(20)
/** Only after a boot, not after a restart of the program: a visitor may be leaning on the bell just then. */
export const AFTER_BOOT: Seconds = 180

const HOLD_ON: readonly Milliseconds[] = [250, 250]
const LET_GO_NOW: readonly Milliseconds[] = [50, 50]

/** What a johnny-five IO plugin has for this, beyond what firmware asks of it. */
export interface PinReader extends InputPins {
  readonly MODES: { readonly INPUT: number; readonly OUTPUT: number }
}

/** The parts of a board that a hand on the button meets. */
export interface ResetParts {
  readonly pins: PinReader
  readonly clock: Clock
  /** Of the system: os.uptime(). */
  readonly uptime: Seconds
}

/**
 * Does somebody hold the button through this boot, for HELD_FOR, and then let go? That is how a camera is given away. It
 * is the reset button inside the case where the camera has one: then the bell, which hangs in the street, gives nothing
 * away, however often the power is cut. The status light, where there is one, blinks evenly until it may be let go, and
 * then fast.
 *
 * Resolves at once when the button is not down; otherwise when it is let go, or stays down too long, or `signal` aborts.
 */
export async function heldThroughBoot(
  { pins, clock, uptime }: ResetParts,
  numbers: {
    readonly bell: number
    readonly reset?: number | undefined
    readonly status?: number | undefined
  },
  signal: AbortSignal,
): Promise<boolean> {
  if (uptime > AFTER_BOOT) return false
  const button = await Wire.on(pins, numbers.reset ?? numbers.bell, clock)
  const { status } = numbers
  if (status !== undefined) pins.pinMode(status, pins.MODES.OUTPUT)
  const blink = (durations: readonly Milliseconds[]) => {
    if (status !== undefined) pins.pattern(status, durations)
  }
  try {
    if (button.level === 0) return false
    blink(HOLD_ON)
    if (await button.becomes(0, HELD_FOR, signal)) return false
    if (signal.aborted) return false
    blink(LET_GO_NOW)
    return await button.becomes(0, LET_GO_WITHIN, signal)
  } finally {
    button.close()
  }
}
