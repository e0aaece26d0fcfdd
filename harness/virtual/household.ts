import { setMaxListeners } from "node:events"
import { pairCamera, runCamera } from "../../firmware/camera.ts"
import type { CameraConfig } from "../../firmware/config.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { newSetupCode, setupText } from "../../firmware/control/pairing.ts"
import { isFault } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Clock } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { type VirtualBoard, type VirtualBoardOptions, Visitor, virtualBoard } from "../../simulator/board.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { type LinkFaults, noFaults } from "../../simulator/faults.ts"
import { FaultyDialler } from "../../simulator/faulty-dialler.ts"
import type { Footage } from "../../simulator/footage.ts"
import { seededRandom } from "../../simulator/random.ts"
import type { Shot } from "../../simulator/shot.ts"
import { SwitchedDisk } from "../../simulator/switched-disk.ts"
import { bucketSource } from "../owner/bucket-source.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import { pairAsOwner } from "../owner/pairing.ts"
import { Vault } from "../owner/vault.ts"
import type { MemoryCloud } from "./memory-cloud.ts"

export interface HouseholdOptions {
  readonly seed: number
  readonly index: number
  readonly footage: Footage
  readonly config: CameraConfig
  readonly cloud: MemoryCloud
  readonly onLine: (line: LogLine) => void
  readonly board?: Partial<Pick<VirtualBoardOptions, "io" | "lens" | "eyes" | "errors" | "seen">>
  readonly link?: Partial<LinkFaults>
  /** Absent: the process's. */
  readonly clock?: Clock
}

/** Longer than any debouncing of the button. */
const FINGER_OFF: Milliseconds = 100
const PRESS_EVERY: Milliseconds = 120

/** One camera with its owner, its power plug and its network cable. All on one clock, over connections in memory. */
export class Household {
  readonly index: number
  readonly board: VirtualBoard
  readonly visitor: Visitor
  readonly config: CameraConfig
  /** Why the firmware ended before it was told to. */
  fault: unknown = null
  readonly #options: HouseholdOptions
  readonly #clock: Clock
  readonly #disk: SwitchedDisk
  readonly #network: FaultyDialler
  readonly #healthy: LinkFaults
  #owner: OwnerKeys | null = null
  #camera: PublicKey | null = null
  #stop = new AbortController()
  #running: Promise<void> | null = null

  constructor(options: HouseholdOptions) {
    const { seed, index, footage, config, cloud, onLine, link } = options
    this.#options = options
    this.index = index
    this.config = config
    this.#clock = options.clock ?? virtualClock()
    this.#healthy = { ...noFaults.link, ...link }
    const random = seededRandom(seed, "link", index)
    this.#network = new FaultyDialler(cloud.dialler, this.#healthy, this.#clock, random)
    this.#disk = new SwitchedDisk(
      new MemoryDisk({ clock: this.#clock, random: seededRandom(seed, "disk", index) }),
    )
    this.board = virtualBoard({
      seed,
      index,
      footage,
      canary: canaryOf(index),
      dialler: this.#network,
      log: { write: onLine },
      clock: this.#clock,
      disk: this.#disk,
      ...options.board,
    })
    this.visitor = new Visitor(this.board, config.pins)
  }

  /** The household's keys, from pairing on. */
  get owner(): OwnerKeys | null {
    return this.#owner
  }

  /** Its camera as the owner knows it, from pairing on. */
  get camera(): PublicKey | null {
    return this.#camera
  }

  get powered(): boolean {
    return this.#running !== null
  }

  /** What an owner sees of the camera's clips in the cloud; as another one with other `keys`. null: not paired. */
  vault(keys: OwnerKeys | null = this.#owner): Vault | null {
    return (
      keys && this.#camera && new Vault(bucketSource(this.#options.cloud.bucket), this.#camera, keys.identity)
    )
  }

  /** What its lens shows: the source of its clips. */
  get shot(): Shot {
    const { index, footage, board } = this.#options
    return { footage, camera: index, canary: canaryOf(index), offset: board?.lens?.offset ?? 0 }
  }

  /** A sealed object as it lies in the cloud; null: not there, or its bytes were not kept. */
  objectBytes(id: string): Promise<Uint8Array | null> {
    return this.#options.cloud.bucket.objectBytes(id)
  }

  /** Presses the button, shows the setup text and waits for the owner's app. False: it took longer than `within`. */
  async pair(keys: OwnerKeys, within: Milliseconds = seconds(60)): Promise<boolean> {
    const { seed, index, cloud } = this.#options
    const { name, brokerKey } = cloud.identity
    const code = newSetupCode({ name, pin: brokerKey })
    const end = new AbortController()
    setMaxListeners(0, end.signal)
    const cancel = this.#clock.after(within, () => end.abort())
    const parts = {
      clock: this.#clock,
      random: seededRandom(seed, "owner", index),
      dialler: cloud.dialler,
      log: { write: () => undefined },
    }
    const owner = pairAsOwner(code, keys, cloud.identity, parts, this.config.link, end.signal)
    let shown = false
    const show = async () => {
      shown = true
      return setupText(code)
    }
    const camera = pairCamera(this.board, this.config, show, end.signal)
    while (!shown && !end.signal.aborted) {
      await this.visitor.pressesBell()
      await this.#clock.sleep(PRESS_EVERY, end.signal)
    }
    const [key, paired] = await Promise.all([owner, camera])
    cancel()
    // A finger that is still on the button would ring the bell of the camera that runs next.
    await this.#clock.sleep(FINGER_OFF)
    this.#camera = key
    this.#owner = keys
    return key !== null && paired
  }

  /** Gives it power. It boots at once; twice is harmless. */
  powerOn(): void {
    if (this.#running !== null) return
    this.#stop = new AbortController()
    setMaxListeners(0, this.#stop.signal)
    this.board.pins.reset()
    this.#disk.restore()
    const { signal } = this.#stop
    this.#running = runCamera(this.board, this.config, signal).catch((error: unknown) => {
      // What a dying camera's disk refuses is the power cut, not a fault of the camera.
      if (!signal.aborted || !isFault(error, "unavailable")) this.fault = error
    })
  }

  /** Takes its power away: what was under way never happened. Resolves when nothing of it runs any more. */
  async cutPower(): Promise<void> {
    this.#disk.cut()
    this.#network.cut()
    await this.#end()
  }

  /** Lets it end in order. */
  async stop(): Promise<void> {
    await this.#end()
  }

  /** Breaks the connection, and refuses new ones until `plug`. */
  unplug(): void {
    this.#network.faults = { ...this.#healthy, refuse: 1 }
    this.#network.cut()
  }

  plug(): void {
    this.#network.faults = this.#healthy
  }

  /** Breaks every connection once. */
  cutConnection(): void {
    this.#network.cut()
  }

  /** The cloud's end of every connection is gone, and nobody tells the camera. */
  halfOpen(): void {
    this.#network.halfOpen()
  }

  /** Changes what is wrong with its network. */
  set link(faults: Partial<LinkFaults>) {
    this.#network.faults = { ...this.#healthy, ...faults }
  }

  async #end(): Promise<void> {
    const running = this.#running
    this.#stop.abort()
    await running
    this.#running = null
  }
}

/** Drawn into its pictures; must be found in no plain place. */
function canaryOf(index: number): string {
  return `canary of camera ${index}`
}
