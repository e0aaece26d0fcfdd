import type { Progress } from "../recognise/run.ts"

export interface ProgressLine {
  show(progress: Progress): void
  /** Nothing of it stays on the terminal. Harmless twice. */
  clear(): void
}

const EVERY_MS = 100

/** One line that is written over on a terminal; anywhere else a line for each file. */
export function progressLine(to: NodeJS.WriteStream): ProgressLine {
  let last = 0
  let shown = ""
  return {
    show(progress) {
      const line = lineOf(progress)
      if (!to.isTTY) {
        if (progress.at === null) to.write(`${line}\n`)
        return
      }
      if (performance.now() - last < EVERY_MS) return
      last = performance.now()
      shown = line.slice(0, Math.max(10, (to.columns || 80) - 1))
      to.write(`\r\u001b[K${shown}`)
    },
    clear() {
      if (to.isTTY && shown !== "") to.write("\r\u001b[K")
      shown = ""
    },
  }
}

function lineOf({ file, done, all, at, of }: Progress): string {
  const name = file.replace(/\p{Cc}/gu, "")
  const within =
    at === null ? "" : of ? ` ${Math.min(100, Math.floor((at / of) * 100))} %` : ` ${at.toFixed(0)} s`
  return `${done + 1} of ${all}: ${name}${within}`
}
