import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { Clock, Log } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { inputHeard } from "../event-loop.ts"
import { BackOff } from "./back-off.ts"
import type { Chip } from "./chip.ts"
import { faultOf, type HeldLines, holdLines } from "./held-lines.ts"
import { holdLevel, holdPattern } from "./syntax.ts"
import type { HeldTool, Tools } from "./tools.ts"
import { aborted } from "./waits.ts"

/** What an output shall do, until the next write. Compared by identity: each is one write. */
type Drive =
  | { readonly level: 0 | 1; readonly durations?: never }
  | { readonly level?: never; readonly durations: readonly Milliseconds[] }

export interface OutputOptions {
  readonly tools: Tools
  readonly chip: Chip
  readonly clock: Clock
  readonly log: Log
}

/** `driven` waits this long for a tool that died or is slow. One that says no is believed at once. */
const DRIVEN_WITHIN: Milliseconds = 5_000
/** A camera that stops has 5 s for all of it. */
const PUT_OUT_WITHIN: Milliseconds = 2_000

/**
 * One output, held by one gpioset at a time. To change it that one is ended and the next begins, for a gpioset cannot be
 * told another level. Between the two nobody holds the line: Raspberry Pi's own kernel leaves it as it was
 * (persist_gpio_outputs), others make it an input, which the pull-down takes low. So a light that is off stays off until
 * the next gpioset has lit it, one that is on goes off at once or when the next has put it out, and writing the level
 * that it has already changes nothing at all. It never shows a level that neither write asked for.
 *
 * A gpioset that dies leaves the same gap until the next one; meanwhile the output is not driven. If this process itself
 * is killed, Raspberry Pi's kernel leaves a lit light lit until the camera is started again, which begins by putting it
 * out: a light that says too much rather than too little.
 */
export class Output {
  readonly #pin: number
  readonly #options: OutputOptions
  readonly #backOff: BackOff
  readonly #keeping: Promise<void>
  readonly #waiting = new Set<{ readonly resolve: () => void; readonly reject: (fault: Fault) => void }>()
  /** Aborted by the next write, or by letting go. */
  #interrupt = new AbortController()
  #wanted: Drive = { level: 0 }
  /** What the kernel was seen to have, and by whom; null while nobody holds the line. */
  #proven: { readonly drive: Drive; readonly tool: HeldTool } | null = null
  #blink: (() => void) | null = null
  #onLost: () => void = () => undefined
  #closing = false
  readonly #letGo = new AbortController()

  /** Begins low. */
  constructor(pin: number, options: OutputOptions) {
    this.#pin = pin
    this.#options = options
    this.#backOff = new BackOff(`gpioset ${pin}`, options.clock, options.log)
    this.#keeping = this.#keep()
  }

  /** From now on told when what was driven is not any more, though nobody has written. */
  listen(onLost: () => void): void {
    this.#onLost = onLost
  }

