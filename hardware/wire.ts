import type { Clock, PinsIo } from "../firmware/ports.ts"
import type { Milliseconds } from "../firmware/units.ts"
import { WakeUp } from "../firmware/wake.ts"

/** What a johnny-five IO plugin has for inputs, beyond what firmware asks of it. */
export interface InputPins extends PinsIo {
  readonly MODES: { readonly INPUT: number }
  pinMode(pin: number, mode: number): void
  digitalRead(pin: number, listener: (value: number) => void): void
}

/** The bare level of an input, without what firmware makes of it: a stuck wire has no edges to make an event of. */
export class Wire {
  readonly #io: InputPins
  readonly #event: string
  readonly #clock: Clock
  readonly #edge = new WakeUp()
  readonly #hear: (level: number) => void
  readonly #known: Promise<void>
  #level: 0 | 1 = 0

  private constructor(io: InputPins, pin: number, clock: Clock) {
    this.#io = io
    this.#event = `digital-read-${pin}`
    this.#clock = clock
    let known: () => void = () => undefined
    this.#known = new Promise((resolve) => {
      known = resolve
    })
    this.#hear = (level) => {
      this.#level = level ? 1 : 0
      known()
      this.#edge.wake()
    }
    io.pinMode(pin, io.MODES.INPUT)
    io.digitalRead(pin, this.#hear)
  }

  /** Resolves when its level is known. */
  static async on(io: InputPins, pin: number, clock: Clock): Promise<Wire> {
    const wire = new Wire(io, pin, clock)
    await wire.#known
    return wire
  }

  get level(): 0 | 1 {
    return this.#level
  }

  /** True as soon as it is at `level`; false when it is not within `duration`, or `signal` aborts. */
  async becomes(level: 0 | 1, duration: Milliseconds, signal: AbortSignal): Promise<boolean> {
    const over = new AbortController()
    const end = () => over.abort()
    const cancel = this.#clock.after(duration, end)
    signal.addEventListener("abort", end, { once: true })
    if (signal.aborted) end()
    try {
      while (this.#level !== level && !over.signal.aborted) await this.#edge.wait(over.signal)
      return this.#level === level && !signal.aborted
    } finally {
      cancel()
      signal.removeEventListener("abort", end)
    }
  }

  close(): void {
    this.#io.removeListener(this.#event, this.#hear)
  }
}
