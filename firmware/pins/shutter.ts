import type { Servo } from "johnny-five"
import type { CameraConfig } from "../config.ts"
import type { PinsIo } from "../ports.ts"

/** A lid before the lens, moved by a servo: what it closes off, no software opens by mistake. */
export class Shutter {
  readonly #servo: Servo
  readonly #io: PinsIo
  readonly #pin: number
  readonly #ends: CameraConfig["shutter"]

  constructor(servo: Servo, io: PinsIo, pin: number, ends: CameraConfig["shutter"]) {
    this.#servo = servo
    this.#io = io
    this.#pin = pin
    this.#ends = ends
  }

  /** Resolves once the servo has been told. @throws Fault "unavailable": it cannot be told. */
  async open(): Promise<void> {
    this.#servo.to(this.#ends.openDegrees)
    await this.#io.driven(this.#pin)
  }

  /** As `open`. Written at once, so that whoever stops need not wait. */
  async close(): Promise<void> {
    this.#servo.to(this.#ends.closedDegrees)
    await this.#io.driven(this.#pin)
  }
}
