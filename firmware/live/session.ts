import type { GrantedAsk } from "../control/grant.ts"
import type { Link } from "../control/link.ts"
import { RENEWED_FOR, readPart } from "../control/live-messages.ts"
import { type LiveEnd, liveTopic } from "../control/protocol.ts"
import { isFault } from "../errors.ts"
import type { DecodableUnit } from "../media/annexb.ts"
import type { Ring } from "../media/ring.ts"
import type { Clock } from "../ports.ts"
import { type Bytes, MiB, type Milliseconds, seconds } from "../units.ts"
import { OpeningEnd, SealingEnd } from "./channel.ts"
import { decodeReport, encodePicture } from "./picture.ts"

/** What may be on its way to a viewer: a group of pictures of a large stream, which some lenses give at once. */
const UNREPORTED_BYTES_MAX: Bytes = 2 * MiB
/** A viewer that is further behind than this does not see what it sees live. */
const BEHIND_MAX: Milliseconds = seconds(1)
/** Without a report for as long nobody looks. */
const SILENT_MAX: Milliseconds = seconds(10)

export interface SessionParts {
  readonly ring: Ring
  readonly link: Link
  readonly clock: Clock
  readonly device: string
}

export interface SessionKeys {
  readonly pictures: Buffer
  readonly reports: Buffer
}

/**
 * One viewer's look, from its grant to its end: a reader of the ring of its own, keys of its own, and a bound of its own on
 * what is under way. It waits for nobody and nobody waits for it: a picture that finds no room is not sent, nor are those
 * that need it, up to the next key frame.
 */
export class LiveSession {
  readonly id: string
  readonly askHash: string
  readonly grantHash: string
  readonly viewer: string
  readonly isOwner: boolean
  /** How many pictures were sent. */
  pictures = 0
  readonly #parts: SessionParts
  readonly #seal: SealingEnd
  readonly #open: OpeningEnd
  readonly #stop = new AbortController()
  readonly #until: Milliseconds
  /** What was sent and not yet reported, oldest first. */
  readonly #underWay: { readonly counter: number; readonly bytes: Bytes; readonly at: Milliseconds }[] = []
  #underWayBytes: Bytes = 0
  #renewBy: Milliseconds
  #heardAt: Milliseconds
  #skipping = true
  #cause: LiveEnd = "stopped"
  #failure: unknown = null

  constructor(id: string, granted: GrantedAsk, keys: SessionKeys, parts: SessionParts) {
    this.id = id
    this.askHash = granted.askHash
    this.grantHash = granted.grantHash
    this.viewer = granted.viewer
    this.isOwner = granted.isOwner
    this.#parts = parts
    this.#seal = new SealingEnd(id, keys.pictures)
    this.#open = new OpeningEnd(id, keys.reports)
    this.#until = granted.until
    this.#renewBy = granted.isOwner ? granted.until : granted.renewBy
    this.#heardAt = parts.clock.monotonic()
  }

  /** Pictures until it is over. Says why it is. */
  async run(): Promise<LiveEnd> {
    const { ring, clock } = this.#parts
    const { signal } = this.#stop
    let cancel = (): void => undefined
    const watch = () => {
      const end = this.#endDue()
      if (end !== null) return this.end(end)
      cancel = clock.after(Math.max(1, this.#nextEnd() - clock.monotonic()), watch)
    }
    watch()
    try {
      for await (const unit of ring.from(clock.monotonic(), signal)) this.#show(unit)
      // The lens stopped, or the ring closed: nobody ended it.
      if (!signal.aborted) this.end("lens lost")
    } finally {
      cancel()
      this.#seal.forget()
      this.#open.forget()
    }
    if (this.#failure !== null) throw this.#failure
    return this.#cause
  }

  /** The first cause counts. */
  end(cause: LiveEnd): void {
    if (this.#stop.signal.aborted) return
    this.#cause = cause
    this.#stop.abort()
  }

  /** The owner lets this viewer go on, by a heartbeat of `at`. Never for longer than the grant. */
  renew(at: Milliseconds): void {
    this.#renewBy = Math.min(this.#until, Math.max(this.#renewBy, at + RENEWED_FOR))
  }

  /** What a viewer says; what is not this one's is not listened to. */
  report(payload: Buffer): void {
    if (this.#stop.signal.aborted) return
    try {
      const part = readPart(payload)
      const { leaves, counter } = decodeReport(this.#open.open(part, part.data))
      this.#heardAt = this.#parts.clock.monotonic()
      for (let first = this.#underWay[0]; first && first.counter <= counter; first = this.#underWay[0]) {
        this.#underWay.shift()
        this.#underWayBytes -= first.bytes
      }
      if (leaves) this.end("left")
    } catch (error) {
      if (!isFault(error, "malformed") && !isFault(error, "tampered")) throw error
    }
  }

  #show(unit: DecodableUnit): void {
    const end = this.#endDue()
    if (end !== null) this.end(end)
    if (this.#stop.signal.aborted) return
    if (this.#isBehind()) this.#skipping = true
    else if (unit.keyFrame) this.#skipping = false
    if (this.#skipping) return
    const messages = this.#seal.seal(encodePicture(unit))
    const bytes = messages.reduce((sum, [header, data]) => sum + header.length + data.length, 0)
    this.#underWay.push({ counter: this.#seal.counter, bytes, at: this.#parts.clock.monotonic() })
    this.#underWayBytes += bytes
    this.pictures++
    const { link, device } = this.#parts
    for (const [header, data] of messages)
      link.publish(liveTopic(device, this.viewer), header, data).catch((error: unknown) => {
        if (!isFault(error, "unavailable")) this.#failure = error
        this.end("link lost")
      })
  }

  #isBehind(): boolean {
    const [oldest] = this.#underWay
    const late = oldest && this.#parts.clock.monotonic() - oldest.at > BEHIND_MAX
    return late === true || this.#underWayBytes > UNREPORTED_BYTES_MAX
  }

  #nextEnd(): Milliseconds {
    return Math.min(this.#until, this.#renewBy, this.#heardAt + SILENT_MAX)
  }

  #endDue(): LiveEnd | null {
    const now = this.#parts.clock.monotonic()
    if (now >= this.#until) return "expired"
    if (now >= this.#renewBy) return "not renewed"
    return now >= this.#heardAt + SILENT_MAX ? "gone" : null
  }
}
