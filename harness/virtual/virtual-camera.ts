import { type CameraConfig, type CameraConfigInput, parseConfig } from "../../firmware/config.ts"
import { Fault } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import { type Milliseconds, minutes, seconds } from "../../firmware/units.ts"
import { configFor, type VirtualBoard, type VirtualBoardOptions } from "../../simulator/board.ts"
import { virtualClock } from "../../simulator/clock.ts"
import type { LinkFaults } from "../../simulator/faults.ts"
import { type Footage, loadScene, type SceneName } from "../../simulator/footage.ts"
import { WatchedIo } from "../../simulator/watched-io.ts"
import { OwnerKeys } from "../owner/keys.ts"
import type { VaultClip } from "../owner/vault.ts"
import { Household } from "./household.ts"
import { time } from "./install.ts"
import { type MemoryCloud, memoryCloud } from "./memory-cloud.ts"
import { porch } from "./porch.ts"

export interface VirtualCameraOptions {
  /** What differs from the firmware's defaults; a field that is left out has its default. */
  readonly config?: CameraConfigInput
  /** What it sees: a scene of the project's, or footage of yours. Absent: a small one, with a courier. */
  readonly scene?: SceneName | Footage
  /**
   * "truth": recognition sees what the scene's truth says; what moves and is nobody is discarded. "motion": there is no
   * model. Or frames and a detector of yours. Default: "none".
   */
  readonly eyes?: VirtualBoardOptions["eyes"]
  /** Repeats jitter, back-off and the detector's errors. Default: 1. */
  readonly seed?: number
  /**
   * Its lens rests while nothing moves and no light is on, and then makes up for it: days pass some times faster. Not for
   * tests that break the lens, for a resting one does not notice.
   */
  readonly lensRests?: boolean
  /** What is wrong with its network, from the beginning. */
  readonly link?: Partial<LinkFaults>
  /** Another camera's cloud, to share. */
  readonly cloud?: MemoryCloud
  /** Another camera's owner, to share. */
  readonly owner?: OwnerKeys
}

let cameras = 0

/** A camera with an owner and a cloud, in memory and in virtual time: paired, running, connected, its pre-roll filled. */
export async function openVirtualCamera(options: VirtualCameraOptions = {}): Promise<VirtualCamera> {
  const { scene, seed = 1, eyes = "none", link = {} } = options
  const footage =
    scene === undefined ? await porch() : typeof scene === "string" ? await loadScene(scene) : scene
  const config = parseConfig({ ...options.config, lens: { ...configFor(footage), ...options.config?.lens } })
  const cloud = options.cloud ?? (await memoryCloud())
  const keys = options.owner ?? (await OwnerKeys.create())
  const lines: LogLine[] = []
  const io = new WatchedIo(virtualClock(), config.recording.preRoll + 3 * config.lens.groupOfPictures)
  const household = new Household({
    ...{ seed, index: cameras++, footage, config, cloud, link },
    onLine: (line) => lines.push(line),
    board: options.lensRests ? { eyes, io, lens: { rest: io } } : { eyes },
  })
  if (!(await time.settle(household.pair(keys), minutes(2))))
    throw new Fault("unavailable", "virtual camera: it could not be paired; does its network work?")
  lines.length = 0
  household.powerOn()
  const camera = new VirtualCamera(household, keys, cloud, lines, options.cloud === undefined)
  await camera.advance(config.recording.preRoll + 2 * config.lens.groupOfPictures)
  return camera
}

/** What is done to it takes virtual time, and none of yours. Every call ends when all of that instant has happened. */
export class VirtualCamera {
  /** Who may open its clips. */
  readonly owner: OwnerKeys
  readonly cloud: MemoryCloud
  readonly config: CameraConfig
  /** All it has logged since it was paired. */
  readonly lines: readonly LogLine[]
  readonly household: Household
  readonly #ownsCloud: boolean
  #clips: readonly VaultClip[] = []
  #manifests = 0

  constructor(
    household: Household,
    owner: OwnerKeys,
    cloud: MemoryCloud,
    lines: readonly LogLine[],
    ownsCloud: boolean,
  ) {
    this.household = household
    this.owner = owner
    this.cloud = cloud
    this.config = household.config
    this.lines = lines
    this.#ownsCloud = ownsCloud
  }

  /** Its pins, disk and lens, to look at or to break. */
  get board(): VirtualBoard {
    return this.household.board
  }

  get isRecording(): boolean {
    return this.household.visitor.seesLight
  }

  /** Clips that its owner sees whole in the cloud, every manifest verified. */
  get delivered(): readonly VaultClip[] {
    return this.#clips.filter(({ whole }) => whole)
  }

  /** Lets time pass, for every camera of this file. */
  async advance(duration: Milliseconds): Promise<void> {
    await time.advance(duration)
    await this.#look()
  }

  /** Lets time pass until it has logged such a line since `advance` was called. Fault "unavailable" after `within`. */
  async until(event: LogLine["event"], within: Milliseconds = minutes(5)): Promise<LogLine> {
    const from = this.lines.length
    const found = () => this.lines.slice(from).find((line) => line.event === event)
    await time.advanceUntil(() => found() !== undefined, within)
    await this.#look()
    const line = found()
    if (line) return line
    throw new Fault("unavailable", `no "${event}" within ${within} ms of virtual time`)
  }

  /** Somebody is before its sensor for `duration`. */
  async walkBy(duration: Milliseconds = seconds(3)): Promise<void> {
    this.household.visitor.moves(true)
    await time.advance(duration)
    this.household.visitor.moves(false)
    await this.advance(0)
  }

  async pressBell(): Promise<void> {
    await time.settle(this.household.visitor.pressesBell(), seconds(1))
    await this.#look()
  }

  /** At once, in the middle of whatever it does. */
  async cutPower(): Promise<void> {
    await time.settle(this.household.cutPower(), minutes(1))
    await this.#look()
  }

  async restorePower(): Promise<void> {
    this.household.powerOn()
    await this.advance(0)
  }

  async unplugNetwork(): Promise<void> {
    this.household.unplug()
    await this.advance(0)
  }

  async plugNetwork(): Promise<void> {
    this.household.plug()
    await this.advance(0)
  }

  /** The film of one clip, as its owner opens it: fragmented MP4. Throws as `Vault.openClip`. */
  async open(clip: VaultClip, keys: OwnerKeys = this.owner): Promise<Uint8Array> {
    const vault = this.household.vault(keys)
    if (vault === null) throw new Fault("unpaired", "virtual camera: it has no owner")
    return vault.openClip(clip)
  }

  /** Stops it in order, and its cloud if it is its own. */
  async close(): Promise<void> {
    await time.settle(this.household.stop(), minutes(1))
    if (this.#ownsCloud) await time.settle(this.cloud.close(), minutes(1))
  }

  async #look(): Promise<void> {
    if (this.household.fault !== null) throw this.household.fault
    const { bucket } = this.cloud
    const device = this.household.camera?.id
    if (device === undefined || bucket.manifests(device).length === this.#manifests) return
    this.#manifests = bucket.manifests(device).length
    this.#clips = (await this.household.vault()?.view())?.clips ?? []
  }
}
