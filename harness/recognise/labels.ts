import { Fault } from "../../firmware/errors.ts"
import type { Label } from "../../firmware/ports.ts"
import { LABELS } from "../../firmware/recognise/count.ts"
import type { Seconds } from "../../firmware/units.ts"
import { readCsv } from "./csv.ts"

/** What is in one picture, or anywhere in one film. */
export interface FileTruth {
  readonly labels: ReadonlySet<Label>
  /** Right whether they are found or not. */
  readonly ignore: ReadonlySet<Label>
}

/** A stretch of a film in which something of `label` is in view, in seconds of the film. */
export interface LabelledEvent {
  readonly start: Seconds
  readonly end: Seconds
  readonly label: Label
}

/** What a person has said about files, by the names that they gave. */
export interface Labels {
  readonly files: ReadonlyMap<string, FileTruth>
  /** A film without events that is in here has none: nothing comes by. */
  readonly events: ReadonlyMap<string, readonly LabelledEvent[]>
  /** What was left out, and why: one line each. */
  readonly warnings: readonly string[]
}

const NAME_COLUMNS = ["file", "film", "image", "filename", "file_name", "path"]
const LABEL_COLUMNS = ["labels", "label", "class", "category"]
const NOTHING = new Set(["", "none", "nothing", "empty", "blank", "background"])
const OTHER_NAMES: Readonly<Record<string, Label>> = { human: "person", people: "person", car: "vehicle" }

/**
 * Labels as CSV: a row for a picture, `file,labels`, where labels are `person`, `animal`, `vehicle` or `none`, several
 * parted by `|` or `;`, and a column `ignore` of the same kind may follow; or a row for an event of a film,
 * `film,start,end,label` in seconds. One file may hold both: an event is what has a start. A film labelled `none`
 * without times shows nothing from its beginning to its end.
 * @throws Fault "malformed", definite, naming the line.
 */
export function labelsFromCsv(text: string): Labels {
  const { columns, rows } = readCsv(text)
  const name = columnOf(columns, NAME_COLUMNS, "the files")
  const label = columnOf(columns, LABEL_COLUMNS, "what is in them")
  const files = new Map<string, FileTruth>()
  const events = new Map<string, readonly LabelledEvent[]>()
  for (const { line, cells } of rows) {
    const file = cells[name] ?? ""
    if (file === "") throw new Fault("malformed", `line ${line}: no file is named`)
    const labels = labelsIn(cells[label] ?? "", line)
    const times = [cells.start ?? "", cells.end ?? ""]
    if (times.every((time) => time === "")) {
      const ignore = labelsIn(cells.ignore ?? "", line)
      if (files.has(file)) throw new Fault("malformed", `line ${line}: ${file} is labelled twice`)
      files.set(file, { labels, ignore })
      continue
    }
    const [start, end] = times.map(secondsOf)
    if (start === undefined || end === undefined || end <= start)
      throw new Fault(
        "malformed",
        `line ${line}: start and end are seconds of the film, as 12.5, the end after the start`,
      )
    const [one, another] = labels
    if (!one || another)
      throw new Fault("malformed", `line ${line}: an event has one label: person, animal or vehicle`)
    events.set(file, [...(events.get(file) ?? []), { start, end, label: one }])
  }
  return { files, events, warnings: [] }
}

function columnOf(columns: readonly string[], names: readonly string[], what: string): string {
  const found = names.find((name) => columns.includes(name))
  if (found === undefined)
    throw new Fault("malformed", `line 1: no column says ${what}; call it ${names.slice(0, 2).join(" or ")}`)
  return found
}

function labelsIn(text: string, line: number): ReadonlySet<Label> {
  const words = text.split(/[|;]/).map((word) => word.trim().toLowerCase())
  return new Set(
    words
      .filter((word) => !NOTHING.has(word))
      .map((word) => {
        const label = labelNamed(word)
        if (!label)
          throw new Fault(
            "malformed",
            `line ${line}: ${JSON.stringify(word.slice(0, 40))} is none of ${LABELS.join(", ")}, none`,
          )
        return label
      }),
  )
}

/** null: none of ours. */
export function labelNamed(word: string): Label | null {
  return LABELS.find((label) => label === word) ?? OTHER_NAMES[word] ?? null
}

/** Whether a category's name says that nothing is there. */
export const meansNothing = (word: string): boolean => NOTHING.has(word)

function secondsOf(text: string): Seconds | undefined {
  const value = Number(text)
  return text !== "" && Number.isFinite(value) && value >= 0 ? value : undefined
}
