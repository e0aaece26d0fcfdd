import type { CameraConfig } from "../../firmware/config.ts"
import type { PublicKey, SigningKey } from "../../firmware/control/keys.ts"
import { Link, type LinkParts } from "../../firmware/control/link.ts"
import { isSealedPart } from "../../firmware/control/live-messages.ts"
import { type Answer, deviceTopic, liveTopic, type Role } from "../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { WakeUp } from "../../firmware/wake.ts"
import { HeardBeats } from "./heard-beats.ts"
import { LiveLook, type LivePicture } from "./live-look.ts"

export interface WatchParts {
  readonly camera: PublicKey
  /** Who looks: the key that the grant names. */
  readonly viewer: SigningKey
  readonly role: Exclude<Role, "camera">
  readonly broker: { readonly name: string; readonly pin: string | null }
  readonly link: LinkParts
  readonly config: CameraConfig["link"]
  /**
   * A grant's envelope, and for how long it is good; asked for at each new look. An owner signs one here, over the newest
   * heartbeat in `beats`; another viewer is given one. null: `signal` has aborted.
   */
  readonly grant: (
    beats: HeardBeats,
    signal: AbortSignal,
  ) => Promise<{ readonly envelope: Uint8Array; readonly for: Milliseconds } | null>
}

/** A report tells the camera that there is somebody still. */
const REPORT_EVERY: Milliseconds = seconds(2)
/** So long without a picture, and it is asked again. */
const SILENT_MAX: Milliseconds = seconds(6)
/** A new look begins so long before the grant of the old one ends. */
const EARLY: Milliseconds = seconds(20)
const TRIES_MAX = 4
/** What the next heartbeat mends. */
const PASSING = new Set(["expired", "another boot", "unknown heartbeat", "not renewed", "the link is down"])
const WAITING_MAX = 4_096
/** Of pictures that came together, as from a lens that gives whole groups of them. */
const REPORTED_TOGETHER = 8

/**
 * Looks at one camera, for as long as somebody takes its pictures: asks, and asks again when the connection was cut, the
 * camera was restarted, or the grant comes to its end. Each picture that is taken is reported; a viewer that takes them
 * slowly makes the camera leave some out.
 */
export class LiveWatch {
  /** Sessions so far. */
  looks = 0
  readonly #parts: WatchParts
  readonly #beats: HeardBeats
  readonly #news = new WakeUp()
  readonly #waiting: LivePicture[] = []
  #look: LiveLook | null = null
  #answer: "live" | Answer | null = null
  #heardAt: Milliseconds = 0
  #lost = 0

  constructor(parts: WatchParts) {
    this.#parts = parts
    this.#beats = new HeardBeats(parts.camera)
  }

  /** Pictures that came and could not be used. */
  get lost(): number {
    return this.#lost + (this.#look?.lost ?? 0)
  }

