import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { Clock, Log } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { BackOff } from "./back-off.ts"
import { type Chip, explain } from "./chip.ts"
import { faultOf, holdLines } from "./held-lines.ts"
import { edgeLevel, getLevels, watchEdges } from "./syntax.ts"
import type { Tools } from "./tools.ts"
import { aborted, deferred } from "./waits.ts"

const READ_AGAIN: Milliseconds = 10_000

export interface InputsOptions {
  readonly tools: Tools
  readonly chip: Chip
  readonly clock: Clock
  readonly log: Log
}

/**
 * All inputs, by one gpiomon. Edges of one line come in the kernel's order, timed by nobody: who hears them asks the
 * monotonic clock.
 *
 * A line that gpiomon holds cannot be read, so the levels are read just before each start of it. An edge in the few
 * milliseconds between is lost. One that rose is felt late or not at all: a PIR's pulse lasts 0.3 s or more, and a missed
 * press is pressed again. One that fell would be motion for ever: a level that was read high, and of which no edge has
 * told since, is read again after a while, until an edge tells.
 */
export class Inputs {
  /** Which are high because they read so, and by no edge. */
  readonly #readHigh = new Set<number>()
  readonly #pins: readonly number[]
  readonly #options: InputsOptions
  readonly #backOff: BackOff
  readonly #levels = new Map<number, 0 | 1>()
  readonly #end = new AbortController()
  #watching: Promise<void> | null = null
  #onLevel: (pin: number, level: 0 | 1) => void = () => undefined

  constructor(pins: readonly number[], options: InputsOptions) {
    this.#pins = pins
    this.#options = options
    this.#backOff = new BackOff("gpiomon", options.clock, options.log)
  }

  /**
   * Resolves once the levels are known and edges are watched; from then on a gpiomon that ends is started again.
   * @throws Fault: "unavailable" or "usage", saying why it cannot be.
   */
  async start(): Promise<void> {
    const first = deferred()
    this.#watching = this.#watch(first.resolve, first.reject)
    await first.promise
  }

  /** From now on told of every change of level. */
  listen(onLevel: (pin: number, level: 0 | 1) => void): void {
    this.#onLevel = onLevel
  }

  level(pin: number): 0 | 1 {
    return this.#levels.get(pin) ?? 0
  }

  /** Stops watching; every input reads low from now on, so that nobody waits for a button to be let go. */
  async close(): Promise<void> {
    this.#end.abort()
    await this.#watching
    for (const pin of this.#pins) this.#put(pin, 0)
  }

  async #watch(started: () => void, refused: (cause: unknown) => void): Promise<void> {
    let waiting = true
    const granted = () => {
      waiting = false
      started()
    }
    while (!this.#end.signal.aborted) {
      try {
        await this.#watchOnce(granted)
      } catch (cause) {
        if (waiting) return refused(cause)
        const fault = isFault(cause) ? cause : new Fault("broken", messageOf(cause), { cause })
        await this.#backOff.wait(fault.message, this.#end.signal)
      }
    }
    if (waiting) refused(new Fault("unavailable", "GPIO: closed"))
  }

  /** Resolves when told to end, or when the levels have to be read again. @throws Fault: why it stopped watching. */
  async #watchOnce(granted: () => void): Promise<void> {
    const { tools, chip, clock } = this.#options
    this.#backOff.started()
    await this.#read()
    const strange = deferred<never>()
    // It may come after the race below is over.
    strange.promise.catch(() => undefined)
    const request = {
      tool: "gpiomon",
      args: watchEdges(chip.version, chip.name, this.#pins),
      pins: this.#pins,
      onLine: (line: string) => {
        if (!this.#hear(line)) strange.reject(new Fault("malformed", "gpiomon: says what it should not"))
      },
    } as const
    const { tool } = await holdLines(tools, clock, chip, request, this.#end.signal)
    const over = new AbortController()
    try {
      granted()
      const stopped = aborted(this.#end.signal, over.signal)
      const doubted = this.#doubt(over.signal)
      const end = await Promise.race([tool.ended, stopped, strange.promise, doubted])
      if (end) throw await faultOf(tools, chip, this.#pins, end)
    } finally {
      over.abort()
      await tool.stop()
    }
  }

  /** Resolves, if `over` does not abort, when a level that was read high has not been told of by an edge. */
  async #doubt(over: AbortSignal): Promise<undefined> {
    do await this.#options.clock.sleep(READ_AGAIN, over)
    while (this.#readHigh.size === 0 && !over.aborted)
  }

  /** Reads all levels; what differs from before is an edge that nobody saw. */
  async #read(): Promise<void> {
    const { tools, chip } = this.#options
    const told = await tools.run("gpioget", getLevels(chip.version, chip.name, this.#pins))
    if (!told.ok) throw await explain(tools, chip, this.#pins, told)
    const levels = told.output.trim().split(/\s+/)
    if (levels.length !== this.#pins.length || !levels.every((level) => level === "0" || level === "1"))
      throw new Fault("malformed", "gpioget: does not say a level for each line")
    this.#readHigh.clear()
    for (const [index, pin] of this.#pins.entries()) {
      const level = levels[index] === "1" ? 1 : 0
      if (level === 1) this.#readHigh.add(pin)
      this.#put(pin, level)
    }
  }

  /** A line "TYPE PIN" of gpiomon. false: it is something else. */
  #hear(line: string): boolean {
    const [, type, pin] = /^(\d) (\d{1,2})$/.exec(line) ?? []
    const level = edgeLevel(this.#options.chip.version, Number(type))
    if (level === null || !this.#pins.includes(Number(pin))) return false
    this.#readHigh.delete(Number(pin))
    this.#put(Number(pin), level)
    return true
  }

  #put(pin: number, level: 0 | 1): void {
    if (this.level(pin) === level) return
    this.#levels.set(pin, level)
    this.#onLevel(pin, level)
  }
}
