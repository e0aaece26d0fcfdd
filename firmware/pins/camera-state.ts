import type { LogLine } from "../log.ts"
import type { Clock } from "../ports.ts"
import { type Milliseconds, minutes } from "../units.ts"

/** What a camera is doing, the most urgent first: of several at once it shows that one. */
export const STATES = [
  "privacy",
  "fault",
  "pairing",
  "live",
  "recording",
  "offline",
  "booting",
  "ready",
] as const
export type State = (typeof STATES)[number]

/** A fault that nothing takes back is told this long. */
export const FAULT_TOLD: Milliseconds = minutes(1)
/** By which a timer for that may be early: who asks then, asks once. */
const EARLY: Milliseconds = 5

/** What a camera is doing, as the sum of its log lines says: for its status light, and for whoever asks. */
export class CameraState {
  readonly #clock: Clock
  readonly #is = new Set<State>(["booting"])
  #faultUntil: Milliseconds = Number.NEGATIVE_INFINITY
  #lensLost = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get now(): State {
    if (this.#is.has("privacy")) return "privacy"
    const isFault = this.#lensLost || this.#clock.monotonic() < this.#faultUntil
    return isFault ? "fault" : (STATES.find((each) => this.#is.has(each)) ?? "ready")
  }

  note(line: LogLine): void {
    switch (line.event) {
      case "looking for a setup text":
      case "pairing opened":
        this.#set("pairing", true)
        break
      case "pairing failed":
      case "paired":
      case "started":
        this.#set("pairing", false)
        break
      case "connected":
      case "disconnected":
        this.#set("booting", false)
        this.#set("offline", line.event === "disconnected")
        break
      case "light":
        this.#set("live", line.on && line.holds.includes("live view"))
        this.#set("recording", line.on && line.holds.includes("recording"))
        break
      case "privacy":
        this.#set("privacy", line.on)
        break
      case "lens lost":
      case "lens back":
        this.#lensLost = line.event === "lens lost"
        break
      case "fault":
        this.#faultUntil = this.#clock.monotonic() + FAULT_TOLD - EARLY
        break
    }
  }

  #set(state: State, is: boolean): void {
    if (is) this.#is.add(state)
    else this.#is.delete(state)
  }
}
