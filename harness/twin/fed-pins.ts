import { Fault } from "../../firmware/errors.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { VirtualIo } from "../../simulator/virtual-io.ts"

/** Told of whatever the firmware does to its outputs. */
export interface PinsListener {
  write(pin: number, value: number): void
  servo(pin: number, pulseMicroseconds: number): void
  pattern(pin: number, durations: readonly Milliseconds[]): void
  /** The firmware waits until this pin's wire has what was written; `FedPins.answer` says so. */
  waits(pin: number): void
}

type Settle = (refusal: string | null) => void

/** Pins that feel what they are fed, and tell what is written to them. The same to johnny-five whatever board is behind. */
export class FedPins extends VirtualIo {
  readonly #listener: PinsListener
  readonly #inputs: readonly number[]
  /** For each pin who waits, oldest first; or the answers that nobody has waited for yet. */
  readonly #waiting = new Map<number, Settle[]>()
  readonly #answers = new Map<number, (string | null)[]>()

  constructor(inputs: readonly number[], listener: PinsListener) {
    super()
    this.#inputs = inputs
    this.#listener = listener
  }

  /** The wire of `pin` has what was written to it; or, with a `refusal`, it does not follow. */
  answer(pin: number, refusal: string | null): void {
    const settle = this.#waiting.get(pin)?.shift()
    if (settle) settle(refusal)
    else this.#answers.set(pin, [...(this.#answers.get(pin) ?? []), refusal])
  }

  override driven(pin: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (refusal: string | null) => {
        if (refusal === null) resolve()
        else reject(new Fault("unavailable", refusal))
      }
      const known = this.#answers.get(pin)?.shift()
      if (known !== undefined) return settle(known)
      this.#waiting.set(pin, [...(this.#waiting.get(pin) ?? []), settle])
      this.#listener.waits(pin)
    })
  }

  override pattern(pin: number, durations: readonly Milliseconds[]): void {
    super.pattern(pin, durations)
    this.#listener.pattern(pin, durations)
  }

  override digitalWrite(pin: number, value: number): void {
    super.digitalWrite(pin, value)
    // To an input it means a pull-up or pull-down.
    if (!this.#inputs.includes(pin)) this.#listener.write(pin, value === 0 ? 0 : 1)
  }

  /** A light on a pin that could do more is on or off all the same. */
  override analogWrite(pin: number, value: number): void {
    this.digitalWrite(pin, value)
  }

  override pwmWrite(pin: number, value: number): void {
    this.digitalWrite(pin, value)
  }

  override servoWrite(pin: number, pulseMicroseconds: number): void {
    super.servoWrite(pin, pulseMicroseconds)
    this.#listener.servo(pin, pulseMicroseconds)
  }
}
