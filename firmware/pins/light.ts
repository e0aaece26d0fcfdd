import type { Led } from "johnny-five"
import { Fault, messageOf } from "../errors.ts"
import type { Log, PinsIo } from "../ports.ts"

interface Hold {
  readonly reason: string
  readonly onLost: (() => void) | undefined
  /** The light was seen on for it. */
  lit: boolean
}

/** The light that says "you are being recorded": on while anybody holds it. */
export class Light {
  readonly #led: Led
  readonly #io: PinsIo
  readonly #pin: number
  readonly #log: Log
  readonly #holds = new Set<Hold>()
  /** What was last reported: the reasons it is on for, in order. */
  #reported = ""
  #closed = false
  readonly #hear = (pin: number) => {
    if (pin === this.#pin) this.#lose()
  }

  /** Begins dark. */
  constructor(led: Led, io: PinsIo, pin: number, log: Log) {
    this.#led = led
    this.#io = io
    this.#pin = pin
    this.#log = log
    io.on("undriven", this.#hear)
    led.off()
  }

  /**
   * Resolves once the light is on, on the wire; frames may leave the ring from then until the returned function is
   * called. Calling it twice is harmless. Should the light go out by itself before that, `onLost` is called: this hold
   * is over, and no frame may leave until another is had. Who does not ask to be told keeps the hold.
   * @throws Fault "unavailable", definite: the light cannot be lit, so nobody gets frames.
   */
  async hold(reason: string, onLost?: () => void): Promise<() => void> {
    if (this.#closed) throw new Fault("unavailable", "light: the camera is stopping")
    const hold: Hold = { reason, onLost, lit: false }
    this.#holds.add(hold)
    // Written even if it should be on already: what an earlier hold could not light, this one may.
    this.#led.on()
    try {
      await this.#io.driven(this.#pin)
    } catch (cause) {
      this.#release(hold)
      throw new Fault("unavailable", `light: ${messageOf(cause)}`, { cause })
    }
    if (this.#closed) throw new Fault("unavailable", "light: the camera is stopping")
    hold.lit = true
    this.#report()
    return () => this.#release(hold)
  }

  /** Dark, whoever still holds it; there is nothing to hold any more. */
  close(): void {
    this.#closed = true
    this.#io.removeListener("undriven", this.#hear)
    this.#holds.clear()
    this.#led.off()
    this.#report()
  }

  /** Who waits for it waits on: `driven` tells them. */
  #lose(): void {
    for (const hold of [...this.#holds]) {
      if (!hold.lit || !hold.onLost) continue
      this.#release(hold)
      hold.onLost()
    }
  }

  #release(hold: Hold): void {
    if (!this.#holds.delete(hold)) return
    if (this.#holds.size === 0) this.#led.off()
    this.#report()
  }

  #report(): void {
    const holds = [...this.#holds].map((hold) => hold.reason)
    if (holds.join() === this.#reported) return
    this.#reported = holds.join()
    this.#log.write({ event: "light", on: holds.length > 0, holds })
  }
}
