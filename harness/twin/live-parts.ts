import { messageOf } from "../../firmware/errors.ts"
import type { Health, HealthReading, Lens, PinsIo } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { type Fed, NO_BYTES } from "./trace.ts"

/** The IO of a board, with what johnny-five calls. */
export interface BoardPins extends PinsIo {
  pinMode(pin: number, mode: number): void
  digitalRead(pin: number, listener: (value: number) => void): void
  digitalWrite(pin: number, value: number): void
  servoWrite(pin: number, pulseMicroseconds: number): void
}

export interface Parts {
  /** null: nothing is driven. */
  readonly pins: BoardPins | null
  /** null: a trace gives the pictures. */
  readonly lens: Lens | null
  readonly health: Health | null
  /** GPIO numbers of motion and bell; empty: a trace says what they feel. */
  readonly inputs: readonly number[]
  /** The trace begins. */
  readonly onBegin?: () => void
  /** Pins and lens are let go of. */
  readonly onClose?: () => Promise<void>
}

type Put = (input: Fed) => void

const INPUT_MODE = 0
const UNKNOWN: HealthReading = { temperatureCelsius: null, undervoltage: null, throttled: null }

/** Parts of a board that answer for themselves while a camera runs: what they give is put, what is written they get. */
export class LiveParts {
  readonly #parts: Parts
  #put: Put = () => undefined
  #begun: Milliseconds = 0
  readonly #reading: Promise<void>[] = []
  #unwatch: () => void = () => undefined
  #closed = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * From now on edges are put; levels that are high already at once. Times are counted from `begun` on the clock of these
   * parts.
   */
  begin(put: Put, begun: Milliseconds): void {
    this.#put = put
    this.#begun = begun
    const { pins, lens, inputs, onBegin } = this.#parts
    const levels = new Map<number, number>()
    for (const pin of inputs) {
      pins?.pinMode(pin, INPUT_MODE)
      pins?.digitalRead(pin, (value) => {
        const level = value === 0 ? 0 : 1
        if (this.#closed || (levels.get(pin) ?? 0) === level) return
        levels.set(pin, level)
        put({ port: "pins", what: "edge", pin, level, bytes: NO_BYTES })
      })
    }
    const stop = lens?.watchMotion?.((moving, at) =>
      put({ port: "lens", what: "moving", moving, seen: at - begun, bytes: NO_BYTES }),
    )
    this.#unwatch = stop ?? this.#unwatch
    onBegin?.()
  }

  /** Puts the lens's pieces until `until` aborts, if there is a lens. */
  readLens(until: AbortSignal): void {
    const { lens } = this.#parts
    if (lens) this.#reading.push(this.#read(lens, until))
  }

  async #read(lens: Lens, until: AbortSignal): Promise<void> {
    const ended = (reason: string | null) => {
      if (!until.aborted) this.#put({ port: "lens", what: "ended", reason, bytes: NO_BYTES })
    }
    try {
      for await (const { bytes, at, timing, startsKeyFrame, endsUnit } of lens.pieces(until))
        this.#put({
          ...{ port: "lens", what: "piece", arrived: at - this.#begun, bytes },
          ...(timing && { timing: timing.map(({ pts, dts }): [number, number] => [pts, dts]) }),
          ...(startsKeyFrame !== undefined && { startsKeyFrame }),
          ...(endsUnit !== undefined && { endsUnit }),
        })
      ended(null)
    } catch (error) {
      ended(messageOf(error))
    }
  }

  write(pin: number, value: number): void {
    this.#parts.pins?.digitalWrite(pin, value)
  }

  servo(pin: number, pulseMicroseconds: number): void {
    this.#parts.pins?.servoWrite(pin, pulseMicroseconds)
  }

  pattern(pin: number, durations: readonly Milliseconds[]): void {
    this.#parts.pins?.pattern(pin, durations)
  }

  /** Puts when the wire of `pin` has what was written to it. false: there are no pins to ask. */
  waits(pin: number): boolean {
    const { pins } = this.#parts
    const answer = (refusal: string | null) =>
      this.#put({ port: "pins", what: "driven", pin, refusal, bytes: NO_BYTES })
    pins?.driven(pin).then(
      () => answer(null),
      (error: unknown) => answer(messageOf(error)),
    )
    return pins !== null
  }

  /** Puts a reading. false: nobody is there who could tell. */
  readHealth(): boolean {
    const { health } = this.#parts
    const answer = (reading: HealthReading) =>
      this.#put({ port: "health", what: "reading", ...reading, bytes: NO_BYTES })
    health?.read().then(answer, () => answer(UNKNOWN))
    return health !== null
  }

  /** Lets go of pins and lens, which the firmware has left by now. */
  async close(): Promise<void> {
    this.#closed = true
    this.#unwatch()
    await Promise.all(this.#reading)
    await this.#parts.pins?.close()
    await this.#parts.onClose?.()
  }
}
