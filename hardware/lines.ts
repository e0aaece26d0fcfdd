import type { Readable } from "node:stream"

/** No line that a tool means for us is longer. */
const CHARACTERS_MAX = 500

/** Lines without their ends and the blanks before them; of a long one the beginning. The last needs no end. */
export function eachLine(stream: Readable, onLine: (line: string) => void): void {
  let line = ""
  stream.setEncoding("utf8")
  stream.on("data", (text: string) => {
    const [rest = "", ...next] = text.split("\n")
    line += rest.slice(0, CHARACTERS_MAX - line.length)
    for (const begun of next) {
      onLine(line.trimEnd())
      line = begun.slice(0, CHARACTERS_MAX)
    }
  })
  stream.on("end", () => {
    if (line !== "") onLine(line.trimEnd())
  })
}
