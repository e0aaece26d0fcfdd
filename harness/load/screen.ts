import { stripVTControlCharacters } from "node:util"
import { type Milliseconds, seconds } from "../../firmware/units.ts"

/** One line of what is drawn anew; `tone` colours it where the terminal has colours. */
export interface Line {
  readonly text: string
  readonly tone: "plain" | "warning" | "bad"
}

/** Where things are shown: a terminal or a file. */
export type Output = Pick<NodeJS.WriteStream, "write"> &
  Partial<Pick<NodeJS.WriteStream, "isTTY" | "columns" | "rows" | "hasColors">>

/** More often only flickers. */
const REDRAW_EVERY: Milliseconds = 100
const COLUMNS = 80
const ROWS = 24
/** ECMA-48, select graphic rendition. */
const COLOURS = { warning: "\u001b[33m", bad: "\u001b[31m" } as const
const PLAIN = "\u001b[0m"

/** What a person sees while a run goes on: on a terminal one block that is drawn anew, elsewhere a line now and then. */
export class Screen {
  readonly #out: Output
  readonly #plainEvery: Milliseconds
  /** How many columns each line of the block took. */
  #drawn: readonly number[] = []
  #shownAt = Number.NEGATIVE_INFINITY

  constructor(out: Output, plainEvery: Milliseconds = seconds(5)) {
    this.#out = out
    this.#plainEvery = plainEvery
  }

  /** Whether it draws blocks. */
  get isLive(): boolean {
    return this.#out.isTTY === true
  }

  /** Of a block's lines; one column stays free, for a full one wraps on some terminals. */
  get columns(): number {
    return Math.max(20, (this.#out.columns || COLUMNS) - 1)
  }

  /** Of a block; the one below it has the cursor. */
  get rows(): number {
    return Math.max(2, (this.#out.rows || ROWS) - 1)
  }

  /** A line that stays. */
  say(line: string): void {
    this.#erase()
    this.#out.write(`${line}\n`)
  }

  /** The state of things: `block` on a terminal, `line` elsewhere, and not too often. */
  show(block: readonly (Line | string)[], line: string): void {
    const now = performance.now()
    if (now - this.#shownAt < (this.isLive ? REDRAW_EVERY : this.#plainEvery)) return
    this.#shownAt = now
    if (!this.isLive) {
      this.#out.write(`${line}\n`)
      return
    }
    this.#erase()
    const lines = block
      .slice(0, this.rows)
      .map((each) => (typeof each === "string" ? { text: each, tone: "plain" as const } : each))
      .map(({ text, tone }) => ({ text: [...printable(text)].slice(0, this.columns).join(""), tone }))
    this.#out.write(lines.map((each) => `${this.#coloured(each)}\n`).join(""))
    this.#drawn = lines.map(({ text }) => text.length)
  }

  /** The next state is shown at once. */
  nextPhase(): void {
    this.#erase()
    this.#shownAt = Number.NEGATIVE_INFINITY
  }

  #coloured({ text, tone }: Line): string {
    if (tone === "plain" || this.#out.hasColors?.() !== true) return text
    return `${COLOURS[tone]}${text}${PLAIN}`
  }

  #erase(): void {
    // A terminal that has become narrower since has wrapped what was drawn.
    const columns = this.#out.columns || COLUMNS
    const rows = this.#drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / columns)), 0)
    // ECMA-48: cursor up, then erase to the end of the screen.
    if (rows > 0) this.#out.write(`\u001b[${rows}A\u001b[J`)
    this.#drawn = []
  }
}

/** Names of scenarios and faults come from files: none of them steers the terminal. */
function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, "")
}

/** 12345 as 12,345. */
export function grouped(count: number): string {
  return count.toLocaleString("en-US")
}
