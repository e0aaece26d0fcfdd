import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import type { Clock } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import type { Operator } from "./operator.ts"

const YES = /^(?:y|yes)$/i
const NO = /^(?:n|no)$/i

/**
 * An operator at a terminal, or a jig with an eye of its own on our standard input. What was typed before a question was
 * asked does not answer it.
 */
export class TerminalOperator implements Operator {
  readonly #clock: Clock
  readonly #say: (text: string) => void
  readonly #close: () => void
  #hear: (line: string) => void = () => undefined
  #leave: () => void = () => undefined
  #gone = false

  constructor(input: Readable, clock: Clock, say: (text: string) => void) {
    this.#clock = clock
    this.#say = say
    const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })
    lines.on("line", (line) => this.#hear(line.trim()))
    lines.on("close", () => {
      this.#gone = true
      this.#leave()
    })
    this.#close = () => lines.close()
  }

  tell(text: string): void {
    this.#say(text)
  }

  ask(question: string, within: Milliseconds, signal: AbortSignal): Promise<boolean | null> {
    this.#say(`${question} [y/n]`)
    return new Promise((resolve) => {
      const settle = (answer: boolean | null) => {
        cancel()
        signal.removeEventListener("abort", leave)
        this.#hear = () => undefined
        this.#leave = () => undefined
        resolve(answer)
      }
      const leave = () => settle(null)
      const cancel = this.#clock.after(within, leave)
      signal.addEventListener("abort", leave)
      this.#leave = leave
      this.#hear = (line) => {
        if (YES.test(line)) settle(true)
        else if (NO.test(line)) settle(false)
        else this.#say("y for yes, n for no:")
      }
      if (signal.aborted || this.#gone) leave()
    })
  }

  /** Lets go of the input, or the process would wait for it. */
  close(): void {
    this.#close()
  }
}
