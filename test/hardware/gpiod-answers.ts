import { renameSync, rmSync, writeFileSync } from "node:fs"

/** What anybody may know of a line. */
export interface LineKnown {
  readonly name: string
  readonly direction: "input" | "output"
  readonly consumer: string | null
  readonly bias: string | null
  readonly edges: string | null
}

export interface Answers {
  readonly label: string
  readonly lineCount: number
  readonly lines: readonly LineKnown[]
  /** Processes that hold lines. The answer is out of date once one of them is gone. */
  readonly holders: readonly number[]
}

/**
 * Writes what gpiodetect, and version 1's gpioinfo, print into files beside `socket`, whole or not at all: those stand-ins
 * run so often that they are shells, which start in a fraction of the time. null: they have to ask the kernel.
 */
export function writeAnswers(socket: string, answers: Answers | null): void {
  for (const name of ["chips", "lines"] as const) {
    const file = `${socket}.${name}`
    if (!answers) rmSync(file, { force: true })
    else {
      const text =
        name === "chips" ? chipText(answers) : `${answers.holders.join(" ")}\n${lineText(answers.lines)}`
      writeFileSync(`${file}.new`, `${text}\n`)
      renameSync(`${file}.new`, file)
    }
  }
}

function chipText({ label, lineCount }: Answers): string {
  return `gpiochip0 [${label}] (${lineCount} lines)`
}

/** As gpioinfo of version 1 prints it. */
export function lineText(lines: readonly LineKnown[]): string {
  const rows = lines.map(({ name, direction, consumer, bias }, offset) => {
    const who = consumer === null ? "unused" : `"${consumer}"`
    const flags = consumer === null ? "" : `[used${bias ? ` ${bias}` : ""}]`
    const place = `\tline ${String(offset).padStart(3)}: ${`"${name}"`.padStart(12)} ${who.padStart(12)}`
    return `${place} ${direction.padStart(8)} ${"active-high".padStart(11)} ${flags}`
  })
  return [`gpiochip0 - ${lines.length} lines:`, ...rows].join("\n")
}