  write(level: 0 | 1): void {
    if (this.#closing) return
    this.#stopBlinking()
    this.#want({ level })
  }

  /** See `PinsIo.pattern`. */
  pattern(durations: readonly Milliseconds[]): void {
    if (this.#closing) return
    this.#stopBlinking()
    if (this.#options.chip.version === 2) this.#want({ durations })
    else this.#step(durations, 0)
  }

  /**
   * Resolves once the kernel has what was last written.
   * @throws Fault "unavailable": it says no, or nobody holds the line in time, or it was let go.
   */
  async driven(within: Milliseconds = DRIVEN_WITHIN): Promise<void> {
    await inputHeard()
    if (this.#letGo.signal.aborted) throw this.#closed()
    if (this.#isDriven()) return
    await new Promise<void>((resolve, reject) => {
      const settle = (then: () => void) => {
        this.#waiting.delete(waiter)
        cancel()
        then()
      }
      const waiter = {
        resolve: () => settle(resolve),
        reject: (fault: Fault) => settle(() => reject(fault)),
      }
      const cancel = this.#options.clock.after(within, () =>
        waiter.reject(new Fault("unavailable", `GPIO ${this.#pin}: not driven in time`, { definite: false })),
      )
      this.#waiting.add(waiter)
    })
  }

  /** Puts it low, then lets go of it. What kept it from being put low is reported. */
  async close(): Promise<void> {
    this.write(0)
    this.#closing = true
    try {
      await this.driven(PUT_OUT_WITHIN)
    } catch (cause) {
      const reason = `not put out: ${messageOf(cause)}`
      this.#options.log.write({ event: "fault", where: "pins", kind: "unavailable", reason })
    }
    await this.release()
  }

  /** Lets go of it as it is. */
  async release(): Promise<void> {
    this.#closing = true
    this.#stopBlinking()
    this.#letGo.abort()
    this.#interrupt.abort()
    await this.#keeping
  }

  /** Version 1 cannot blink by itself: each edge is a process. */
  #step(durations: readonly Milliseconds[], index: number): void {
    this.#want({ level: index % 2 === 0 ? 1 : 0 })
    const next = (index + 1) % durations.length
    this.#blink = this.#options.clock.after(durations[index] ?? 0, () => this.#step(durations, next))
  }

  #stopBlinking(): void {
    this.#blink?.()
    this.#blink = null
  }

  #want(drive: Drive): void {
    const same = drive.level !== undefined && drive.level === this.#wanted.level
    if (!same) this.#wanted = drive
    // The same again changes nothing where it is so already, and is a reason to try again where it is not.
    if (same && this.#isDriven()) return
    this.#interrupt.abort()
    this.#interrupt = new AbortController()
  }

  /** Holds what is wanted, for as long as the output is not let go. */
  async #keep(): Promise<void> {
    while (!this.#letGo.signal.aborted) {
      const interrupt = this.#interrupt.signal
      try {
        await this.#hold(this.#wanted)
      } catch (cause) {
        const fault = isFault(cause) ? cause : new Fault("broken", messageOf(cause), { cause })
        // A no is an answer; a tool that died is not, it is started again first.
        if (fault.definite) for (const { reject } of [...this.#waiting]) reject(fault)
        if (!this.#letGo.signal.aborted) await this.#backOff.wait(fault.message, interrupt)
      }
    }
    for (const { reject } of [...this.#waiting]) reject(this.#closed())
  }

  /**
   * Resolves, with the line let go, once something else is wanted.
   * @throws Fault: definite if the kernel or the tool says no; indefinite if the tool was ended.
   */
  async #hold(drive: Drive): Promise<void> {
    const { tools, chip, clock } = this.#options
    const pins = [this.#pin]
    const args = drive.durations
      ? holdPattern(chip.name, this.#pin, drive.durations)
      : holdLevel(chip.version, chip.name, this.#pin, drive.level)
    this.#backOff.started()
    // Not interrupted by another write: what was begun is shown, or a fast pattern would never be seen.
    const held = await holdLines(tools, clock, chip, { tool: "gpioset", args, pins }, this.#letGo.signal)
    try {
      await this.#until(held, drive)
    } finally {
      this.#proven = null
      await held.tool.stop()
    }
  }

  /** Resolves once something else is wanted. @throws Fault: why the gpioset ended. */
  async #until({ tool, pins }: HeldLines, drive: Drive): Promise<void> {
    const ended = tool.ended.then((end) => ({ end }))
    // It may have died since it was granted its line.
    await inputHeard()
    this.#proven = { drive, tool }
    if (this.#isDriven()) for (const { resolve } of [...this.#waiting]) resolve()
    while (drive === this.#wanted && !this.#letGo.signal.aborted) {
      const over = new AbortController()
      const outcome = await Promise.race([ended, aborted(this.#interrupt.signal, over.signal)])
      over.abort()
      if (!outcome) continue
      this.#proven = null
      this.#onLost()
      throw await faultOf(this.#options.tools, this.#options.chip, pins, outcome.end)
    }
  }

  #isDriven(): boolean {
    return this.#proven !== null && this.#proven.drive === this.#wanted && !this.#proven.tool.isGone()
  }

  #closed(): Fault {
    return new Fault("unavailable", `GPIO ${this.#pin}: closed`)
  }
}
