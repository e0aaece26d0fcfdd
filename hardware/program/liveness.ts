import type { CameraConfig } from "../../firmware/config.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Clock, Lens } from "../../firmware/ports.ts"
import { type Milliseconds, minutes } from "../../firmware/units.ts"

/** What each part may take beyond its own patience before it counts as stuck. */
const GRACE: Milliseconds = minutes(1)

/**
 * Is the camera alive? That somebody asks means that the event loop turns; beyond that:
 *
 *   lens    a piece came, or the camera said that it lost the lens and tries again
 *   link    it is connected, or said within its longest pause that it is not
 *   disk    no request has been without an answer for long
 *
 * Lens and link count while the camera runs, between "started" and "stopped". In privacy mode the lens rests: what gives
 * nothing because it must not is not stuck.
 */
export class Liveness {
  readonly #clock: Clock
  readonly #diskSilence: () => Milliseconds
  readonly #limits: { readonly lens: Milliseconds; readonly link: Milliseconds }
  #running = false
  #private = false
  #connected = false
  #lensAt: Milliseconds = 0
  #linkAt: Milliseconds = 0

  constructor(clock: Clock, link: CameraConfig["link"], diskSilence: () => Milliseconds) {
    this.#clock = clock
    this.#diskSilence = diskSilence
    // A lost lens pauses as a lost link does (`fillRing`), and may then take a while to give its first bytes.
    this.#limits = { lens: link.retryMax + GRACE, link: link.connectWithin + link.retryMax + GRACE }
  }

  /** The same lens, heard by this. */
  hears(lens: Lens): Lens {
    const heard = () => {
      this.#lensAt = this.#clock.monotonic()
    }
    return {
      async *pieces(signal) {
        for await (const piece of lens.pieces(signal)) {
          heard()
          yield piece
        }
      },
      ...(lens.watchMotion ? { watchMotion: lens.watchMotion.bind(lens) } : {}),
    }
  }

  note(line: LogLine): void {
    const now = this.#clock.monotonic()
    switch (line.event) {
      case "started":
        this.#running = true
        this.#private = false
        this.#lensAt = now
        this.#linkAt = now
        return
      case "stopped":
        this.#running = false
        return
      case "lens lost":
        this.#lensAt = now
        return
      case "privacy":
        this.#private = line.on
        this.#lensAt = now
        return
      case "connected":
      case "disconnected":
        this.#connected = line.event === "connected"
        this.#linkAt = now
        return
    }
  }

  /** Why it is not alive; null: it is. */
  stuck(): string | null {
    const now = this.#clock.monotonic()
    if (this.#diskSilence() > GRACE) return "the disk does not answer"
    if (!this.#running) return null
    if (!this.#private && now - this.#lensAt > this.#limits.lens)
      return "the lens neither gives pictures nor fails"
    if (!this.#connected && now - this.#linkAt > this.#limits.link)
      return "the link neither connects nor fails"
    return null
  }
}
