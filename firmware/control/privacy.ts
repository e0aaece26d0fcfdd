import { randomBytes } from "node:crypto"
import { z } from "zod"
import type { LiveView, Outcome } from "../live/live-view.ts"
import type { Ring } from "../media/ring.ts"
import type { Pins } from "../pins/pins.ts"
import type { Clock, Disk, Log } from "../ports.ts"
import { type Milliseconds, minutes } from "../units.ts"
import { WakeUp } from "../wake.ts"
import { verify } from "./dsse.ts"
import { fromJson, toJson } from "./json.ts"
import { privacyShape } from "./live-messages.ts"
import type { OwnBeats } from "./own-beats.ts"
import type { Ownership } from "./ownership.ts"

/** How long after a press of the button the owner may say that the camera shall look again. */
const PRESS_COUNTS_FOR: Milliseconds = minutes(2)
const NAME = "privacy"
const shape = z.strictObject({ version: z.literal(1), on: z.literal(true) })

export interface PrivacyParts {
  readonly device: string
  readonly ownership: () => Ownership
  readonly beats: OwnBeats
  readonly disk: Disk
  readonly clock: Clock
}

/** What the camera on this disk was told last, for who looks without it. @throws Fault "malformed", definite: a damaged file. */
export async function isPrivate(disk: Pick<Disk, "private">): Promise<boolean> {
  const stored = await disk.private.get(NAME)
  if (stored) fromJson(stored, shape, "privacy", 200)
  return stored !== null
}

/** What of a camera looks. */
export interface Eyes {
  readonly pins: Pick<Pins, "rest" | "nextPress">
  readonly log: Log
  readonly ring: Pick<Ring, "clear">
  readonly live: Pick<LiveView, "endAll">
  /** Until the controller aborts. */
  readonly look: (rest: AbortController) => Promise<void>
}

/**
 * Privacy mode: the lens rests, the shutter is closed, nobody looks, nothing is recorded. It begins by the owner's signature,
 * from anywhere. It ends by the owner's signature over a nonce that the camera gives when somebody presses its button, so
 * nobody ends it who is not there, and nobody who is there without the owner. It outlives power cuts.
 */
export class Privacy {
  readonly #parts: PrivacyParts
  readonly #news = new WakeUp()
  #on = false
  #press: { readonly nonce: string; readonly until: Milliseconds } | null = null
  /** null: nobody looks. */
  #rest: AbortController | null = null
  #eyes: Eyes | null = null

  constructor(parts: PrivacyParts) {
    this.#parts = parts
  }

  get on(): boolean {
    return this.#on
  }

  /** Reads what the last boot left. @throws Fault "malformed", definite: a damaged file. */
  async read(): Promise<void> {
    this.#on = await isPrivate(this.#parts.disk)
  }

  /** As heartbeats say it. */
  get said(): { readonly press: string | null } | null {
    if (!this.#on) return null
    const counts = this.#press !== null && this.#parts.clock.monotonic() < this.#press.until
    return { press: counts && this.#press ? this.#press.nonce : null }
  }

  /** Has the camera look for as long as it may, and again whenever it may again. Ends when `signal` aborts. */
  async whileOff(eyes: Eyes, signal: AbortSignal): Promise<void> {
    const { pins, log, ring, look } = eyes
    this.#eyes = eyes
    while (!signal.aborted) {
      if (!this.#on) {
        const rest = new AbortController()
        const stop = () => rest.abort()
        this.#rest = rest
        signal.addEventListener("abort", stop, { once: true })
        let failed = true
        try {
          await look(rest)
          failed = false
        } finally {
          signal.removeEventListener("abort", stop)
          this.#rest = null
          // Whoever waits for the shutter, too, would wait for ever.
          if (failed || signal.aborted) this.#news.wake()
        }
        if (signal.aborted || !this.#on) continue
        ring.clear()
      }
      await pins.rest(true)
      log.write({ event: "privacy", on: true })
      this.#news.wake() // nobody looks any more
      await this.#pressesUntilOff(pins, signal)
      if (signal.aborted) return
      await pins.rest(false)
      log.write({ event: "privacy", on: false })
    }
  }

  /** The owner's command. Resolves when it is done, and durable. @throws as `verify`. */
  async command(envelope: Uint8Array): Promise<Outcome> {
    const { device, ownership, beats, clock } = this.#parts
    const asked = verify("privacy", envelope, ownership().owner, privacyShape)
    if (asked.device !== device) return { ok: false, reason: "meant for another camera" }
    if (asked.mode === "on") {
      const beat = beats.timeOf(asked.beat)
      return beat.ok ? this.#enter() : beat
    }
    if (!this.#on) return { ok: true, reason: "it is not in privacy mode" }
    if (this.#press === null || clock.monotonic() >= this.#press.until || asked.press !== this.#press.nonce)
      return { ok: false, reason: "press the camera's button first: only there is privacy mode left" }
    return this.#leave()
  }

  async #enter(): Promise<Outcome> {
    const { disk, beats } = this.#parts
    // A cloud that says it again and again wears out no disk.
    if (this.#on) return { ok: true, reason: "privacy mode" }
    await disk.private.put(NAME, [toJson({ version: 1, on: true })])
    this.#on = true
    if (this.#rest) {
      const over = this.#news.wait()
      // Not a picture leaves from here on.
      const gone = this.#eyes?.live.endAll("privacy mode")
      this.#rest.abort()
      await Promise.all([gone, over])
    }
    beats.hurry()
    return { ok: true, reason: "privacy mode" }
  }

  /** What was signed before, to enter, counts no more: a cloud that kept it would choose when the camera is blind. */
  async #leave(): Promise<Outcome> {
    const { disk, beats } = this.#parts
    await disk.private.remove(NAME)
    this.#on = false
    this.#press = null
    beats.forget()
    beats.hurry()
    this.#news.wake()
    return { ok: true, reason: "it looks again" }
  }

  async #pressesUntilOff(pins: Pick<Pins, "nextPress">, signal: AbortSignal): Promise<void> {
    const { clock, beats } = this.#parts
    while (this.#on && !signal.aborted) {
      const off = new AbortController()
      const stop = () => off.abort()
      signal.addEventListener("abort", stop, { once: true })
      const left = this.#news.wait(off.signal).then(stop)
      const at = await pins.nextPress(off.signal)
      stop()
      await left
      signal.removeEventListener("abort", stop)
      if (at === null) continue
      this.#press = { nonce: randomBytes(16).toString("hex"), until: clock.monotonic() + PRESS_COUNTS_FOR }
      beats.hurry()
    }
  }
}
