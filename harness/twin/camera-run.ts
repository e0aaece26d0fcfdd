import "./wall.ts"
import "../virtual/install.ts"
import { runCamera } from "../../firmware/camera.ts"
import { Fault } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Board, HealthReading } from "../../firmware/ports.ts"
import { type Milliseconds, minutes } from "../../firmware/units.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { seededRandom } from "../../simulator/random.ts"
import type { Household } from "../virtual/household.ts"
import { time } from "../virtual/install.ts"
import { eventText } from "./event-text.ts"
import { FedLens } from "./fed-lens.ts"
import { FedPins } from "./fed-pins.ts"
import type { LiveParts } from "./live-parts.ts"
import { type Pace, settled } from "./pace.ts"
import {
  type Begin,
  type Fed,
  type Input,
  NO_BYTES,
  type Said,
  type TraceRecord,
  type TwinEvent,
} from "./trace.ts"

export interface CameraRunOptions {
  /** Its disk and its network, in memory; paired. */
  readonly household: Household
  /** `duration`: how long the board gives; then the camera is stopped in order. */
  readonly begin: Begin
  /** Of a trace, by their times; or none. */
  readonly inputs: readonly Input[]
  /** What answers for real, where anything does. */
  readonly live: LiveParts
  readonly pace: Pace
  /** Ends it sooner. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: TwinEvent) => void
}

export interface CameraRun {
  readonly duration: Milliseconds
  /** Every input as it was given, and every event, by their times. */
  readonly records: readonly TraceRecord[]
  /** When each clip was opened, by its id. */
  readonly openedAt: ReadonlyMap<string, Milliseconds>
}

/** By the calendar, a fixed day: a clip's summary says when it began. */
export const EPOCH = Date.UTC(2026, 0, 1)
/** Repeats jitter and back-off. */
const SEED = 1
const STOP_WITHIN = minutes(1)
const UNKNOWN = { temperatureCelsius: null, undervoltage: null, throttled: null } as const

/**
 * Runs the firmware that ships on a board of which every port is fed, one input after another at whole milliseconds, and
 * writes down what comes in and what goes out.
 *
 * Rejects with whatever ended the camera.
 */
export class CameraUnderTrace {
  readonly #options: CameraRunOptions
  readonly #begun = time.now
  readonly #records: TraceRecord[] = []
  readonly #openedAt = new Map<string, Milliseconds>()
  /** From live parts, in the order in which they came. */
  readonly #arrived: Fed[] = []
  readonly #script: readonly Input[]
  #next = 0
  readonly #lens: FedLens
  readonly #pins: FedPins
  readonly #readings: ((reading: HealthReading) => void)[] = []

