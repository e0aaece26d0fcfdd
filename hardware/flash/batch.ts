import { Fault, messageOf } from "../../firmware/errors.ts"
import { parseHostname, parseLabel, parseSerial } from "./card.ts"

/** One card of a batch. */
export interface BatchRow {
  readonly serial: string
  readonly hostname: string | null
  readonly label: string | null
}

const COLUMNS = ["serial", "hostname", "label"] as const
const ROWS_MAX = 10_000

/**
 * A CSV (RFC 4180) whose first line names its columns: `serial`, and maybe `hostname` and `label`.
 * @throws Fault "usage", definite, naming file and line; also for a serial or host name that is there twice.
 */
export function parseBatch(text: string, file: string): readonly BatchRow[] {
  const records = parseCsv(text.replace(/^\uFEFF/, ""), file)
  const [head, ...rows] = records
  if (!head) throw new Fault("usage", `${file}: is empty; its first line is serial,hostname,label`)
  const columns = head.fields.map((name) => name.trim().toLowerCase())
  const unknown = columns.find((name) => !COLUMNS.some((column) => column === name))
  if (unknown !== undefined || !columns.includes("serial") || new Set(columns).size < columns.length)
    throw new Fault(
      "usage",
      `${file}:1: the columns are serial, hostname and label, each once; serial is needed`,
    )
  if (rows.length === 0) throw new Fault("usage", `${file}: names no card`)
  if (rows.length > ROWS_MAX) throw new Fault("usage", `${file}: more than ${ROWS_MAX} cards`)
  const seen = new Map<string, number>()
  return rows.map(({ fields, line }) => {
    if (fields.length !== columns.length)
      throw new Fault(
        "usage",
        `${file}:${line}: ${fields.length} fields where the first line has ${columns.length}`,
      )
    const row = located(file, line, () => rowOf(columns, fields))
    for (const key of [`serial ${row.serial.toLowerCase()}`, row.hostname && `host name ${row.hostname}`]) {
      if (!key) continue
      if (seen.has(key)) throw new Fault("usage", `${file}:${line}: ${key} is in line ${seen.get(key)} too`)
      seen.set(key, line)
    }
    return row
  })
}

function rowOf(columns: readonly string[], fields: readonly string[]): BatchRow {
  const field = (name: string) => fields[columns.indexOf(name)]?.trim() || null
  const hostname = field("hostname")
  const label = field("label")
  return {
    serial: parseSerial(field("serial") ?? ""),
    hostname: hostname === null ? null : parseHostname(hostname),
    label: label === null ? null : parseLabel(label),
  }
}

function located<T>(file: string, line: number, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw new Fault("usage", `${file}:${line}: ${messageOf(cause)}`, { cause })
  }
}

interface CsvRecord {
  readonly fields: readonly string[]
  /** Where it begins, from 1. */
  readonly line: number
}

/** Records without the empty lines. */
function parseCsv(text: string, file: string): readonly CsvRecord[] {
  const records: CsvRecord[] = []
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r?\n|$)/y
  let fields: string[] = []
  let line = 1
  let start = 1
  while (field.lastIndex < text.length || fields.length > 0) {
    const found = field.exec(text)
    if (!found) throw new Fault("usage", `${file}:${line}: a quote is where none can be`)
    const [whole, quoted, plain = "", end] = found
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'))
    line += whole.split("\n").length - 1
    if (end === ",") continue
    if (fields.length > 1 || fields[0]?.trim()) records.push({ fields, line: start })
    fields = []
    start = line
  }
  return records
}
