import type { CameraConfig, CameraConfigInput } from "../firmware/config.ts"
import type { Board, Clock, Dialler, Disk, Health, Log, Random } from "../firmware/ports.ts"
import { millisecondsOf } from "../firmware/units.ts"
import { virtualClock } from "./clock.ts"
import { MemoryDisk } from "./disk.ts"
import type { Footage } from "./footage.ts"
import { type DetectorErrors, footageFrames, noDetectorErrors, truthDetector } from "./frames.ts"
import { scriptedHealth } from "./health.ts"
import { type LensOptions, VirtualLens } from "./lens.ts"
import { seededRandom } from "./random.ts"
import { type SeenPicture, seenDetector } from "./seen.ts"
import { VirtualIo } from "./virtual-io.ts"

export interface VirtualBoardOptions {
  readonly seed: number
  /** The camera's number in the fleet: with the seed, all of its script. */
  readonly index: number
  readonly footage: Footage
  /** Drawn into the stream; must be found in no plain place of the whole system. */
  readonly canary: string
  readonly dialler: Dialler
  readonly log: Log
  /** Absent: the process's time. */
  readonly clock?: Clock
  /** Absent: a disk in memory. */
  readonly disk?: Disk
  /** An IO that another camera has finished with; johnny-five keeps a little of every new one for ever. */
  readonly io?: VirtualIo
  readonly lens?: Pick<LensOptions, "pace" | "split" | "offset" | "rest">
  /**
   * "truth": the footage's own truth, told wrong at a stated rate, decides what is worth a clip. "motion": no model, so
   * what moves in the footage does. "seen": what a real model said of its pictures (`seen`). "none": not even pictures, so all that wakes the camera is.
   * Or whatever the caller has: a real model, say.
   */
  readonly eyes?: "truth" | "motion" | "seen" | "none" | Pick<Board, "frames" | "decoder" | "detector">
  /** For "seen": of this footage. */
  readonly seen?: readonly SeenPicture[]
  /** How often "truth" errs. Absent: never. */
  readonly errors?: DetectorErrors
}

/** A board whose parts can be played with from outside. */
export interface VirtualBoard extends Board {
  readonly pins: VirtualIo
  readonly lens: VirtualLens
}

// All boards have one.
const CLOCK: Clock = virtualClock()
const HEALTH: Health = scriptedHealth()

/** Everything a camera needs of the world, made from a seed. The firmware cannot tell it from a Pi's. */
export function virtualBoard(options: VirtualBoardOptions): VirtualBoard {
  const { seed, index, footage, canary, dialler, log } = options
  const clock = options.clock ?? CLOCK
  const random: Random = seededRandom(seed, "camera", index)
  const lens = new VirtualLens({ footage, clock, random, camera: index, canary, ...options.lens })
  const disk = options.disk ?? new MemoryDisk({ clock, random: seededRandom(seed, "disk", index) })
  const board = {
    clock,
    random,
    pins: options.io ?? new VirtualIo(),
    lens,
    disk,
    dialler,
    health: HEALTH,
    log,
  }
  const { eyes = "none" } = options
  if (eyes === "none") return board
  if (typeof eyes === "object") return { ...board, ...eyes }
  const positionAt = (at: number) => lens.positionAt(at)
  const frames = footageFrames({ footage, positionAt, clock })
  if (eyes === "motion") return { ...board, frames }
  if (eyes === "seen") return { ...board, frames, detector: seenDetector(options.seen ?? [], positionAt) }
  const errors = options.errors ?? noDetectorErrors
  const detector = truthDetector({
    footage,
    positionAt,
    random: seededRandom(seed, "detector", index),
    errors,
  })
  return { ...board, frames, detector }
}

/** What a camera that shows `footage` would be configured for. */
export function configFor(footage: Footage): NonNullable<CameraConfigInput["lens"]> {
  const { width, height, framesPerSecond, duration, groups } = footage
  const bytes = groups.reduce((sum, group) => sum + group.bytes.length, 0)
  const longest = Math.max(...groups.map((group) => group.duration))
  const lens: CameraConfig["lens"] = {
    width,
    height,
    framesPerSecond: Math.min(120, Math.max(1, framesPerSecond)),
    bitsPerSecond: Math.min(
      50_000_000,
      Math.max(100_000, Math.round((bytes * 8_000) / millisecondsOf(duration))),
    ),
    groupOfPictures: Math.min(60_000, Math.max(100, Math.round(millisecondsOf(longest)))),
    night: false,
  }
  return lens
}

/** Somebody in front of the camera: what they do reaches the firmware as edges on its pins. */
export class Visitor {
  readonly #io: VirtualIo
  readonly #clock: Clock
  readonly #pins: CameraConfig["pins"]

  constructor(board: VirtualBoard, pins: CameraConfig["pins"]) {
    this.#io = board.pins
    this.#clock = board.clock
    this.#pins = pins
  }

  /** The motion sensor goes high, or low. */
  moves(moving: boolean): void {
    this.#io.set(this.#pins.motion, moving ? 1 : 0)
  }

  /** Long enough for a debounced button to notice. */
  async pressesBell(): Promise<void> {
    this.#io.set(this.#pins.bell, 1)
    await this.#clock.sleep(50)
    this.#io.set(this.#pins.bell, 0)
  }

  /** Is the recording light on? */
  get seesLight(): boolean {
    return this.#io.level(this.#pins.light) !== 0
  }
}
