import { Fault } from "../../firmware/errors.ts"

/** One row, by its columns' names in lower case, and the line of the file that it begins on. */
export interface CsvRow {
  readonly line: number
  readonly cells: Readonly<Record<string, string>>
}

/**
 * CSV as RFC 4180 has it: quoted cells may hold commas, quotes and line ends. The first row names the columns; a byte
 * order mark, empty lines and spaces around cells are nothing. A row may be shorter than the header, never longer.
 * @throws Fault "malformed", definite, naming the line.
 */
export function readCsv(text: string): {
  readonly columns: readonly string[]
  readonly rows: readonly CsvRow[]
} {
  const [header, ...body] = [...recordsOf(text.replace(/^\ufeff/, ""))]
  if (!header) throw new Fault("malformed", "it is empty; its first line names the columns")
  const columns = header.cells.map((name) => name.toLowerCase())
  const doubled = columns.find((name, index) => columns.indexOf(name) !== index)
  if (doubled !== undefined)
    throw new Fault("malformed", `line 1: two columns are called ${JSON.stringify(doubled)}`)
  const rows = body.map(({ line, cells }) => {
    if (cells.length > columns.length)
      throw new Fault("malformed", `line ${line}: ${cells.length} cells, but ${columns.length} columns`)
    return { line, cells: Object.fromEntries(columns.map((name, index) => [name, cells[index] ?? ""])) }
  })
  return { columns, rows }
}

function* recordsOf(text: string): Generator<{ readonly line: number; readonly cells: readonly string[] }> {
  let line = 1
  let begun = 1
  let cells: string[] = []
  // A cell, quoted or not, and what ends it.
  const cell = /[^\S\n]*"((?:[^"]|"")*)"[^\S\n]*(,|\r?\n|$)|([^,\n]*)(,|\n|$)/y
  while (cell.lastIndex < text.length) {
    const [whole, quoted, quotedEnd, bare = "", bareEnd] = cell.exec(text) ?? [""]
    if (quoted === undefined && bare.includes('"'))
      throw new Fault("malformed", `line ${line}: a quote that does not begin or end a cell`)
    cells.push(quoted === undefined ? bare.trim() : quoted.replaceAll('""', '"'))
    line += whole.split("\n").length - 1
    const end = quotedEnd ?? bareEnd
    const isLast = cell.lastIndex >= text.length
    if (end === ",") {
      if (isLast) cells.push("")
      else continue
    }
    if (cells.some((each) => each !== "")) yield { line: begun, cells }
    cells = []
    begun = line
  }
}
