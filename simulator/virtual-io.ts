import { EventEmitter } from "node:events"
import { PWM_PINS } from "../firmware/config.ts"
import { Fault } from "../firmware/errors.ts"
import type { PinsIo } from "../firmware/ports.ts"
import type { Milliseconds } from "../firmware/units.ts"

/** The numbers that johnny-five and Firmata give to pin modes. */
const MODES = { INPUT: 0, OUTPUT: 1, ANALOG: 2, PWM: 3, SERVO: 4, PULLUP: 11 } as const
const RESOLUTION = { ADC: 1023, PWM: 255 }
/** GPIO 0 to 27, as on a Pi's 40-pin header. */
const PINS = 28

/** What johnny-five asks of a pin. The same for every board: what changes lives in `VirtualIo`. */
const CAPABILITIES = Object.freeze(
  Array.from({ length: PINS }, (_, pin) =>
    Object.freeze({
      supportedModes: PWM_PINS.includes(pin)
        ? [MODES.INPUT, MODES.OUTPUT, MODES.PWM, MODES.SERVO, MODES.PULLUP]
        : [MODES.INPUT, MODES.OUTPUT, MODES.PULLUP],
      analogChannel: 127,
    }),
  ),
)

export interface PinWrite {
  readonly pin: number
  readonly value: number
  readonly at: Milliseconds
}

/**
 * A johnny-five IO plugin on nothing: no hardware, no timers, no polling. Firmware sees `PinsIo` and what johnny-five
 * calls; whoever plays the world uses `set`, `level`, `record`, `breakPin` and `mendPin`.
 *
 * johnny-five never lets go of a board, so a virtual IO is made to be used again: `reset` returns its pins to how they
 * were at power-on, and firmware that wires it again finds its components where they were.
 */
export class VirtualIo extends EventEmitter implements PinsIo {
  readonly name = "Virtual"
  isReady = false
  readonly MODES = MODES
  readonly HIGH = 1
  readonly LOW = 0
  readonly RESOLUTION = RESOLUTION
  readonly pins = CAPABILITIES
  readonly analogPins: readonly number[] = []
  readonly #levels = new Uint16Array(PINS)
  readonly #modes = new Uint16Array(PINS)
  #broken: ReadonlySet<number> | null = null
  #patterns: Map<number, readonly Milliseconds[]> | null = null
  #writes: { readonly list: PinWrite[]; readonly now: () => Milliseconds } | null = null
  #open = true

  constructor() {
    super()
    // johnny-five counts "connect" before "ready", and neither before its Board could listen.
    process.nextTick(() => {
      this.emit("connect")
      this.isReady = true
      this.emit("ready")
    })
  }

  // The world's side

  /** Puts a level on an input, as a sensor or a finger would. */
  set(pin: number, value: 0 | 1): void {
    if (!this.#open || this.#levels[pin] === value) return
    this.#levels[pin] = value
    this.emit(`digital-read-${pin}`, value)
  }

  /** What is on the wire: 0 or 1; on a PWM pin 0 to 255, for a servo its pulse in microseconds. */
  level(pin: number): number {
    return this.#levels[pin] ?? 0
  }

  /** Keeps every later write, with the time by `now`, until `reset`. The list grows with each write: for tests. */
  record(now: () => Milliseconds): readonly PinWrite[] {
    this.#writes = { list: [], now }
    return this.#writes.list
  }

  /** From now on nothing drives this pin: an output falls low, writes do not reach its wire, and `driven` says so. */
  breakPin(pin: number): void {
    if (this.#broken?.has(pin)) return
    this.#broken = new Set([...(this.#broken ?? []), pin])
    if (this.#modes[pin] !== MODES.OUTPUT) return
    this.#levels[pin] = 0
    this.emit("undriven", pin)
  }

  /** From now on writes reach its wire again. */
  mendPin(pin: number): void {
    this.#broken = new Set([...(this.#broken ?? [])].filter((each) => each !== pin))
  }

  /** As after power-on: inputs low, outputs off, nothing broken or recorded. johnny-five's listeners stay. */
  reset(): void {
    this.#writes = null
    this.#broken = null
    this.#release()
    this.#open = true
  }

  /** How it blinks by itself; null: it does not. */
  patternOf(pin: number): readonly Milliseconds[] | null {
    return this.#patterns?.get(pin) ?? null
  }

  // PinsIo

  async driven(pin: number): Promise<void> {
    if (!this.#open) throw new Fault("unavailable", `pin ${pin}: closed`)
    if (this.#broken?.has(pin)) throw new Fault("unavailable", `pin ${pin}: does not follow`)
  }

  pattern(pin: number, durations: readonly Milliseconds[]): void {
    this.#write(pin, 1)
    this.#patterns ??= new Map()
    this.#patterns.set(pin, durations)
  }

  async close(): Promise<void> {
    this.#release()
    this.#open = false
  }

  // johnny-five's side

  normalize(pin: number | string): number {
    return typeof pin === "string" ? Number(pin.replace(/^GPIO/i, "")) : pin
  }

  pinMode(pin: number, mode: number): void {
    this.#modes[pin] = mode
  }

  digitalWrite(pin: number, value: number): void {
    // To an input it means a pull-up or pull-down, which a sensor that drives its wire overrules.
    if (this.#modes[pin] !== MODES.INPUT) this.#write(pin, value)
  }

  analogWrite(pin: number, value: number): void {
    this.#write(pin, value)
  }

  pwmWrite(pin: number, value: number): void {
    this.#write(pin, value)
  }

  servoWrite(pin: number, pulseMicroseconds: number): void {
    this.#write(pin, pulseMicroseconds)
  }

  digitalRead(pin: number, listener: (value: number) => void): void {
    this.on(`digital-read-${pin}`, listener)
    process.nextTick(() => listener(this.level(pin)))
  }

  #write(pin: number, value: number): void {
    if (!this.#open || this.#broken?.has(pin)) return
    this.#levels[pin] = value
    this.#patterns?.delete(pin)
    this.#writes?.list.push({ pin, value, at: this.#writes.now() })
  }

  /** A button that stayed down would keep johnny-five's hold timer, and so the process, alive. */
  #release(): void {
    this.#patterns = null
    for (let pin = 0; pin < PINS; pin++) {
      if (this.#modes[pin] === MODES.INPUT) this.set(pin, 0)
      else this.#levels[pin] = 0
    }
  }
}
