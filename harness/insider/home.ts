import { runCamera } from "../../firmware/camera.ts"
import { type CameraConfig, parseConfig } from "../../firmware/config.ts"
import { openIdentity } from "../../firmware/control/identity.ts"
import type { PublicKey, SigningKey } from "../../firmware/control/keys.ts"
import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { configFor, type VirtualBoard, Visitor, virtualBoard } from "../../simulator/board.ts"
import { loadScene } from "../../simulator/footage.ts"
import { sleep } from "../../simulator/sleep.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { pairingRecordOf, takeOwner } from "../load/paired-beforehand.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { Wire } from "./wire.ts"

export interface HomeParts {
  readonly seed: number
  readonly index: number
  readonly cloud: CloudIdentity
  readonly dialler: Dialler
}

/** A heartbeat each second: whoever signs about a look quotes one. */
const HEARTBEAT_EVERY: Milliseconds = seconds(1)
/** So much is in the ring before somebody comes. */
const PRE_ROLL: Milliseconds = seconds(1)

/**
 * A home that insiders try: an owner, a camera with the real firmware in this process, and somebody who walks by. Its
 * owner's keys are the judge's knowledge and no insider's.
 */
export class Home {
  readonly index: number
  readonly keys: OwnerKeys
  readonly camera: PublicKey
  readonly board: VirtualBoard
  readonly visitor: Visitor
  readonly config: CameraConfig
  readonly canary: string
  /** Everything that the camera says and hears, inside TLS where there is TLS. */
  readonly wire: Wire
  readonly lines: LogLine[] = []
  /** Told of each line of its camera. */
  onLine: (line: LogLine) => void = () => undefined
  readonly #waiting = new Set<() => void>()
  /** Of the newest recipients that its owner has signed. */
  epoch = 1
  #turn: Promise<unknown> = Promise.resolve()
  #boot: { readonly stop: AbortController; readonly over: Promise<void> } | null = null

  private constructor(parts: {
    readonly index: number
    readonly keys: OwnerKeys
    readonly camera: PublicKey
    readonly board: VirtualBoard
    readonly config: CameraConfig
    readonly canary: string
    readonly wire: Wire
  }) {
    this.index = parts.index
    this.keys = parts.keys
    this.camera = parts.camera
    this.board = parts.board
    this.config = parts.config
    this.canary = parts.canary
    this.wire = parts.wire
    this.visitor = new Visitor(parts.board, parts.config.pins)
  }

  /** Paired, and not running yet. */
  static async open({ seed, index, cloud, dialler }: HomeParts): Promise<Home> {
    const footage = await loadScene("day-person")
    const config = parseConfig({
      lens: configFor(footage),
      recording: { preRoll: PRE_ROLL, postRoll: 300 },
      link: { retryFirst: 50, retryMax: 500, heartbeatEvery: HEARTBEAT_EVERY, resendAfter: 1_000 },
    })
    const canary = `insiders-canary-${seed}-${index}`
    const wire = new Wire(dialler)
    let home: Home | null = null
    const log = { write: (line: LogLine) => home?.hear(line) }
    const board = virtualBoard({ seed, index, footage, canary, dialler: wire, log, eyes: "none" })
    const { key } = await openIdentity(board.disk)
    const keys = await OwnerKeys.create()
    await takeOwner(board.disk, pairingRecordOf(keys, key.id, cloud))
    home = new Home({ index, keys, camera: publicKeyFromHex(key.hex), board, config, canary, wire })
    return home
  }

  /** To this camera its owner is this key. */
  get owner(): SigningKey {
    return this.keys.signingKeyFor(this.camera.id)
  }

  hear(line: LogLine): void {
    this.lines.push(line)
    this.onLine(line)
    for (const wake of this.#waiting) wake()
  }

  start(): void {
    if (this.#boot) return
    const stop = new AbortController()
    const over = runCamera(this.board, this.config, stop.signal)
    over.catch(() => undefined) // whoever stops it hears of it
    this.#boot = { stop, over }
  }

  /** @throws what its firmware ended with. */
  async stop(): Promise<void> {
    const boot = this.#boot
    this.#boot = null
    boot?.stop.abort()
    await boot?.over
  }

  /** One at a time: for what changes the camera. */
  alone<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }

  /** How many lines there are: what comes from here on is new. */
  get mark(): number {
    return this.lines.length
  }

  /**
   * The first line from `mark` on that `wanted` takes.
   * @throws Fault "unavailable": `signal` aborted first; `what` was waited for.
   */
  async line(
    what: string,
    wanted: (line: LogLine) => boolean,
    signal: AbortSignal,
    mark = 0,
  ): Promise<LogLine> {
    for (;;) {
      const found = this.lines.slice(mark).find(wanted)
      if (found) return found
      if (signal.aborted)
        throw new Fault("unavailable", `home ${this.index}: waited in vain for ${what}`, { definite: false })
      await this.#news(signal)
    }
  }

  /** Somebody walks by. Resolves with the clip's id when the cloud has signed for it. @throws as `line`. */
  async recordClip(signal: AbortSignal): Promise<string> {
    const mark = this.mark
    this.visitor.moves(true)
    await this.line("a sealed object", ({ event }) => event === "object sealed", signal, mark)
    this.visitor.moves(false)
    const recorded = await this.line("a clip", ({ event }) => event === "clip recorded", signal, mark)
    if (recorded.event !== "clip recorded") throw new Fault("broken", "a line of another kind")
    const { clip } = recorded
    const has = (line: LogLine) => line.event === "received" && line.clips.includes(clip)
    await this.line("a receipt", has, signal, mark)
    return clip
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener("abort", wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener("abort", wake, { once: true })
    })
  }

  /** Once its ring can hold a clip. @throws as `line`; what its firmware ended with. */
  async ready(signal: AbortSignal): Promise<void> {
    await Promise.race([
      this.line("a connection", ({ event }) => event === "connected", signal),
      this.#boot?.over.then(() => {
        throw new Fault("broken", `home ${this.index}: its camera ended`)
      }),
    ])
    await sleep(PRE_ROLL, signal)
  }
}