  /**
   * In decoding order, from a key frame on; after a new look some may come again. Ends when `signal` aborts.
   * @throws Fault "refused", definite: the camera says why; "unavailable": it does not answer.
   */
  async *pictures(signal: AbortSignal): AsyncGenerator<LivePicture, void, undefined> {
    const { camera, viewer, role, broker, config } = this.#parts
    // The link outlives `signal`, to say that this viewer leaves.
    const [taking, closing] = [new AbortController(), new AbortController()]
    const stop = () => taking.abort()
    signal.addEventListener("abort", stop, { once: true })
    if (signal.aborted) stop()
    const live = liveTopic(camera.id, viewer.id)
    const subscriptions = role === "owner" ? [live, this.#beats.topic] : [live]
    const link = new Link(this.#parts.link, config, { role, key: viewer, broker, subscriptions })
    link.onMessage((topic, payload) => {
      if (topic === live) this.#hear(payload)
      else this.#beats.hear(topic, payload)
    })
    const running = link.run(closing.signal)
    let failure: unknown = null
    const looking = this.#keepLooking(link, taking.signal).catch((error: unknown) => {
      failure = error
      this.#news.wake()
    })
    try {
      while (!taking.signal.aborted && failure === null) {
        const next = this.#waiting.shift()
        if (next) {
          if (this.#waiting.length === 0 || next.counter % REPORTED_TOGETHER === 0)
            this.#report(link, next.look, next.counter)
          yield next
        } else await this.#news.wait(taking.signal)
      }
      if (failure !== null) throw failure
    } finally {
      signal.removeEventListener("abort", stop)
      stop()
      await looking
      await this.#leave(link)
      closing.abort()
      await running
    }
  }

  async #keepLooking(link: Link, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts.link
    let tries = 0
    while (await link.whenConnected(signal)) {
      const until = await this.#begin(link, signal)
      if (signal.aborted) return
      if (typeof until === "string") {
        if (!PASSING.has(until) || ++tries >= TRIES_MAX) throw refusal(until)
        await clock.sleep(seconds(1), signal)
        continue
      }
      tries = 0
      const session = link.session
      const isOver = () => {
        const now = clock.monotonic()
        const told = this.#answer !== "live"
        return told || link.session !== session || now - this.#heardAt > SILENT_MAX || now > until
      }
      while (!signal.aborted && !isOver()) {
        await clock.sleep(REPORT_EVERY, signal)
        if (this.#look && !signal.aborted) this.#report(link, this.#look, 0)
      }
      await this.#leave(link)
    }
  }

  /** Until when this look goes; or why there is none. */
  async #begin(link: Link, signal: AbortSignal): Promise<Milliseconds | string> {
    const { camera, viewer, grant, config } = this.#parts
    const { clock } = this.#parts.link
    const granted = await grant(this.#beats, signal)
    if (granted === null) return "stopped"
    const look = new LiveLook(camera, viewer, granted.envelope)
    this.#lost += this.#look?.lost ?? 0
    this.#look = look
    this.#answer = null
    try {
      await link.publish(deviceTopic(camera.id, "view"), look.ask)
    } catch (error) {
      if (!isFault(error, "unavailable")) throw error
      return "the link is down"
    }
    let late = false
    const cancel = clock.after(config.resendAfter, () => {
      late = true
      this.#news.wake()
    })
    while (this.#answer === null && !late && !signal.aborted) await this.#news.wait(signal)
    cancel()
    const answer = this.#answer as "live" | Answer | null
    if (answer === null) return late ? "it does not answer" : "stopped"
    if (answer !== "live") return answer.reason
    this.looks++
    this.#heardAt = clock.monotonic()
    return clock.monotonic() + Math.max(EARLY, granted.for - EARLY)
  }

  #hear(payload: Buffer): void {
    const look = this.#look
    if (look === null) return
    if (!isSealedPart(payload)) {
      const answer = look.hearAnswer(payload)
      if (answer !== null && (this.#answer === null || answer !== "live")) this.#answer = answer
      this.#news.wake()
      return
    }
    const picture = look.hearPart(payload)
    if (picture === null) return
    this.#heardAt = this.#parts.link.clock.monotonic()
    // An honest camera stops long before, for nobody has taken them.
    if (this.#waiting.length < WAITING_MAX) this.#waiting.push(picture)
    this.#news.wake()
  }

  #report(link: Link, look: LiveLook, counter: number, leaves = false): void {
    const report = look.report(counter, leaves)
    if (report === null || !link.connected) return
    link.publish(deviceTopic(this.#parts.camera.id, "view"), report).catch((error: unknown) => {
      if (!isFault(error, "unavailable")) throw error
    })
  }

  /** Says so, for the camera's light burns until it knows. */
  async #leave(link: Link): Promise<void> {
    const look = this.#look
    const report = look?.report(0, true)
    if (!report || !link.connected) return
    try {
      await link.publish(deviceTopic(this.#parts.camera.id, "view"), report)
    } catch (error) {
      if (!isFault(error, "unavailable")) throw error
    }
  }
}

function refusal(reason: string): Fault {
  return reason === "it does not answer" || reason === "the link is down"
    ? new Fault("unavailable", `live: ${reason}`, { definite: false })
    : new Fault("refused", `live: the camera refuses: ${reason.replace(/\p{Cc}/gu, " ")}`)
}
