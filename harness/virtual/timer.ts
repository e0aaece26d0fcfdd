import type { Milliseconds } from "../../firmware/units.ts"
import type { VirtualTime } from "./time.ts"

const TIMEOUT_MAX: Milliseconds = 2 ** 31 - 1
/** Those that were turned into numbers, by which they can be cleared too. */
const numbered = new Map<string, VirtualTimer>()

/** What `setTimeout` and `setInterval` return: Node's `Timeout`, on virtual time. */
export class VirtualTimer {
  /** When it is due, and in which order among those of the same instant. */
  at: Milliseconds = 0
  order = 0
  /** Where it lies in the heap: the instant and order that it was put there for. */
  heldAt: Milliseconds = 0
  heldOrder = 0
  held = false
  readonly delay: Milliseconds
  readonly #time: VirtualTime
  readonly #id: number
  readonly #args: readonly unknown[]
  readonly #repeats: boolean
  #callback: ((...args: unknown[]) => unknown) | null
  #refed = true
  /** What it was taken from the heap for; a `refresh` in the same instant makes it another. */
  #taken = 0

  constructor(
    time: VirtualTime,
    id: number,
    callback: (...args: unknown[]) => unknown,
    delay: unknown,
    args: readonly unknown[],
    repeats: boolean,
  ) {
    if (typeof callback !== "function")
      throw new TypeError('The "callback" argument must be of type function.')
    this.#time = time
    this.#id = id
    this.#callback = callback
    this.delay = delayOf(delay)
    this.#args = args
    this.#repeats = repeats
  }

  get cleared(): boolean {
    return this.#callback === null
  }

  /** The heap lets go of it: it will `fire` within this instant. */
  take(): void {
    this.held = false
    this.#taken = this.order
  }

  /** Does nothing if it was cleared, or set anew, since it was taken. */
  fire(): void {
    if (this.#callback === null || this.#taken !== this.order) return
    this.#callback.apply(this, [...this.#args])
    if (this.#repeats && !this.cleared && !this.held) this.#time.arm(this)
  }

  clear(): void {
    this.#callback = null
    numbered.delete(String(this.#id))
  }

  // NodeJS.Timeout

  /** Starts its time anew, also after it fired; not once it is cleared. */
  refresh(): this {
    if (!this.cleared) this.#time.arm(this)
    return this
  }

  ref(): this {
    this.#refed = true
    return this
  }

  /** Remembered, no more: virtual time goes on for as long as somebody advances it. */
  unref(): this {
    this.#refed = false
    return this
  }

  hasRef(): boolean {
    return this.#refed
  }

  close(): this {
    this.clear()
    return this
  }

  [Symbol.toPrimitive](): number {
    numbered.set(String(this.#id), this)
    return this.#id
  }

  [Symbol.dispose](): void {
    this.clear()
  }
}

/** Takes what `setTimeout` returned, or its number; anything else is harmless. */
export function clearTimer(timer: unknown): void {
  if (timer instanceof VirtualTimer) timer.clear()
  else if (typeof timer === "number" || typeof timer === "string") numbered.get(String(timer))?.clear()
}

/** As Node counts: whole milliseconds, at least one; what is no such number is one. */
function delayOf(delay: unknown): Milliseconds {
  const given = Number(delay)
  return given >= 1 && given <= TIMEOUT_MAX ? Math.trunc(given) : 1
}
