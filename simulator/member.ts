import { pairCamera, runCamera } from "../firmware/camera.ts"
import type { CameraConfig } from "../firmware/config.ts"
import { messageOf } from "../firmware/errors.ts"
import type { LogLine } from "../firmware/log.ts"
import type { Dialler } from "../firmware/ports.ts"
import type { Milliseconds } from "../firmware/units.ts"
import { type VirtualBoard, type VirtualBoardOptions, Visitor, virtualBoard } from "./board.ts"
import { virtualClock } from "./clock.ts"
import { watchedDialler } from "./dialler.ts"
import { MemoryDisk } from "./disk.ts"
import { type Faults, noFaults, type SomeFaults, together } from "./faults.ts"
import { FaultyDialler } from "./faulty-dialler.ts"
import { type FleetHabits, fleetConfig } from "./fleet-config.ts"
import type { MotionSpan } from "./motion.ts"
import { seededRandom } from "./random.ts"
import { type Step, scriptOf } from "./script.ts"
import type { Shot } from "./shot.ts"
import { sleep } from "./sleep.ts"
import type { CameraTally } from "./tally.ts"
import type { VirtualIo } from "./virtual-io.ts"

export interface FleetCamera extends Shot {
  readonly offset: number
  /** For footage without a truth of its own; then there are no eyes, and all that moves is kept. */
  readonly motion: readonly MotionSpan[] | null
  /** Absent: the footage's truth, where it has one and says who comes; else no eyes. */
  readonly sight?: Pick<VirtualBoardOptions, "eyes" | "errors" | "seen">
  /** Where the footage says who comes: in what part of its loops. Absent: in all. */
  readonly share?: number
  /** Who comes by, counted from the fleet's start, whatever the footage shows. Absent: what moves in the footage. */
  readonly visits?: readonly Step[]
}

export interface MemberOptions {
  readonly seed: number
  readonly camera: FleetCamera
  readonly habits: FleetHabits
  readonly dialler: Dialler
  /** Its link or its power will fail: costs a layer around every connection. */
  readonly fragile: boolean
  /** After the fleet's start. */
  readonly start: Milliseconds
  /** How long things happen, from the fleet's start. */
  readonly duration: Milliseconds
  readonly io: VirtualIo
  readonly onLine: (line: LogLine) => void
  readonly tally: CameraTally
}

/** One camera of a fleet with its visitor, its script, its tally, and what is wrong with its parts. */
export class Member {
  readonly camera: FleetCamera
  readonly config: CameraConfig
  readonly board: VirtualBoard
  readonly tally: CameraTally
  /** Counted from the fleet's start where the camera has visits, else from when its lens began. */
  readonly script: readonly Step[]
  /** Why its firmware ended before it was told to. */
  fault: string | null = null
  /** Resolves when no pairing is going on: a camera has one connection at a time. */
  pairing: Promise<boolean> = Promise.resolve(false)
  readonly #options: MemberOptions
  readonly #visitor: Visitor
  readonly #disk: MemoryDisk
  readonly #dialler: FaultyDialler | null
  readonly #struck = new Set<SomeFaults>()
  readonly #stop = new AbortController()
  #faults: Faults = noFaults
  /** Ends the firmware where it stands; null: it does not run. */
  #boot: AbortController | null = null
  #powered = true
  #cuts = 0
  #onPower: () => void = () => undefined
  #started = false
  #over = false
  #inView = 0

