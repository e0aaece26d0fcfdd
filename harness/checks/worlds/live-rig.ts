import { randomBytes } from "node:crypto"
import { runCamera } from "../../../firmware/camera.ts"
import { parseConfig } from "../../../firmware/config.ts"
import { verify } from "../../../firmware/control/dsse.ts"
import { openIdentity } from "../../../firmware/control/identity.ts"
import { type PublicKey, type SigningKey, sha256Hex, signingKeyOf } from "../../../firmware/control/keys.ts"
import { OwnershipFile } from "../../../firmware/control/ownership.ts"
import {
  type Answer,
  answerShape,
  deviceTopic,
  type Entry,
  parseTopic,
} from "../../../firmware/control/protocol.ts"
import type { LogLine } from "../../../firmware/log.ts"
import type { Clock } from "../../../firmware/ports.ts"
import type { Milliseconds } from "../../../firmware/units.ts"
import { configFor, type VirtualBoard, Visitor, virtualBoard } from "../../../simulator/board.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { MemoryDisk } from "../../../simulator/disk.ts"
import { loadScene } from "../../../simulator/footage.ts"
import { seededRandom } from "../../../simulator/random.ts"
import { grantFor } from "../../owner/grants.ts"
import { HeardBeats } from "../../owner/heard-beats.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { LiveLook, type LivePicture } from "../../owner/live-look.ts"
import { entriesOn } from "./bench-camera.ts"
import { ScriptedBroker } from "./scripted-broker.ts"

/** The time of the process, which stands still between calls. */
export interface RigTime {
  /** Lets so much pass, and all that happens meanwhile happen: timers, and what is none, sealing say. */
  advance(milliseconds: Milliseconds): Promise<void>
}

/**
 * The firmware that ships on a virtual board, and the wire: what the camera says is heard here, and it is told whatever a
 * check likes. Time is the caller's (`later`). A mutant of the firmware is a mutant of this file.
 */
export class LiveRig {
  readonly broker = new ScriptedBroker()
  readonly lines: LogLine[] = []
  readonly keys: OwnerKeys
  readonly owner: SigningKey
  readonly camera: PublicKey
  readonly board: VirtualBoard
  readonly visitor: Visitor
  readonly beats: HeardBeats
  readonly config: ReturnType<typeof parseConfig>
  /** Who looks, by their topics: what they were told, and saw. */
  readonly lookers = new Map<string, Looker>()
  readonly #time: RigTime
  #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()

  private constructor(
    parts: Pick<LiveRig, "keys" | "camera" | "board" | "config">,
    log: LogLine[],
    time: RigTime,
  ) {
    this.#time = time
    this.keys = parts.keys
    this.camera = parts.camera
    this.board = { ...parts.board, dialler: this.broker.dialler }
    this.config = parts.config
    this.lines = log
    this.owner = parts.keys.signingKeyFor(parts.camera.id)
    this.visitor = new Visitor(this.board, this.config.pins)
    this.beats = new HeardBeats(parts.camera)
    this.broker.onPublish = (topic, payload) => {
      this.beats.hear(topic, payload)
      const parsed = parseTopic(topic)
      if (parsed?.name === "live") this.lookers.get(parsed.viewer)?.hear(payload)
    }
  }

  static async start(time: RigTime, clock: Clock = virtualClock()): Promise<LiveRig> {
    const footage = await loadScene("day-person")
    const config = parseConfig({
      lens: configFor(footage),
      recording: { preRoll: 1_000, postRoll: 1_000 },
      link: { retryFirst: 50, resendAfter: 60_000 },
      pins: { shutter: 18, status: 23 },
    })
    const disk = new MemoryDisk({ clock, random: seededRandom(1) })
    const identity = await openIdentity(disk)
    const keys = await OwnerKeys.create()
    const owner = keys.signingKeyFor(identity.device)
    await new OwnershipFile(disk, identity).pair({
      owner: owner.hex,
      broker: { name: "test", pin: null },
      receiptKey: owner.hex,
      logKey: owner.hex,
      recipients: Buffer.from(keys.recipientsFor(identity.device, 1)).toString("base64"),
    })
    const lines: LogLine[] = []
    const dialler = { dial: () => Promise.reject(new Error("the rig's own")) }
    const log = { write: (line: LogLine) => void lines.push(line) }
    const board = virtualBoard({ seed: 1, index: 0, footage, canary: "canary", dialler, log, clock, disk })
    const rig = new LiveRig({ keys, camera: identity.key, board, config }, lines, time)
    rig.boot()
    await rig.later(1_500)
    return rig
  }

