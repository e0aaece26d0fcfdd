import { readdir, readFile, realpath, writeFile } from "node:fs/promises"
import { basename, join } from "node:path"
import { PWM_PINS } from "../../firmware/config.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { Clock } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"

/**
 * A servo on the kernel's PWM: a process cannot time pulses of a millisecond, the chip can.
 *
 *   <pwm>/pwmchipN/export            the channel's number
 *   <pwm>/pwmchipN/pwmC/period       nanoseconds: 20 ms, as servos want
 *   <pwm>/pwmchipN/pwmC/duty_cycle   nanoseconds: the pulse
 *   <pwm>/pwmchipN/pwmC/enable       1
 *
 * The kernel has it when the write returns.
 */

interface PwmPin {
  /** Channel of the PWM block, on the Pi 4 and before, and on the Pi 5's RP1. */
  readonly channel: number
  readonly channelOnRp1: number
  /** The overlay's number for the pin's function: the same for all, it is translated for the RP1. */
  readonly func: number
}

/** From the firmware's overlays/README, "pwm", and the RP1's table of pin functions. */
const CHANNELS: ReadonlyMap<number, PwmPin> = new Map([
  [12, { channel: 0, channelOnRp1: 0, func: 4 }],
  [13, { channel: 1, channelOnRp1: 1, func: 4 }],
  [18, { channel: 0, channelOnRp1: 2, func: 2 }],
  [19, { channel: 1, channelOnRp1: 3, func: 2 }],
])

/**
 * The PWM block behind the header's pins, by its address: a Pi 4 has another for its audio jack, a Pi 5 one for its fan.
 */
const PWM_DEVICE = /(?:20c000|98000)\.pwm$/
const PERIOD_NANOSECONDS = 20_000_000
/** Beyond these a servo runs into its stop. */
const PULSE_MICROSECONDS = { min: 400, max: 2_600 }
/** udev gives a channel to the group gpio a moment after it was exported. */
const USABLE_WITHIN: Milliseconds = 2_000
const LOOK_AGAIN: Milliseconds = 20
/** A small servo turns 60 degrees in 0.1 to 0.2 s; without a signal it stops where it is. */
const TRAVEL: Milliseconds = 800

export interface ServoOptions {
  readonly pin: number
  /** The sysfs class folder, /sys/class/pwm. */
  readonly pwm: string
  readonly onRp1: boolean
  readonly clock: Clock
}

export class Servo {
  readonly #folder: string
  readonly #channel: number
  readonly #clock: Clock
  /** The last write, and all before it. */
  #written: Promise<void> = Promise.resolve()
  #movingSince: Milliseconds = -Infinity
  #closed = false

  private constructor(folder: string, channel: number, clock: Clock) {
    this.#folder = folder
    this.#channel = channel
    this.#clock = clock
  }

  /**
   * Takes the channel and leaves the servo where it is.
   * @throws Fault "usage", definite: a pin without PWM, no overlay for it, or no permission.
   */
  static async open({ pin, pwm, onRp1, clock }: ServoOptions): Promise<Servo> {
    const known = CHANNELS.get(pin)
    if (!known)
      throw new Fault("usage", `GPIO ${pin}: no servo without PWM; use one of ${PWM_PINS.join(", ")}`)
    const channel = onRp1 ? known.channelOnRp1 : known.channel
    const folder = await findPwmChip(pwm, channel)
    if (folder === null)
      throw new Fault(
        "usage",
        `GPIO ${pin}: the kernel has no PWM there; add dtoverlay=pwm,pin=${pin},func=${known.func} to /boot/firmware/config.txt and restart`,
      )
    const servo = new Servo(folder, channel, clock)
    await servo.#take(pin)
    return servo
  }

  /** @throws Fault "usage": no pulse for a servo. */
  write(pulseMicroseconds: number): void {
    if (!(pulseMicroseconds >= PULSE_MICROSECONDS.min && pulseMicroseconds <= PULSE_MICROSECONDS.max))
      throw new Fault("usage", `servo: ${pulseMicroseconds} µs is no pulse for a servo`)
    if (this.#closed) return
    this.#written = this.#written
      .catch(() => undefined) // Told to whoever asked `driven` then; the next write stands for itself.
      .then(async () => {
        await this.#put("duty_cycle", Math.round(pulseMicroseconds) * 1_000)
        await this.#put("enable", 1)
        this.#movingSince = this.#clock.monotonic()
      })
    // Heard by `driven`.
    this.#written.catch(() => undefined)
  }

  /** Resolves once the kernel gives the last pulse written. @throws Fault "unavailable". */
  async driven(): Promise<void> {
    if (this.#closed) throw new Fault("unavailable", "servo: closed")
    await this.#written
  }

  /** Lets it finish its way, then lets go of it: it stays where it is. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#written.catch(() => undefined) // Told to whoever asked `driven`.
    await this.#clock.sleep(Math.max(0, this.#movingSince + TRAVEL - this.#clock.monotonic()))
    await this.#put("enable", 0)
    await writeFile(join(this.#folder, "unexport"), `${this.#channel}`)
  }

  async #take(pin: number): Promise<void> {
    const until = this.#clock.monotonic() + USABLE_WITHIN
    try {
      const there = await readdir(this.#folder)
      if (!there.includes(`pwm${this.#channel}`))
        await writeFile(join(this.#folder, "export"), `${this.#channel}`)
    } catch (cause) {
      throw notTaken(pin, cause)
    }
    for (;;) {
      try {
        await this.#put("period", PERIOD_NANOSECONDS)
        return
      } catch (cause) {
        if (this.#clock.monotonic() >= until) throw notTaken(pin, cause)
        await this.#clock.sleep(LOOK_AGAIN)
      }
    }
  }

  async #put(file: "period" | "duty_cycle" | "enable", value: number): Promise<void> {
    try {
      await writeFile(join(this.#folder, `pwm${this.#channel}`, file), `${value}`)
    } catch (cause) {
      throw new Fault("unavailable", `servo: ${messageOf(cause)}`, { cause })
    }
  }
}

async function findPwmChip(pwm: string, channel: number): Promise<string | null> {
  // No folder: a kernel without any PWM.
  const chips = await readdir(pwm).catch(() => [])
  for (const chip of chips.sort()) {
    const folder = join(pwm, chip)
    const [device, channels] = await Promise.all([
      realpath(join(folder, "device")).catch(() => ""),
      readFile(join(folder, "npwm"), "utf8").catch(() => "0"),
    ])
    if (PWM_DEVICE.test(basename(device)) && Number(channels) > channel) return folder
  }
  return null
}

function notTaken(pin: number, cause: unknown): Fault {
  const error = isFault(cause) ? cause.cause : cause
  const code = error instanceof Error && "code" in error ? error.code : null
  if (code === "EACCES" || code === "EPERM")
    return new Fault(
      "usage",
      `GPIO ${pin}: no permission for its PWM; the camera's user has to be in the group gpio`,
      {
        cause,
      },
    )
  if (code === "EBUSY")
    return new Fault("usage", `GPIO ${pin}: its PWM is in use by a kernel driver; choose another pin`, {
      cause,
    })
  return new Fault("unavailable", `GPIO ${pin}: its PWM cannot be taken (${messageOf(cause)})`, { cause })
}
