import type { CheckResult, Verdict } from "./check.ts"
import type { BoardFacts, SelfTestRecord } from "./record.ts"
import { CHECKS } from "./self-test.ts"

const NAME_WIDTH = Math.max(...CHECKS.map(({ name }) => name.length)) + 2
const VERDICT_WIDTH = "skipped".length + 2
const INDENT = VERDICT_WIDTH + NAME_WIDTH
const COLOURS: Readonly<Record<Verdict | "incomplete", number>> = {
  pass: 32,
  fail: 31,
  skipped: 33,
  incomplete: 33,
}

export interface Screen {
  write(text: string): unknown
  /** Characters a line; 0: no terminal, so nothing is overwritten, wrapped or coloured. */
  readonly columns: number
  readonly colours: boolean
}

/** The self-test as an aligned table that grows, with the line of what goes on at its end. */
export class Report {
  readonly #screen: Screen
  #unfinished = false

  constructor(screen: Screen) {
    this.#screen = screen
  }

  heading({ model, serial, operatingSystem, kernel, firmware }: BoardFacts): void {
    const system = `${operatingSystem}, ${kernel.split(" ")[0] ?? kernel}`
    this.#line(`${model}, serial number ${serial ?? "unknown"}; ${system}; obscura-camera ${firmware}\n`)
  }

  begin(name: string): void {
    if (this.#screen.columns === 0) return
    this.#screen.write(`${"...".padEnd(VERDICT_WIDTH)}${name}`)
    this.#unfinished = true
  }

  /** Of an operator's matter, between two lines. */
  tell(text: string): void {
    this.#line(`${" ".repeat(this.#screen.columns === 0 ? 0 : INDENT)}${text}`)
  }

  note(text: string): void {
    this.#line(text)
  }

  result({ verdict, name, why }: Pick<CheckResult, "verdict" | "name" | "why">): void {
    const head = this.#coloured(verdict, verdict.padEnd(VERDICT_WIDTH))
    this.#line(`${head}${name.padEnd(NAME_WIDTH)}${wrapped(why, this.#screen.columns)}`)
  }

  end({ verdict, checks }: Pick<SelfTestRecord, "verdict" | "checks">): void {
    const count = (kind: Verdict) => checks.filter((check) => check.verdict === kind).length
    const counts = `${count("pass")} passed, ${count("fail")} failed, ${count("skipped")} skipped`
    this.#line(`\n${this.#coloured(verdict, verdict)}: ${counts}`)
  }

  #line(text: string): void {
    if (this.#unfinished) this.#screen.write("\r\x1b[K")
    this.#unfinished = false
    this.#screen.write(`${text}\n`)
  }

  #coloured(verdict: keyof typeof COLOURS, text: string): string {
    return this.#screen.colours ? `\x1b[${COLOURS[verdict]}m${text}\x1b[0m` : text
  }
}

/** Words in lines that begin under one another. */
function wrapped(text: string, columns: number): string {
  const room = columns - INDENT
  if (columns === 0 || room < 20) return text
  const lines: string[] = []
  for (const word of text.split(" ")) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines.join(`\n${" ".repeat(INDENT)}`)
}