  constructor(options: MemberOptions) {
    const { seed, camera, habits, duration, start, tally } = options
    const { footage, offset, motion, visits } = camera
    const index = camera.camera
    this.#options = options
    this.camera = camera
    this.tally = tally
    this.config = fleetConfig(footage, habits)
    const clock = virtualClock(() => this.#faults.clock)
    this.#disk = new MemoryDisk({ clock, random: seededRandom(seed, "disk", index) })
    this.#dialler = options.fragile
      ? new FaultyDialler(options.dialler, noFaults.link, clock, seededRandom(seed, "link", index))
      : null
    const watched = watchedDialler(this.#dialler ?? options.dialler, () => {
      // Pairing dials too, and is not part of a run.
      if (this.#started) tally.dialled()
    })
    this.board = virtualBoard({
      ...{ seed, index, footage, canary: camera.canary, clock, disk: this.#disk, dialler: watched },
      log: { write: (line) => this.#note(line) },
      io: options.io,
      lens: { offset },
      ...(camera.sight ?? { eyes: motion === null && visits === undefined ? "truth" : "none" }),
    })
    this.#visitor = new Visitor(this.board, this.config.pins)
    const own = { ...camera, seed, index, duration: duration - start }
    this.script = visits ?? scriptOf(own)
  }

  /** There is nothing more to wait for: no clip is being made, and its spool holds nothing more. */
  get isFinished(): boolean {
    return this.fault !== null || (this.tally.isIdle && this.#powered && this.#isSpoolEmpty)
  }

  /** Finished, and not on its way back: what has nothing to send may still wait, for it dialled while the broker was away. */
  get isBack(): boolean {
    return this.fault !== null || (this.isFinished && this.tally.connected)
  }

  /** No payload, and no manifest without its receipt. */
  get #isSpoolEmpty(): boolean {
    const disk = this.#disk
    return this.waitingObjects === 0 && disk.count("manifest.") <= disk.count("received.")
  }

  /** Sealed objects on its disk, listed or held. */
  get waitingObjects(): number {
    return this.#disk.count("object.")
  }

  get isOn(): boolean {
    return this.#started && this.#powered
  }

  pair(setupText: string, signal: AbortSignal): Promise<boolean> {
    this.pairing = this.#pair(setupText, signal).catch((error: unknown) => {
      this.fault = messageOf(error)
      return false
    })
    return this.pairing
  }

  /** Ends the run for good. A signal shared by thousands would be searched by each of them. */
  stop(): void {
    this.#stop.abort()
  }

  /** From power on to `stop`, through all power cuts. `begun`: the fleet's start on the monotonic clock. */
  async run(begun: Milliseconds): Promise<void> {
    const { signal } = this.#stop
    this.tally.begun = begun
    if (this.camera.visits) this.#play(0, begun)
    await sleep(Math.max(0, begun + this.#options.start - performance.now()), signal)
    this.#started = true
    while (!signal.aborted && this.fault === null) {
      await this.#untilPowered(signal)
      if (signal.aborted) return
      const boot = new AbortController()
      const end = () => boot.abort()
      signal.addEventListener("abort", end, { once: true })
      this.#boot = boot
      try {
        await runCamera(this.board, this.config, boot.signal)
      } catch (error) {
        // What a dying camera's disk refuses is the power cut, not a fault of the camera.
        if (this.#powered) this.fault = messageOf(error)
      }
      this.#boot = null
      signal.removeEventListener("abort", end)
    }
  }

  /** Nobody comes any more, and whoever is there leaves. */
  endScript(): void {
    this.#over = true
    this.#inView = 0
    this.#visitor.moves(false)
    this.tally.still(this.board.lens.groups)
  }

  // What can strike it

  /** Holds until the function that is returned is called. */
  strike(some: SomeFaults): () => void {
    this.#struck.add(some)
    this.#settleFaults()
    return () => {
      this.#struck.delete(some)
      this.#settleFaults()
    }
  }

  /** Every connection breaks once. */
  cutLink(): void {
    this.#dialler?.cut()
  }

  /** The broker's ends are gone, and nobody tells the camera. */
  halfOpen(): void {
    this.#dialler?.halfOpen()
  }

  /** Of several cuts at once the last that ends gives it back. */
  cutPower(): void {
    this.#cuts++
    if (!this.#powered) return
    this.#powered = false
    this.#disk.cutPower()
    this.#dialler?.cut()
    this.tally.powerCut()
    this.#boot?.abort()
  }

  restorePower(): void {
    if (this.#powered || --this.#cuts > 0) return
    this.board.pins.reset()
    this.#disk.powerOn()
    this.#powered = true
    // Whoever stands there is felt again.
    if (this.#inView > 0) this.#visitor.moves(true)
    this.#onPower()
  }

  #settleFaults(): void {
    this.#faults = together(this.#struck)
    const { link, disk, lens } = this.#faults
    this.#disk.faults = disk
    this.board.lens.faults = lens
    if (this.#dialler) this.#dialler.faults = link
  }

  async #untilPowered(signal: AbortSignal): Promise<void> {
    while (!this.#powered && !signal.aborted)
      await new Promise<void>((resolve) => {
        const wake = () => {
          signal.removeEventListener("abort", wake)
          resolve()
        }
        this.#onPower = wake
        signal.addEventListener("abort", wake)
      })
  }

  // What happens before it

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
    this.#options.onLine(line)
    // A camera without power says nothing; its last words were only in the machine's.
    if (!this.#started || !this.#powered) return
    this.tally.note(line, this.board.lens.groups)
    // Written when the lens begins, in the same turn.
    if (line.event === "started" && !this.camera.visits && !this.#playing) this.#play(0, performance.now())
  }

  #playing = false

  /** One timer a camera, whatever its script. */
  #play(step: number, begun: Milliseconds): void {
    this.#playing = true
    const next = this.script[step]
    if (!next) return
    this.board.clock.after(Math.max(0, begun + next.at - performance.now()), () => {
      if (this.#over) return
      this.#happens(next, begun + next.at)
      this.#play(step + 1, begun)
    })
  }

  /** `due`: when it was to happen. */
  #happens({ what }: Step, due: Milliseconds): void {
    if (what === "still") {
      this.#inView = Math.max(0, this.#inView - 1)
      if (this.#inView > 0) return
      this.tally.still(this.board.lens.groups)
      if (this.#powered) this.#visitor.moves(false)
      return
    }
    this.tally.visited(due, this.isOn)
    if (what === "moves") this.#inView++
    if (!this.#powered) return
    if (what === "bell") void this.#visitor.pressesBell()
    else this.#visitor.moves(true)
  }
}
