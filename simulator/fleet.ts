import { setMaxListeners } from "node:events"
import type { LogLine } from "../firmware/log.ts"
import type { Dialler, Disk } from "../firmware/ports.ts"
import { type Milliseconds, seconds } from "../firmware/units.ts"
import type { IsExpected } from "./complaints.ts"
import type { FleetHabits } from "./fleet-config.ts"
import { type FleetCamera, Member } from "./member.ts"
import { sleep } from "./sleep.ts"
import { CameraTally, type TallyTimes } from "./tally.ts"
import { VirtualIo } from "./virtual-io.ts"

export { type FleetHabits, fleetConfig } from "./fleet-config.ts"
export type { FleetCamera, Member } from "./member.ts"

export interface FleetOptions {
  readonly seed: number
  readonly cameras: readonly FleetCamera[]
  readonly dialler: Dialler
  /** A camera's own, known by its disk, for a broker that knows each by its certificate. Absent: `dialler` for all. */
  readonly diallerOf?: (disk: Disk) => Dialler
  /** How long things happen before the cameras; what follows is only finishing. */
  readonly duration: Milliseconds
  readonly habits?: FleetHabits
  /** Within this they have all been started. Absent: 2 ms each, at least a second. */
  readonly startWithin?: Milliseconds
  /** When camera number `position` of these starts, counted from the fleet's start. Absent: one after the other. */
  readonly startOf?: (camera: number) => Milliseconds
  /** Cameras whose link or power will fail. */
  readonly fragile?: (camera: number) => boolean
  /** How long the fleet may take to finish and deliver its clips. Absent: as long as the slowest needs, and 30 s. */
  readonly finishWithin?: Milliseconds
  /** `camera` is its index. */
  readonly onLine?: (camera: number, line: LogLine) => void
  readonly timesOf?: (camera: number) => TallyTimes
  /** Which complaints of a camera a fault explains. Absent: none. */
  readonly isExpectedOf?: (camera: number) => IsExpected
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

/** When camera number `position` of `count` starts, counted from the fleet's start. */
export function startDelay(
  position: number,
  count: number,
  duration: Milliseconds,
  within: Milliseconds = Math.max(RAMP_MIN, RAMP_PER_CAMERA * count),
): Milliseconds {
  return (position / count) * Math.min(duration / 4, within)
}

/** Many cameras in one process, and what happens before them. Each is paired once, then all run once. */
export class Fleet {
  readonly members: readonly Member[]
  /** On the monotonic clock; null: not yet. */
  begun: Milliseconds | null = null
  readonly #options: FleetOptions
  readonly #byIndex: ReadonlyMap<number, Member>
  readonly #scripts = new AbortController()
  readonly #pairing = new AbortController()

  constructor(options: FleetOptions) {
    const { seed, cameras, duration, dialler, habits = {}, startWithin, onLine, timesOf } = options
    const { diallerOf = () => dialler, isExpectedOf } = options
    this.#options = options
    setMaxListeners(0, this.#pairing.signal) // every camera listens
    this.members = cameras.map((camera, position) => {
      const start = () => startDelay(position, cameras.length, duration, startWithin)
      const own: Dialler = { dial: (pin, signal) => diallerOf(member.board.disk).dial(pin, signal) }
      const member: Member = new Member({
        ...{ seed, camera, habits, duration },
        dialler: options.diallerOf ? own : dialler,
        start: options.startOf?.(camera.camera) ?? start(),
        fragile: options.fragile?.(camera.camera) ?? false,
        io: options.ios?.[position] ?? new VirtualIo(),
        onLine: (line) => onLine?.(camera.camera, line),
        tally: new CameraTally(timesOf?.(camera.camera), isExpectedOf?.(camera.camera)),
      })
      return member
    })
    this.#byIndex = new Map(this.members.map((member) => [member.camera.camera, member]))
  }

  get ios(): readonly VirtualIo[] {
    return this.members.map(({ board }) => board.pins)
  }

  /** The one with this index in the whole fleet. */
  member(index: number): Member | undefined {
    return this.#byIndex.get(index)
  }

  /** Presses the button of the camera with this index and shows it `setupText`. False: it was not paired. */
  async pair(index: number, setupText: string): Promise<boolean> {
    return this.member(index)?.pair(setupText, this.#pairing.signal) ?? false
  }

  /** Lets the cameras finish their pairings, and ends those that nobody answers. */
  async endPairings(): Promise<void> {
    const timer = setTimeout(() => this.#pairing.abort(), CONFIRM_WITHIN)
    await Promise.all(this.members.map(({ pairing }) => pairing))
    clearTimeout(timer)
  }

  /**
   * Starts the cameras one after another, plays their scripts for the duration or until `stopScripts`, waits until
   * every clip is finished and receipted and every camera is connected, or it has taken too long, then stops all cameras
   * together. Never throws for what one camera does: that is in its `fault`.
   *
   * `onQuiet` is called when nothing more happens before the cameras, and only finishing is left.
   */
  async run(signal: AbortSignal, onQuiet: () => void = () => undefined): Promise<void> {
    const end = new AbortController()
    const abort = () => {
      this.stopScripts()
      end.abort()
    }
    signal.addEventListener("abort", abort, { once: true })
    const begun = performance.now()
    this.begun = begun
    const running = Promise.all(this.members.map((member) => member.run(begun)))
    await sleep(this.#options.duration, this.#scripts.signal)
    for (const member of this.members) member.endScript()
    onQuiet()
    await this.#settled(end.signal)
    for (const member of this.members) member.stop()
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
      if (this.members.every(({ isBack }) => isBack)) return
      await sleep(LOOK_EVERY, signal)
    }
  }

  #patience(): Milliseconds {
    const slowest = this.members.reduce(
      (most, { config }) => Math.max(most, config.recording.postRoll + 3 * config.lens.groupOfPictures),
      0,
    )
    return slowest + (this.#options.finishWithin ?? DELIVER_WITHIN)
  }
}
