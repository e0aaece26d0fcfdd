import { randomBytes } from "node:crypto"
import { sign, signerOf, verify } from "../control/dsse.ts"
import { checkAsk, type GrantedAsk } from "../control/grant.ts"
import type { Identity } from "../control/identity.ts"
import { sha256Hex } from "../control/keys.ts"
import type { Link } from "../control/link.ts"
import { isSealedPart, type Live, renewalShape, revocationShape } from "../control/live-messages.ts"
import type { OwnBeats } from "../control/own-beats.ts"
import type { Ownership } from "../control/ownership.ts"
import { type Answer, type LiveEnd, liveTopic } from "../control/protocol.ts"
import type { Spool } from "../delivery/spool.ts"
import { isFault } from "../errors.ts"
import type { Ring } from "../media/ring.ts"
import type { Pins } from "../pins/pins.ts"
import type { Clock, Disk, Log } from "../ports.ts"
import { agree, keyFor, newEphemeral } from "./channel.ts"
import { LiveMemory } from "./memory.ts"
import { OpenSessions } from "./open-sessions.ts"
import { LiveSession } from "./session.ts"

/** More than a household looks with at once; each costs the camera's uplink its whole stream. */
const VIEWERS_MAX = 8

/** Ends of which a viewer is told. Whoever left knows; whoever is gone, or came again, is not listening. */
const TOLD: ReadonlySet<LiveEnd> = new Set([
  "expired",
  "not renewed",
  "revoked",
  "privacy mode",
  "lens lost",
  "light lost",
  "stopped",
])

export interface LiveParts {
  readonly ring: Ring
  readonly light: Pins["light"]
  readonly spool: Spool
  readonly link: Link
  readonly identity: Identity
  readonly ownership: () => Ownership
  readonly beats: OwnBeats
  readonly disk: Disk
  readonly clock: Clock
  readonly log: Log
  /** While it is on nobody looks. */
  readonly privacy: { readonly on: boolean }
}

/** The recording light, held for somebody who looks. */
interface Lit {
  isLost: boolean
  onLost: () => void
  dark: () => void
}

export type Outcome = { readonly ok: boolean; readonly reason: string }

/**
 * Whom the owner lets look, looks. For each ask, in this order: the grant, the light, a word in the camera's own chain,
 * and only then pictures. Nothing of it is there before the first ask comes.
 */
export class LiveView {
  /** Told of what must end the camera. */
  onFailure: (error: unknown) => void = () => undefined
  readonly #parts: LiveParts
  #memory: LiveMemory | null = null
  #open: OpenSessions | null = null
  #running: readonly { readonly session: LiveSession; readonly over: Promise<void> }[] = []

  constructor(parts: LiveParts) {
    this.#parts = parts
  }

  get viewers(): number {
    return this.#running.length
  }

  /** Somebody looks, or may, who needs the owner's word to go on. */
  get wantsRenewal(): boolean {
    return this.#running.some(({ session }) => !session.isOwner) || this.#memory?.isRenewing === true
  }

