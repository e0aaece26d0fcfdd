import { EventEmitter } from "node:events"
import type { CameraConfig } from "../../firmware/config.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import type { Clock, Log, PinsIo } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { findChip } from "./chip.ts"
import { Inputs } from "./inputs.ts"
import { Output } from "./output.ts"
import { Servo } from "./servo.ts"
import { Tools } from "./tools.ts"

/** The numbers that johnny-five and Firmata give to pin modes. */
const MODES = { INPUT: 0, OUTPUT: 1, ANALOG: 2, PWM: 3, SERVO: 4, PULLUP: 11 } as const
const RESOLUTION = { ADC: 1023, PWM: 255 }
/** GPIO 0 to 27, on the Pi's 40-pin header. */
const PINS = 28
/** The first time everything starts at once, on a machine that is still booting. */
const FIRST_DRIVEN_WITHIN: Milliseconds = 15_000

export interface GpiodOptions {
  readonly pins: CameraConfig["pins"]
  /** Such as "pinctrl-bcm2711": see `PiModel`. */
  readonly chipLabel: string
  /** Its PATH is where the gpiod tools are looked for. */
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  readonly clock: Clock
  /** The sysfs class folder of the shutter's PWM. */
  readonly pwm?: string
}

/**
 * Takes the configured pins: inputs are watched, outputs are low, a shutter stays where it is. Says "connect" and "ready"
 * right after, as johnny-five wants of an IO plugin.
 * @throws Fault "usage" or "unavailable", saying what to do: tools not installed, no such chip, no permission, a pin that
 * is in use, a shutter without PWM. Nothing is held then.
 */
export async function openGpiod(options: GpiodOptions): Promise<GpiodIo> {
  const { motion, bell, reset, light, status, infraredCut, shutter } = options.pins
  const { env, log, clock } = options
  const tools = new Tools(env, clock)
  const chip = await findChip(tools, options.chipLabel)
  const inputPins = [motion, bell, reset].filter((pin) => pin !== undefined)
  const outputPins = [light, status, infraredCut].filter((pin) => pin !== undefined)
  const beyond = [...inputPins, ...outputPins].find((pin) => pin >= chip.lines)
  if (beyond !== undefined)
    throw new Fault("usage", `GPIO ${beyond}: the chip "${chip.label}" has lines 0 to ${chip.lines - 1} only`)

  const parts = { tools, chip, clock, log }
  const outputs = new Map(outputPins.map((pin) => [pin, new Output(pin, parts)]))
  const inputs = new Inputs(inputPins, parts)
  const servos = new Map<number, Servo>()
  const openServo = async (pin: number) => {
    const onRp1 = chip.label === "pinctrl-rp1"
    servos.set(pin, await Servo.open({ pin, pwm: options.pwm ?? "/sys/class/pwm", onRp1, clock }))
  }
  const taking = [
    inputs.start(),
    ...[...outputs.values()].map((output) => output.driven(FIRST_DRIVEN_WITHIN)),
    ...(shutter === undefined ? [] : [openServo(shutter)]),
  ]
  try {
    await Promise.all(taking)
    return new GpiodIo(inputPins, inputs, outputs, servos, log)
  } catch (refusal) {
    await Promise.all([inputs.close(), ...[...outputs.values()].map((output) => output.release())])
    await Promise.allSettled(taking)
    await Promise.allSettled([...servos.values()].map((servo) => servo.close()))
    throw refusal
  }
}

/** The johnny-five IO plugin. Every pin has the one use that the configuration gives it. */
export class GpiodIo extends EventEmitter implements PinsIo {
  readonly name = "gpiod"
  isReady = false
  readonly MODES = MODES
  readonly HIGH = 1
  readonly LOW = 0
  readonly RESOLUTION = RESOLUTION
  readonly pins: readonly { readonly supportedModes: readonly number[]; readonly analogChannel: number }[]
  readonly analogPins: readonly number[] = []
  readonly #inputPins: readonly number[]
  readonly #inputs: Inputs
  readonly #outputs: ReadonlyMap<number, Output>
  readonly #servos: ReadonlyMap<number, Servo>
  readonly #log: Log
  #closed: Promise<void> | null = null

  /** Made by `openGpiod`. */
  constructor(
    inputPins: readonly number[],
    inputs: Inputs,
    outputs: ReadonlyMap<number, Output>,
    servos: ReadonlyMap<number, Servo>,
    log: Log,
  ) {
    super()
    this.#inputPins = inputPins
    this.#inputs = inputs
    this.#outputs = outputs
    this.#servos = servos
    this.#log = log
    this.pins = Array.from({ length: PINS }, (_, pin) => ({
      supportedModes: this.#modesOf(pin),
      analogChannel: 127,
    }))
    inputs.listen((pin, level) => this.emit(`digital-read-${pin}`, level))
    for (const [pin, output] of outputs) output.listen(() => this.emit("undriven", pin))
    // johnny-five counts "connect" before "ready", and neither before its Board could listen.
    setImmediate(() => {
      this.emit("connect")
      this.isReady = true
      this.emit("ready")
    })
  }

  // PinsIo

  async driven(pin: number): Promise<void> {
    await (this.#servos.get(pin) ?? this.#output(pin)).driven()
  }

  pattern(pin: number, durations: readonly Milliseconds[]): void {
    this.#output(pin).pattern(durations)
  }

  /** Outputs low, then everything let go: no process of ours is left. */
  close(): Promise<void> {
    this.#closed ??= this.#letGo()
    return this.#closed
  }

  // johnny-five's side

  normalize(pin: number | string): number {
    return typeof pin === "string" ? Number(pin.replace(/^GPIO/i, "")) : pin
  }

  /** @throws Fault "usage": not what the configuration has this pin for. */
  pinMode(pin: number, mode: number): void {
    if (!this.pins[pin]?.supportedModes.includes(mode))
      throw new Fault("usage", `GPIO ${pin}: the configuration has no such use for it`)
  }

  digitalWrite(pin: number, value: number): void {
    // To an input it means a pull-up or pull-down: ours are pulled down in any case.
    if (!this.#inputPins.includes(pin)) this.#output(pin).write(value ? 1 : 0)
  }

  /** @throws Fault "usage": no servo there, or no pulse for one. */
  servoWrite(pin: number, pulseMicroseconds: number): void {
    const servo = this.#servos.get(pin)
    if (!servo) throw new Fault("usage", `GPIO ${pin}: the configuration has no servo there`)
    servo.write(pulseMicroseconds)
  }

  digitalRead(pin: number, listener: (value: number) => void): void {
    this.on(`digital-read-${pin}`, listener)
    process.nextTick(() => listener(this.#inputs.level(pin)))
  }

  #modesOf(pin: number): readonly number[] {
    if (this.#inputPins.includes(pin)) return [MODES.INPUT]
    if (this.#outputs.has(pin)) return [MODES.OUTPUT]
    return this.#servos.has(pin) ? [MODES.SERVO] : []
  }

  #output(pin: number): Output {
    const output = this.#outputs.get(pin)
    if (!output) throw new Fault("usage", `GPIO ${pin}: the configuration has no output there`)
    return output
  }

  async #letGo(): Promise<void> {
    const closing = [this.#inputs, ...this.#outputs.values(), ...this.#servos.values()].map((part) =>
      part.close(),
    )
    for (const result of await Promise.allSettled(closing)) {
      if (result.status === "fulfilled") continue
      const reason = messageOf(result.reason)
      this.#log.write({ event: "fault", where: "pins", kind: "unavailable", reason })
    }
  }
}
