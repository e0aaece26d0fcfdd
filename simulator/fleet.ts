import { setMaxListeners } from "node:events"
import { pairCamera, runCamera } from "../firmware/camera.ts"
import { type CameraConfig, parseConfig } from "../firmware/config.ts"
import { messageOf } from "../firmware/errors.ts"
import type { LogLine } from "../firmware/log.ts"
import type { Dialler } from "../firmware/ports.ts"
import { type Milliseconds, seconds } from "../firmware/units.ts"
import { configFor, type VirtualBoard, Visitor, virtualBoard } from "./board.ts"
import type { Footage } from "./footage.ts"
import type { Shot } from "./lens.ts"
import type { MotionSpan } from "./motion.ts"
import { type Step, scriptOf } from "./script.ts"
import { CameraTally } from "./tally.ts"
import { VirtualIo } from "./virtual-io.ts"

export interface FleetCamera extends Shot {
  readonly offset: number
  /** For footage without a truth of its own; then there are no eyes, and all that moves is kept. */
  readonly motion: readonly MotionSpan[] | null
}

export interface FleetOptions {
  readonly seed: number
  readonly cameras: readonly FleetCamera[]
  readonly dialler: Dialler
  /** How long things happen before the cameras; what follows is only finishing. */
  readonly duration: Milliseconds
  /** `camera` is its index. */
  readonly onLine?: (camera: number, line: LogLine) => void
  /** From an object's listing to its receipt. */
  readonly onLatency?: (latency: Milliseconds) => void
  /** Of an earlier fleet in this process, given back by its `ios`: johnny-five keeps some 12 KB of each new one. */
  readonly ios?: readonly VirtualIo[]
}

/** Cameras that all start within this much of a second for five hundred of them, but never at once. */
const RAMP_PER_CAMERA: Milliseconds = 2
const RAMP_MIN: Milliseconds = seconds(1)
/** What the slowest upload may take once the last clip has ended. */
const DELIVER_WITHIN: Milliseconds = seconds(30)
/** A camera goes on for a while confirming that it was paired. */
const CONFIRM_WITHIN: Milliseconds = seconds(5)
const LOOK_EVERY: Milliseconds = 50

/** How every camera of a fleet is configured. */
export function fleetConfig(footage: Footage): CameraConfig {
  return parseConfig({
    lens: configFor(footage),
    recording: { preRoll: seconds(3), postRoll: seconds(3) },
    spool: { keepReceivedBytes: 0 },
  })
}

/** When camera number `position` of `count` starts, counted from the fleet's start. */
export function startDelay(position: number, count: number, duration: Milliseconds): Milliseconds {
  const ramp = Math.min(duration / 4, Math.max(RAMP_MIN, RAMP_PER_CAMERA * count))
  return (position / count) * ramp
}

/** Many cameras in one process, and what happens before them. Each is paired once, then all run once. */
export class Fleet {
  readonly members: readonly Member[]
  readonly #options: FleetOptions
  readonly #scripts = new AbortController()
  readonly #pairing = new AbortController()