  /** Says of the sessions that a power cut ended that they have. */
  async recover(): Promise<void> {
    const open = new OpenSessions(this.#parts.disk)
    const left = await open.left()
    for (const session of left)
      await this.#parts.spool.say({ kind: "live end", session, cause: "power cut", pictures: null })
    if (left.length > 0) await open.clear()
  }

  /** Answers to the viewer, one way or the other. */
  async ask(envelope: Uint8Array): Promise<void> {
    const { identity, ownership, beats } = this.#parts
    const granted = checkAsk(envelope, { device: identity.device, owner: ownership().owner, beats })
    const outcome = granted.ok ? await this.#begin(granted) : granted
    if (!outcome.ok) await this.#refuse(envelope, outcome.reason)
  }

  /** What is sealed is a viewer's report, for whichever session it fits. */
  report(payload: Buffer): boolean {
    if (!isSealedPart(payload)) return false
    for (const { session } of this.#running) session.report(payload)
    return true
  }

  renew(envelope: Uint8Array): Outcome {
    const { ownership, identity, beats } = this.#parts
    const renewal = verify("renewal", envelope, ownership().owner, renewalShape)
    if (renewal.device !== identity.device) return { ok: false, reason: "meant for another camera" }
    const beat = beats.timeOf(renewal.beat)
    if (!beat.ok) return beat
    const wanted = this.wantsRenewal
    // Kept also for a grant that nobody has asked with yet: whoever has it may come at any time.
    if (!this.#remember().renew(renewal.grant, beat.at)) return refused("too many grants")
    for (const { session } of this.#running) if (session.grantHash === renewal.grant) session.renew(beat.at)
    // From now on more often; and not for each, or it would beat as fast as its owner answers.
    if (!wanted) beats.hurry()
    return { ok: true, reason: "renewed" }
  }

  /** Resolves when no more pictures leave by that grant. */
  async revoke(envelope: Uint8Array): Promise<Outcome> {
    const { ownership, identity, beats } = this.#parts
    const { device, grant } = verify("revocation", envelope, ownership().owner, revocationShape)
    if (device !== identity.device) return { ok: false, reason: "meant for another camera" }
    // A grant that is not remembered would come again: then all that are out there are void.
    if (grant === null || !this.#remember().revoke(grant)) beats.forget()
    const ended = await this.#end("revoked", (session) => grant === null || session.grantHash === grant)
    return { ok: true, reason: `revoked; ${ended} views ended` }
  }

  /** From now on not a picture leaves. Resolves when all is over and said. */
  async endAll(cause: LiveEnd): Promise<void> {
    await this.#end(cause, () => true)
  }

  async #end(cause: LiveEnd, which: (session: LiveSession) => boolean): Promise<number> {
    const ending = this.#running.filter(({ session }) => which(session))
    for (const { session } of ending) session.end(cause)
    await Promise.all(ending.map(({ over }) => over))
    return ending.length
  }

  #remember(): LiveMemory {
    this.#memory ??= new LiveMemory(this.#parts.clock)
    return this.#memory
  }

  async #begin(granted: GrantedAsk): Promise<Outcome> {
    const { light, clock, privacy } = this.#parts
    const reason = this.#refusalOf(granted)
    if (reason !== null) return refused(reason)
    const renewBy = Math.max(granted.renewBy, this.#remember().renewedUntil(granted.grantHash))
    if (clock.monotonic() >= granted.until) return refused("expired")
    if (!granted.isOwner && clock.monotonic() >= renewBy) return refused("not renewed")
    await this.#end("replaced", (session) => session.grantHash === granted.grantHash)
    if (this.#running.length >= VIEWERS_MAX) return refused("too many viewers")
    const lit: Lit = { isLost: false, onLost: () => undefined, dark: () => undefined }
    try {
      lit.dark = await light.hold("live view", () => {
        lit.isLost = true
        lit.onLost()
      })
    } catch (error) {
      if (!isFault(error, "unavailable")) throw error
      return refused("the recording light does not follow")
    }
    if (privacy.on) lit.dark()
    return privacy.on ? refused("privacy mode") : this.#answer({ ...granted, renewBy }, lit)
  }

  #refusalOf({ askHash, grantHash, viewer, isOwner, grant }: GrantedAsk): string | null {
    const memory = this.#remember()
    const asked = memory.ask(askHash, viewer, isOwner)
    if (asked !== "new") return asked === "full" ? "too many asks" : asked
    if (memory.isRevoked(grantHash)) return "revoked"
    if (this.#parts.privacy.on) return "privacy mode"
    if (!isOwner && !memory.reason(viewer, grant.reason, grantHash))
      return "the same reason was given for another grant"
    return null
  }

  /** The light is on, and stays held until the session is over; should it go out by itself, that is when. */
  async #answer(granted: GrantedAsk, lit: Lit): Promise<Outcome> {
    const { dark } = lit
    const { identity, link, log, ring, clock, beats } = this.#parts
    const session = randomBytes(16).toString("hex")
    const own = newEphemeral()
    let secret: Buffer
    try {
      secret = agree(own, granted.ask.ephemeral)
    } catch (error) {
      dark()
      if (!isFault(error, "malformed")) throw error
      return refused(error.message)
    }
    if (!(await this.#note(session, granted))) {
      dark()
      return refused("no room to note it")
    }
    const body: Live = {
      device: identity.device,
      session,
      ask: granted.askHash,
      grant: granted.grantHash,
      viewer: granted.grant.receiver,
      ephemeral: granted.ask.ephemeral,
      answer: own.point,
    }
    const live = sign("live", body, identity.key)
    const hash = sha256Hex(live)
    const keys = { pictures: keyFor(secret, hash, "pictures"), reports: keyFor(secret, hash, "reports") }
    secret.fill(0)
    const begun = new LiveSession(session, granted, keys, { ring, link, clock, device: identity.device })
    lit.onLost = () => begun.end("light lost")
    if (lit.isLost) lit.onLost()
    log.write({ event: "live view", session, viewer: granted.viewer })
    // Not waited for: what comes after it on this connection arrives after it.
    link.publish(liveTopic(identity.device, granted.viewer), live).catch((error: unknown) => {
      begun.end("link lost")
      if (!isFault(error, "unavailable")) this.onFailure(error)
    })
    const over = this.#see(begun, dark).catch((error: unknown) => this.onFailure(error))
    this.#running = [...this.#running, { session: begun, over }]
    if (!granted.isOwner) beats.hurry()
    return { ok: true, reason: "live" }
  }

  /** In the chain, durably, before a picture leaves. false: there is no room, and nobody looks. */
  async #note(session: string, { grantHash, viewer }: GrantedAsk): Promise<boolean> {
    const { spool, disk } = this.#parts
    this.#open ??= new OpenSessions(disk)
    try {
      await this.#open.add(session)
    } catch (error) {
      if (!isFault(error, "full")) throw error
      return false
    }
    if (await spool.say({ kind: "live", session, grant: grantHash, viewer })) return true
    await spool.say({ kind: "live end", session, cause: "refused", pictures: 0 })
    await this.#open.remove(session)
    return false
  }

  async #see(session: LiveSession, dark: () => void): Promise<void> {
    const { spool, log } = this.#parts
    try {
      const cause = await session.run()
      dark()
      this.#running = this.#running.filter((each) => each.session !== session)
      const { id, pictures } = session
      log.write({ event: "live view ended", session: id, cause, pictures })
      await spool.say({ kind: "live end", session: id, cause, pictures })
      await this.#open?.remove(id)
      // Not waited for: a cloud that does not acknowledge it holds up nothing.
      if (TOLD.has(cause))
        this.#sayNo(session.viewer, session.askHash, cause).catch((error) => this.onFailure(error))
    } finally {
      dark()
      this.#running = this.#running.filter((each) => each.session !== session)
    }
  }

  async #refuse(envelope: Uint8Array, reason: string): Promise<void> {
    this.#parts.log.write({ event: "command", kind: "ask", result: "refused", reason })
    const viewer = signerOf(envelope)
    if (viewer !== null) await this.#sayNo(viewer, sha256Hex(envelope), reason)
  }

  /** To whoever asked with the ask of that hash. */
  async #sayNo(viewer: string, command: string, reason: string): Promise<void> {
    const { identity, link } = this.#parts
    const body: Answer = {
      device: identity.device,
      command,
      result: "refused",
      reason: reason.slice(0, 200),
    }
    try {
      await link.publish(liveTopic(identity.device, viewer), sign("answer", body, identity.key))
    } catch (error) {
      // Whoever asked asks again.
      if (!isFault(error, "unavailable")) throw error
    }
  }
}

function refused(reason: string): Outcome {
  return { ok: false, reason }
}
