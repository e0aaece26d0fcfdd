import type { Led } from "johnny-five"
import type { LogLine } from "../log.ts"
import type { Clock, Log, PinsIo } from "../ports.ts"
import { type Milliseconds, minutes } from "../units.ts"

/** What a camera shows that it is doing, the most urgent first: of several at once it shows that one. */
export const STATES = ["fault", "pairing", "live", "recording", "offline", "booting", "ready"] as const
export type State = (typeof STATES)[number]

/** On, off, on, off, and so on, then anew. */
export const LIGHT_CODES: Readonly<Record<State, readonly Milliseconds[]>> = {
  fault: [100, 100],
  pairing: [500, 500],
  live: [900, 100],
  recording: [100, 900],
  offline: [100, 200, 100, 1_600],
  booting: [1_000, 1_000],
  ready: [50, 4_950],
}

/** A fault that nothing takes back is shown this long. */
const FAULT_SHOWN: Milliseconds = minutes(1)

/**
 * The status light is the log made visible: it is shown every line, and blinks as the sum of them says. The recording
 * light is another one, and obeys nobody but who records or watches.
 */
export class StatusLight implements Log {
  readonly #led: Led
  readonly #io: PinsIo
  readonly #pin: number
  readonly #clock: Clock
  readonly #is = new Set<State>(["booting"])
  #shown: State | null = null
  #lensLost = false
  #forget: () => void = () => undefined

  constructor(led: Led, io: PinsIo, pin: number, clock: Clock) {
    this.#led = led
    this.#io = io
    this.#pin = pin
    this.#clock = clock
    this.#show()
  }

  write(line: LogLine): void {
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
        this.#set("offline", false)
        this.#set("booting", false)
        break
      case "disconnected":
        this.#set("offline", true)
        this.#set("booting", false)
        break
      case "light":
        this.#set("live", line.on && line.holds.includes("live view"))
        this.#set("recording", line.on && line.holds.includes("recording"))
        break
      case "lens lost":
        this.#lensLost = true
        this.#set("fault", true)
        break
      case "lens back":
        this.#lensLost = false
        this.#set("fault", false)
        break
      case "fault":
        this.#set("fault", true)
        this.#forget()
        this.#forget = this.#clock.after(FAULT_SHOWN, () => {
          this.#set("fault", this.#lensLost)
          this.#show()
        })
        break
      default:
        return
    }
    this.#show()
  }

  close(): void {
    this.#forget()
    this.#shown = null
    this.#led.off()
  }

  #set(state: State, is: boolean): void {
    if (is) this.#is.add(state)
    else this.#is.delete(state)
  }

  #show(): void {
    const state = STATES.find((each) => this.#is.has(each)) ?? "ready"
    if (state === this.#shown) return
    this.#shown = state
    this.#io.pattern(this.#pin, LIGHT_CODES[state])
  }
}