  constructor(options: FleetOptions) {
    this.#options = options
    setMaxListeners(0, this.#pairing.signal) // every camera listens
    this.members = options.cameras.map((camera, position) => {
      const start = startDelay(position, options.cameras.length, options.duration)
      return new Member(options, camera, start, options.ios?.[position] ?? new VirtualIo())
    })
  }

  get ios(): readonly VirtualIo[] {
    return this.members.map(({ board }) => board.pins)
  }

  /** Presses the button of the camera with this index and shows it `setupText`. False: it was not paired. */
  async pair(index: number, setupText: string): Promise<boolean> {
    const member = this.members.find(({ camera }) => camera.camera === index)
    return member === undefined ? false : member.pair(setupText, this.#pairing.signal)
  }

  /** Lets the cameras finish their pairings, and ends those that nobody answers. */
  async endPairings(): Promise<void> {
    const timer = setTimeout(() => this.#pairing.abort(), CONFIRM_WITHIN)
    await Promise.all(this.members.map(({ pairing }) => pairing))
    clearTimeout(timer)
  }

  /**
   * Starts the cameras one after another, plays their scripts for the duration or until `stopScripts`, waits until
   * every clip is finished and receipted, or it has taken too long, then stops all cameras together. Never throws for
   * what one camera does: that is in its `fault`.
   */
  async run(signal: AbortSignal): Promise<void> {
    const end = new AbortController()
    setMaxListeners(0, end.signal)
    const abort = () => {
      this.stopScripts()
      end.abort()
    }
    signal.addEventListener("abort", abort, { once: true })
    const running = Promise.all(this.members.map((member) => member.run(end.signal)))
    await sleep(this.#options.duration, this.#scripts.signal)
    for (const member of this.members) member.endScript()
    await this.#settled(end.signal)
    end.abort()
    await running
    signal.removeEventListener("abort", abort)
  }

  /** What happens before the cameras is over. */
  stopScripts(): void {
    this.#scripts.abort()
  }

  async #settled(signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + this.#patience()
    while (!signal.aborted && performance.now() < deadline) {
      if (this.members.every(({ isFinished }) => isFinished)) return
      await sleep(LOOK_EVERY, signal)
    }
  }

  #patience(): Milliseconds {
    const slowest = this.members.reduce(
      (most, { config }) => Math.max(most, config.recording.postRoll + 3 * config.lens.groupOfPictures),
      0,
    )
    return slowest + DELIVER_WITHIN
  }
}

/** One camera of a fleet with its visitor, its script and its tally. */
export class Member {
  readonly camera: FleetCamera
  readonly config: CameraConfig
  readonly board: VirtualBoard
  readonly tally: CameraTally
  readonly script: readonly Step[]
  /** Why its firmware ended before it was told to. */
  fault: string | null = null
  /** Resolves when no pairing is going on: a camera has one connection at a time. */
  pairing: Promise<boolean> = Promise.resolve(false)
  readonly #options: FleetOptions
  readonly #visitor: Visitor
  readonly #start: Milliseconds
  #running = false
  #over = false

  constructor(options: FleetOptions, camera: FleetCamera, start: Milliseconds, io: VirtualIo) {
    const { seed, dialler } = options
    const { footage, offset, motion } = camera
    this.#options = options
    this.camera = camera
    this.#start = start
    this.config = fleetConfig(footage)
    this.tally = new CameraTally(options.onLatency)
    this.board = virtualBoard({
      seed,
      index: camera.camera,
      footage,
      canary: camera.canary,
      dialler,
      log: { write: (line) => this.#note(line) },
      io,
      lens: { offset },
      eyes: motion === null ? "truth" : "none",
    })
    this.#visitor = new Visitor(this.board, this.config.pins)
    const script = { seed, index: camera.camera, footage, offset, duration: options.duration - start }
    this.script = scriptOf(motion === null ? script : { ...script, motion })
  }

  /** There is nothing more to wait for. */
  get isFinished(): boolean {
    return this.fault !== null || this.tally.settled
  }

  pair(setupText: string, signal: AbortSignal): Promise<boolean> {
    this.pairing = this.#pair(setupText, signal).catch((error: unknown) => {
      this.fault = messageOf(error)
      return false
    })
    return this.pairing
  }

  async run(signal: AbortSignal): Promise<void> {
    await sleep(this.#start, signal)
    if (signal.aborted || this.fault !== null) return
    this.#running = true
    try {
      await runCamera(this.board, this.config, signal)
    } catch (error) {
      this.fault = messageOf(error)
    }
    this.#over = true
  }

  endScript(): void {
    this.#over = true
    this.#moves(false)
  }

  async #pair(setupText: string, signal: AbortSignal): Promise<boolean> {
    let shown = false
    const show = async () => {
      shown = true
      return setupText
    }
    const pairing = pairCamera(this.board, this.config, show, signal)
    pairing.catch(() => undefined) // it is awaited below
    // An impatient finger: the camera says nowhere when it begins to feel its button.
    while (!shown && !signal.aborted) {
      await this.#visitor.pressesBell()
      await sleep(20, signal)
    }
    return pairing
  }

  #note(line: LogLine): void {
    this.#options.onLine?.(this.camera.camera, line)
    if (!this.#running) return
    this.tally.note(line, this.board.lens.groups)
    // Written when the lens begins, in the same turn.
    if (line.event === "started") this.#play(0, performance.now())
  }

  /** One timer a camera, whatever its script. */
  #play(step: number, begun: Milliseconds): void {
    const next = this.script[step]
    if (!next) return
    this.board.clock.after(Math.max(0, begun + next.at - performance.now()), () => {
      if (this.#over) return
      if (next.what === "bell") void this.#visitor.pressesBell()
      else this.#moves(next.what === "moves")
      this.#play(step + 1, begun)
    })
  }

  #moves(moving: boolean): void {
    if (!moving) this.tally.still(this.board.lens.groups)
    this.#visitor.moves(moving)
  }
}

/** Ends early when `signal` aborts, and leaves no listener behind. */
function sleep(duration: Milliseconds, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const wake = () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", wake)
      resolve()
    }
    const timer = setTimeout(wake, duration)
    signal.addEventListener("abort", wake)
  })
}