  get disk(): MemoryDisk {
    return this.board.disk as MemoryDisk
  }

  boot(): void {
    this.#stop = new AbortController()
    this.#running = runCamera(this.board, this.config, this.#stop.signal)
    this.#running.catch(() => undefined) // `stop` tells
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.later(100)
    await this.#running
  }

  /** A power cut, and two seconds later a boot. */
  async cutPower(): Promise<void> {
    this.disk.cutPower()
    this.broker.cut()
    this.#stop.abort()
    await this.later(100)
    await this.#running.catch(() => undefined)
    this.disk.powerOn()
    this.board.pins.reset()
    this.boot()
    await this.later(2_000)
  }

  async later(milliseconds = 100): Promise<void> {
    await this.#time.advance(milliseconds)
  }

  /** Sends the camera a message, as the cloud would carry it. */
  async say(name: "command" | "view", payload: Uint8Array): Promise<void> {
    this.broker.say(deviceTopic(this.camera.id, name), payload)
    await this.later(20)
  }

  /** The owner's grant for `receiver`, over the newest heartbeat unless `over` says otherwise. */
  grant(
    receiver: PublicKey,
    over: Partial<Parameters<typeof grantFor>[0]> = {},
    by = this.owner,
  ): Uint8Array {
    const beat = this.beats.quote
    if (beat === null) throw new Error("no heartbeat yet")
    const reason = `look ${randomBytes(4).toString("hex")}`
    return grantFor({ device: this.camera.id, receiver, reason, beat, ...over }, by)
  }

  /** Asks with that grant, and waits for the camera's answer. */
  async ask(viewer: SigningKey, grant: Uint8Array): Promise<Looker> {
    const looker = new Looker(new LiveLook(this.camera, viewer, grant), this)
    this.lookers.set(viewer.id, looker)
    await this.say("view", looker.look.ask)
    return looker
  }

  looks(receiver: SigningKey = this.owner): Promise<Looker> {
    return this.ask(receiver, this.grant(receiver))
  }

  /** What the camera answered to the command, or ask, of these bytes. */
  answerTo(envelope: Uint8Array): Pick<Answer, "result" | "reason"> | null {
    for (const { topic, payload } of this.broker.published.toReversed()) {
      if (!topic.endsWith("/answer") && !topic.includes("/live/")) continue
      if (payload[0] === 1) continue
      try {
        const { command, result, reason } = verify("answer", payload, this.camera, answerShape)
        if (command === sha256Hex(envelope)) return { result, reason }
      } catch {
        // Of another kind.
      }
    }
    return null
  }

  async order(envelope: Uint8Array): Promise<Pick<Answer, "result" | "reason"> | null> {
    await this.say("command", envelope)
    await this.later(200)
    return this.answerTo(envelope)
  }

  /** Of the camera's chain, in order. */
  async chain(): Promise<readonly Entry[]> {
    return (await entriesOn(this.disk)) as readonly Entry[]
  }

  count(event: LogLine["event"]): number {
    return this.lines.filter((line) => line.event === event).length
  }
}

export const newKey = (): SigningKey => signingKeyOf(randomBytes(32))

/** One viewer at the wire. */
export class Looker {
  readonly look: LiveLook
  readonly pictures: LivePicture[] = []
  /** Sealed messages, as they came. */
  readonly messages: Buffer[] = []
  answer: "live" | Answer | null = null
  /** Why it was over, as the camera says. */
  ended: string | null = null
  /** Says what it has, as an honest viewer does. */
  reports = true
  readonly #rig: LiveRig

  constructor(look: LiveLook, rig: LiveRig) {
    this.look = look
    this.#rig = rig
  }

  get reason(): string | null {
    return this.answer === null || this.answer === "live" ? this.answer : this.answer.reason
  }

  /** How many pictures came since `from`. */
  since(from: number): number {
    return this.pictures.length - from
  }

  hear(payload: Buffer): void {
    if (payload[0] !== 1) {
      const answer = this.look.hearAnswer(payload)
      if (this.answer === null) this.answer = answer
      else if (answer !== null && answer !== "live") this.ended = answer.reason
      return
    }
    this.messages.push(payload)
    const picture = this.look.hearPart(payload)
    if (picture === null) return
    this.pictures.push(picture)
    if (this.reports) this.report(picture.counter)
  }

  report(counter: number, leaves = false): void {
    const report = this.look.report(counter, leaves)
    if (report) this.#rig.broker.say(deviceTopic(this.#rig.camera.id, "view"), report)
  }
}