  constructor(options: CameraRunOptions) {
    this.#options = options
    const { begin, live, inputs } = options
    const { pins } = begin.config
    this.#script = [...inputs].sort((a, b) => a.at - b.at)
    this.#lens = new FedLens({
      watches: begin.lensWatches,
      onAsked: (until) => {
        this.#say({ port: "lens", what: "asked" })
        live.readLens(until)
      },
    })
    const name = (pin: number) =>
      Object.entries(pins).find(([, number]) => number === pin)?.[0] ?? `GPIO ${pin}`
    this.#pins = new FedPins([pins.motion, pins.bell], {
      write: (pin, value) => {
        this.#say({ port: "pins", what: "write", pin, value, name: name(pin) })
        live.write(pin, value)
      },
      servo: (pin, value) => {
        this.#say({ port: "pins", what: "write", pin, value, name: name(pin) })
        live.servo(pin, value)
      },
      pattern: (pin, durations) => {
        this.#say({ port: "pins", what: "pattern", pin, durations: [...durations], name: name(pin) })
        live.pattern(pin, durations)
      },
      waits: (pin) => {
        if (!live.waits(pin) && !this.#willAnswer("driven"))
          this.#arrived.push({ port: "pins", what: "driven", pin, refusal: null, bytes: NO_BYTES })
      },
    })
  }

  async run(): Promise<CameraRun> {
    const { begin, live, pace, signal } = this.#options
    const stop = new AbortController()
    let ended = false
    let failure: unknown = null
    live.begin((input) => this.#arrived.push(input), this.#begun)
    const note = (error: unknown = null) => {
      ended = true
      failure = error
    }
    runCamera(this.#board(), begin.config, stop.signal).then(() => note(), note)
    await settled()
    await this.#feed(begin.duration, () => ended || signal?.aborted === true)
    // All that was given is older than the end.
    if (this.#now() < begin.duration) await pace.pass(time.now + 1, () => false)
    const duration = this.#now()
    stop.abort()
    await this.#feed(duration + STOP_WITHIN, () => ended)
    if (failure !== null) throw failure
    if (!ended) throw new Fault("broken", "the camera did not stop when it was told to")
    return { duration, records: this.#records, openedAt: this.#openedAt }
  }

  /** Live inputs when they are there, scripted ones at their times; what each brings about is over before the next. */
  async #feed(until: Milliseconds, isOver: () => boolean): Promise<void> {
    const { pace } = this.#options
    while (this.#now() < until && !isOver()) {
      const scripted = this.#script[this.#next]
      const due = Math.min(until, scripted?.at ?? until)
      await pace.pass(this.#begun + due, () => this.#arrived.length > 0 || isOver())
      if (this.#now() >= until || isOver()) return
      const live = this.#arrived.shift()
      if (live) this.#give({ ...live, at: this.#now() } as Input)
      else if (scripted && this.#now() >= scripted.at) {
        this.#next++
        this.#give(scripted)
      }
      await settled()
    }
  }

  #give(input: Input): void {
    this.#records.push(input)
    switch (input.what) {
      case "piece": {
        const { bytes, arrived, timing, startsKeyFrame, endsUnit } = input
        this.#lens.give({
          ...{ bytes, at: arrived },
          ...(timing && { timing: timing.map(([pts, dts]) => ({ pts, dts })) }),
          ...(startsKeyFrame !== undefined && { startsKeyFrame }),
          ...(endsUnit !== undefined && { endsUnit }),
        })
        break
      }
      case "ended":
        this.#lens.end(input.reason)
        break
      case "moving":
        this.#lens.move(input.moving, input.seen)
        break
      case "edge":
        this.#pins.set(input.pin, input.level)
        break
      case "driven":
        this.#pins.answer(input.pin, input.refusal)
        break
      case "reading": {
        const { temperatureCelsius, undervoltage, throttled } = input
        this.#readings.shift()?.({ temperatureCelsius, undervoltage, throttled })
        break
      }
    }
  }

  #board(): Board {
    const { household, live } = this.#options
    const { disk, dialler } = household.board
    const monotonic = () => this.#now()
    const real = () => ({ at: EPOCH + this.#now(), uncertainty: 0 })
    const read = () =>
      new Promise<HealthReading>((resolve) => {
        this.#readings.push(resolve)
        if (!live.readHealth() && !this.#willAnswer("reading"))
          this.#arrived.push({ port: "health", what: "reading", ...UNKNOWN, bytes: NO_BYTES })
      })
    return {
      clock: { ...virtualClock(), monotonic, real },
      random: seededRandom(SEED, "twin"),
      ...{ pins: this.#pins, lens: this.#lens, disk, dialler, health: { read } },
      log: { write: (line) => this.#note(line) },
    }
  }

  /** As the trace counts. */
  #now(): Milliseconds {
    return time.now - this.#begun
  }

  #note(line: LogLine): void {
    if (line.event === "clip opened") this.#openedAt.set(line.clip, this.#now())
    const text = eventText(line)
    if (text !== null) this.#say({ port: "log", what: "line", text })
  }

  #say(said: Said): void {
    const event: TwinEvent = { ...said, at: this.#now(), bytes: NO_BYTES }
    this.#records.push(event)
    this.#options.onEvent?.(event)
  }

  /** Does the trace still answer such a question? */
  #willAnswer(what: Input["what"]): boolean {
    return this.#script.some((input, position) => position >= this.#next && input.what === what)
  }
}
