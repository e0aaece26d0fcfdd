import { type CameraConfig, parseConfig } from "../../firmware/config.ts"
import { messageOf } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import { type Milliseconds, type Seconds, seconds } from "../../firmware/units.ts"
import { configFor } from "../../simulator/board.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { type SomeFaults, together } from "../../simulator/faults.ts"
import type { Footage } from "../../simulator/footage.ts"
import { between, seededRandom } from "../../simulator/random.ts"
import { isVisitor } from "../../simulator/scene/truth.ts"
import { WatchedIo } from "../../simulator/watched-io.ts"
import { sightOf } from "../load/plan.ts"
import type { OwnerKeys } from "../owner/keys.ts"
import type { EventLog } from "./event-log.ts"
import { Household } from "./household.ts"
import type { MemoryCloud } from "./memory-cloud.ts"
import { type RecognitionCounts, RecognitionTally } from "./recognition-tally.ts"
import { followsFootage } from "./scenario-acts.ts"
import type { Act } from "./script.ts"
import { Testimony } from "./testimony.ts"
import type { VirtualFleetOptions } from "./virtual-fleet.ts"

/** A camera's household, and what the camera said of itself. */
export interface Witness
  extends Readonly<
    Pick<Testimony, "connects" | "recorded" | "cut" | "recovered" | "complaints" | "discarded">
  > {
  readonly household: Household
  /** null: it has no eyes, or what comes is nothing of the footage's. */
  readonly recognition: RecognitionCounts | null
}

/** A household's line to the internet. */
const LINK = { latency: 20, bytesPerSecond: 500_000 }
/** Besides what the script cuts. */
const RANDOM_CUTS = { cutsPerHour: 0.25, cutDuration: seconds(15) }
/** More than the ring's pre-roll and a group. */
const LOOK_BACK: Milliseconds = seconds(8)

function configOf(footage: Footage, heartbeatEvery: Seconds = 1_800): CameraConfig {
  return parseConfig({
    lens: configFor(footage),
    recording: { preRoll: seconds(3), postRoll: seconds(3), segmentMin: seconds(4) },
    spool: { keepReceivedBytes: 0 },
    link: { heartbeatEvery: seconds(heartbeatEvery) },
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
  readonly #testimony = new Testimony()
  readonly #recognition: RecognitionTally | null
  readonly #offset: number
  #begun: Milliseconds = 0
  #calmAt: Milliseconds = 0
  /** What is wrong with its link, by the number of the fault. */
  readonly #wrong = new Map<number, SomeFaults>()
  /** Power cuts that hold. */
  #without = 0
  #inView = 0

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
    const fleet = options.scenario?.fleet
    // Those of a real model `checkVirtual` refuses.
    const given = fleet?.eyes === "model" ? "none" : fleet?.eyes
    const eyes = given ?? (followsFootage(options.scenario) ? "truth" : "none")
    const { scenario, seen } = options
    const sight = scenario ? sightOf(eyes, scenario, footage, seen) : ({ eyes: "none" } as const)
    this.#offset = offset
    this.#recognition = followsFootage(options.scenario)
      ? new RecognitionTally(
          footage.events.some(({ label }) => isVisitor(label)),
          () => this.#clock.monotonic(),
        )
      : null
    this.household = new Household({
      ...{ seed: options.seed, index, footage, cloud, clock: this.#clock },
      config: configOf(footage, options.scenario?.fleet.heartbeatEvery),
      onLine: (line) => this.#note(line),
      board: { io, ...sight, lens: options.rests === false ? { offset } : { offset, rest: io } },
      link: options.faults && !options.scenario ? { ...LINK, ...RANDOM_CUTS } : LINK,
    })
  }

  async pair(): Promise<void> {
    const random = seededRandom(this.#options.seed, "pairing", this.household.index)
    await this.#clock.sleep(Math.round(between(random, 0, seconds(20))))
    if (!(await this.household.pair(this.#keys))) this.#testimony.complain("not paired")
  }

  /** The group of its footage at which its lens begins. */
  get offset(): number {
    return this.#offset
  }

  begin(script: readonly Act[]): void {
    if (this.household.camera === null) return
    this.#begun = this.#clock.monotonic()
    this.household.powerOn()
    this.#play(script, 0, this.#clock.monotonic())
  }

  /** From now on no link is cut at random. */
  calm(): void {
    this.#calmAt = this.#clock.monotonic()
    this.household.link = LINK
  }

  /** In order; that it ended is a witness's to say. */
  end(): void {
    void this.household.stop()
  }

  witness(): Witness {
    const [household, testimony] = [this.household, this.#testimony]
    const { fault } = household
    if (household.powered) testimony.complain("did not end when it was told to")
    if (fault !== null) testimony.complain(`ended by a fault: ${messageOf(fault)}`)
    testimony.end()
    const { connects, recorded, cut, recovered, complaints, discarded } = testimony
    const recognition = this.#recognition?.counts(this.#calmAt - this.#begun) ?? null
    return { household, connects, recorded, cut, recovered, complaints, discarded, recognition }
  }

  /** One timer a camera, whatever its script. */
  #play(script: readonly Act[], step: number, begun: Milliseconds): void {
    const next = script[step]
    if (next === undefined) return
    this.#clock.after(Math.max(0, begun + next.at - this.#clock.monotonic()), () => {
      void this.#do(next)
      this.#play(script, step + 1, begun)
    })
  }

  async #do(act: Act): Promise<void> {
    const { household } = this
    this.#event(act.what)
    switch (act.what) {
      case "somebody comes":
        this.#inView++
        this.#recognition?.felt()
        return household.visitor.moves(true)
      case "somebody goes":
        this.#inView = Math.max(0, this.#inView - 1)
        this.#recognition?.gone()
        return household.visitor.moves(this.#inView > 0)
      case "bell":
        return household.visitor.pressesBell()
      case "unplugged":
        this.cuts.network++
        return household.unplug()
      case "plugged":
        return household.plug()
      case "connection cut":
        this.cuts.network++
        return household.cutConnection()
      case "half open":
        this.cuts.network++
        return household.halfOpen()
      case "link worse":
        this.#wrong.set(act.fault, { link: act.link })
        return this.#settleLink()
      case "link better":
        this.#wrong.delete(act.fault)
        return this.#settleLink()
      case "power cut":
        this.cuts.power++
        if (this.#without++ > 0) return
        this.#testimony.powerCut()
        return household.cutPower()
      case "power back":
        // Of several cuts at once the last that ends gives it back.
        if (--this.#without > 0) return
        household.powerOn()
        // Whoever stands there is felt again.
        if (this.#inView > 0) household.visitor.moves(true)
        return
    }
  }

  #settleLink(): void {
    this.household.link = together([{ link: LINK }, ...this.#wrong.values()]).link
  }

  #event(kind: string): void {
    this.#log.add(this.household.index, kind)
  }

  #note(line: LogLine): void {
    this.#event(line.event)
    this.#recognition?.note(line)
    if (this.#without === 0) this.#testimony.note(line)
  }
}
