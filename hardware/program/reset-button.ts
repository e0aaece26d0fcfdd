import type { Clock, PinsIo } from "../../firmware/ports.ts"
import { type Milliseconds, type Seconds, seconds } from "../../firmware/units.ts"
import { WakeUp } from "../../firmware/wake.ts"

/** Held this long from the program's start on, */
export const HELD_FOR: Milliseconds = seconds(10)
/** and let go within this: a wire that got wet or stuck is high for ever, and must not cost anybody a camera. */
export const LET_GO_WITHIN: Milliseconds = seconds(20)
/** Only after a boot, not after a restart of the program: a visitor may be leaning on the bell just then. */
export const AFTER_BOOT: Seconds = 180

const HOLD_ON: readonly Milliseconds[] = [250, 250]
const LET_GO_NOW: readonly Milliseconds[] = [50, 50]

/** What a johnny-five IO plugin has beyond what firmware asks of it. */
export interface PinReader extends PinsIo {
  readonly MODES: { readonly INPUT: number; readonly OUTPUT: number }
  pinMode(pin: number, mode: number): void
  digitalRead(pin: number, listener: (value: number) => void): void
}

/** The parts of a board that a hand on the button meets. */
export interface ResetParts {
  readonly pins: PinReader
  readonly clock: Clock
  /** Of the system: os.uptime(). */
  readonly uptime: Seconds
}

/**
 * Does somebody hold the bell button through this boot, for HELD_FOR, and then let go? That is how a camera is given
 * away. The status light, where there is one, blinks evenly until it may be let go, and then fast.
 *
 * Resolves at once when the button is not down; otherwise when it is let go, or stays down too long, or `signal` aborts.
 */
export async function heldThroughBoot(
  { pins, clock, uptime }: ResetParts,
  numbers: { readonly bell: number; readonly status?: number | undefined },
  signal: AbortSignal,
): Promise<boolean> {
  if (uptime > AFTER_BOOT) return false
  const button = new Wire(pins, numbers.bell, clock)
  const { status } = numbers
  if (status !== undefined) pins.pinMode(status, pins.MODES.OUTPUT)
  const blink = (durations: readonly Milliseconds[]) => {
    if (status !== undefined) pins.pattern(status, durations)
  }
  try {
    if (await button.goesLowWithin(0, signal)) return false
    blink(HOLD_ON)
    if (await button.goesLowWithin(HELD_FOR, signal)) return false
    if (signal.aborted) return false
    blink(LET_GO_NOW)
    return await button.goesLowWithin(LET_GO_WITHIN, signal)
  } finally {
    button.close()
  }
}

/** An input, and when it goes low. */
class Wire {
  readonly #io: PinReader
  readonly #event: string
  readonly #clock: Clock
  readonly #first: Promise<void>
  readonly #edge = new WakeUp()
  readonly #hear: (level: number) => void
  #level = 0

  constructor(io: PinReader, pin: number, clock: Clock) {
    this.#io = io
    this.#event = `digital-read-${pin}`
    this.#clock = clock
    let known: () => void = () => undefined
    this.#first = new Promise((resolve) => {
      known = resolve
    })
    this.#hear = (level) => {
      this.#level = level
      known()
      this.#edge.wake()
    }
    io.pinMode(pin, io.MODES.INPUT)
    io.digitalRead(pin, this.#hear)
  }

  /** True as soon as it is low; false when it stays high for so long, or `signal` aborts. */
  async goesLowWithin(duration: Milliseconds, signal: AbortSignal): Promise<boolean> {
    await this.#first
    const over = new AbortController()
    const end = () => over.abort()
    const cancel = this.#clock.after(duration, end)
    signal.addEventListener("abort", end, { once: true })
    if (signal.aborted) end()
    try {
      while (this.#level !== 0 && !over.signal.aborted) await this.#edge.wait(over.signal)
      return this.#level === 0 && !signal.aborted
    } finally {
      cancel()
      signal.removeEventListener("abort", end)
    }
  }

  close(): void {
    this.#io.removeListener(this.#event, this.#hear)
  }
}
