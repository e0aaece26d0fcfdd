import type { Led } from "johnny-five"
import type { LogLine } from "../log.ts"
import type { Clock, Log, PinsIo } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { CameraState, FAULT_TOLD, type State } from "./camera-state.ts"

/** On, off, on, off, and so on, then anew. */
export const LIGHT_CODES: Readonly<Record<State, readonly Milliseconds[]>> = {
  privacy: [200, 200, 200, 200, 200, 3_000],
  fault: [100, 100],
  pairing: [500, 500],
  live: [900, 100],
  recording: [100, 900],
  offline: [100, 200, 100, 1_600],
  booting: [1_000, 1_000],
  ready: [50, 4_950],
}

/**
 * The status light is the log made visible: it is shown every line, and blinks as the sum of them says. The recording
 * light is another one, and obeys nobody but who records or watches.
 */
export class StatusLight implements Log {
  readonly #led: Led
  readonly #io: PinsIo
  readonly #pin: number
  readonly #clock: Clock
  readonly #state: CameraState
  #shown: State | null = null
  #cancel: () => void = () => undefined
  #closed = false

  constructor(led: Led, io: PinsIo, pin: number, clock: Clock) {
    this.#led = led
    this.#io = io
    this.#pin = pin
    this.#clock = clock
    this.#state = new CameraState(clock)
    this.#show()
  }

  write(line: LogLine): void {
    if (this.#closed) return
    this.#state.note(line)
    if (line.event === "fault") {
      this.#cancel()
      this.#cancel = this.#clock.after(FAULT_TOLD, () => this.#show())
    }
    this.#show()
  }

  /** Dark, whatever is logged afterwards. */
  close(): void {
    this.#closed = true
    this.#cancel()
    this.#led.off()
  }

  #show(): void {
    const state = this.#state.now
    if (state === this.#shown) return
    this.#shown = state
    this.#io.pattern(this.#pin, LIGHT_CODES[state])
  }
}
