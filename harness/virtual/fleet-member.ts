import { type CameraConfig, parseConfig } from "../../firmware/config.ts"
import { messageOf } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import { type Milliseconds, minutes, seconds } from "../../firmware/units.ts"
import { configFor } from "../../simulator/board.ts"
import { virtualClock } from "../../simulator/clock.ts"
import type { Footage } from "../../simulator/footage.ts"
import { between, seededRandom } from "../../simulator/random.ts"
import { WatchedIo } from "../../simulator/watched-io.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import type { EventLog } from "./event-log.ts"
import { Household } from "./household.ts"
import type { MemoryCloud } from "./memory-cloud.ts"
import { type Act, visitScript } from "./script.ts"
import type { VirtualFleetOptions } from "./virtual-fleet.ts"

/** What a camera said of itself. */
export interface Witness {
  readonly household: Household
  readonly connects: number
  /** Of clips that were finished and kept: how many objects. */
  readonly recorded: ReadonlyMap<string, number>
  /** Clips that a power cut ended, and of which something was safe: how many segments. */
  readonly recovered: ReadonlyMap<string, number>
  /** Clips that were begun and of which the camera said no more. */
  readonly vanished: number
  readonly complaints: readonly string[]
}

/** A household's line to the internet. */
const LINK = { latency: 20, bytesPerSecond: 500_000 }
/** Besides what the script cuts. */
const RANDOM_CUTS = { cutsPerHour: 0.25, cutDuration: seconds(15) }
/** More than the ring's pre-roll and a group. */
const LOOK_BACK: Milliseconds = seconds(8)

function configOf(footage: Footage): CameraConfig {
  return parseConfig({
    lens: configFor(footage),
    recording: { preRoll: seconds(3), postRoll: seconds(3), segmentMin: seconds(4) },
    spool: { keepReceivedBytes: 0 },
    link: { heartbeatEvery: minutes(30) },
  })
}

/** One camera of the fleet, and what is done to it. */
export class FleetMember {
  readonly household: Household
  readonly cuts = { power: 0, network: 0 }
  readonly #options: VirtualFleetOptions
  readonly #keys: OwnerKeys
  readonly #clock = virtualClock()
  readonly #log: EventLog
  readonly #recorded = new Map<string, number>()
  readonly #recovered = new Map<string, number>()
  readonly #open = new Set<string>()
  readonly #complaints: string[] = []
  #connects = 0

  constructor(
    options: VirtualFleetOptions,
    index: number,
    footage: Footage,
    cloud: MemoryCloud,
    log: EventLog,
    keys: OwnerKeys,
  ) {
    this.#options = options
    this.#keys = keys
    this.#log = log
    const io = new WatchedIo(this.#clock, LOOK_BACK)
    const random = seededRandom(options.seed, "scene", index)
    const offset = Math.floor(between(random, 0, footage.groups.length))
    this.household = new Household({
      ...{ seed: options.seed, index, footage, cloud, clock: this.#clock },
      config: configOf(footage),
      onLine: (line) => this.#note(line),
      board: { io, lens: options.rests === false ? { offset } : { offset, rest: io } },
      link: options.faults ? { ...LINK, ...RANDOM_CUTS } : LINK,
    })
  }

  async pair(): Promise<void> {
    const random = seededRandom(this.#options.seed, "pairing", this.household.index)
    await this.#clock.sleep(Math.round(between(random, 0, seconds(20))))
    if (!(await this.household.pair(this.#keys))) this.#complaints.push("not paired")
  }

  begin(): void {
    if (this.household.camera === null) return
    this.household.powerOn()
    this.#play(visitScript({ ...this.#options, index: this.household.index }), 0, this.#clock.monotonic())
  }

  /** From now on no link is cut at random. */
  calm(): void {
    this.household.link = LINK
  }

  /** In order; that it ended is a witness's to say. */
  end(): void {
    void this.household.stop()
  }

  witness(): Witness {
    const { household, fault } = { household: this.household, fault: this.household.fault }
    if (household.powered) this.#complaints.push("did not end when it was told to")
    if (fault !== null) this.#complaints.push(`ended by a fault: ${messageOf(fault)}`)
    return {
      household,
      connects: this.#connects,
      recorded: this.#recorded,
      recovered: this.#recovered,
      vanished: this.#open.size,
      complaints: this.#complaints,
    }
  }

  /** One timer a camera, whatever its script. */
  #play(script: readonly Act[], step: number, begun: Milliseconds): void {
    const next = script[step]
    if (next === undefined) return
    this.#clock.after(Math.max(0, begun + next.at - this.#clock.monotonic()), () => {
      void this.#do(next.what)
      this.#play(script, step + 1, begun)
    })
  }

  async #do(what: Act["what"]): Promise<void> {
    const { household } = this
    this.#event(what)
    switch (what) {
      case "somebody comes":
        return household.visitor.moves(true)
      case "somebody goes":
        return household.visitor.moves(false)
      case "bell":
        return household.visitor.pressesBell()
      case "unplugged":
        this.cuts.network++
        return household.unplug()
      case "plugged":
        return household.plug()
      case "power cut":
        this.cuts.power++
        return household.cutPower()
      case "power back":
        return household.powerOn()
    }
  }

  #event(kind: string): void {
    this.#log.add(this.household.index, kind)
  }

  #note(line: LogLine): void {
    this.#event(line.event)
    switch (line.event) {
      case "connected":
        this.#connects++
        break
      case "clip opened":
        this.#open.add(line.clip)
        break
      case "clip recorded":
        this.#open.delete(line.clip)
        this.#recorded.set(line.clip, line.objects)
        break
      case "clip recovered":
        this.#open.delete(line.clip)
        this.#recovered.set(line.clip, line.segments)
        break
      case "clip discarded":
      case "clip lost":
        this.#complain(line.event)
        break
      case "fault":
      case "lens lost":
      case "receipt refused":
      case "spool damaged":
      case "media skipped":
        // What a dying camera says is the power cut's doing.
        if (this.household.powered) this.#complain(`${line.event}: ${line.reason}`)
        break
      default:
        break
    }
  }

  #complain(line: string): void {
    if (this.#complaints.length < 20) this.#complaints.push(line)
  }
}
