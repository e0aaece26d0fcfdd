import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { Label } from "../../firmware/ports.ts"
import { LABELS } from "../../firmware/recognise/count.ts"
import { type FilmEvent, type RecogniseRun, SCHEMA } from "./result.ts"
import { NO_TALLIES, scorePresence, sumOf, type Tallies } from "./score.ts"

/** What of an earlier run is read again; anything may have written it. */
const label = z.enum(["person", "animal", "vehicle"])
const tally = z.object({ right: z.number(), invented: z.number(), missed: z.number() })
const tallies = z.object({ person: tally, animal: tally, vehicle: tally })
const truth = z.object({ labels: z.array(label).readonly(), ignore: z.array(label).readonly() }).nullable()
const earlierShape = z.object({
  schema: z.literal(SCHEMA),
  madeAt: z.string().max(40),
  model: z.object({ name: z.string(), sha256: z.string() }).nullable(),
  pictures: z.array(z.object({ file: z.string(), labels: z.array(label).readonly(), truth })).readonly(),
  films: z
    .array(
      z.object({
        file: z.string(),
        events: z.array(z.object({ start: z.number(), end: z.number(), label: label.nullable() })).readonly(),
        match: z.object({ tallies }).nullable(),
      }),
    )
    .readonly(),
  cost: z.object({ p50: z.number().nullable(), residentBytesMax: z.number() }),
})
export type EarlierRun = z.output<typeof earlierShape>

/** One file of which the two runs say different things. */
export interface Difference {
  readonly file: string
  readonly before: string
  readonly now: string
}

export interface RunComparison {
  readonly before: EarlierRun
  readonly now: RecogniseRun
  /** Files that both have looked at. */
  readonly common: number
  readonly differences: readonly Difference[]
  /** Of labelled files that both have looked at; null: there is none. */
  readonly tallies: { readonly before: Tallies; readonly now: Tallies } | null
  /** Of scored runs: something more is missed or invented now. */
  readonly isWorse: boolean
}

/** `path`: the folder of a run, or its recognise.json. @throws Fault "usage" or "malformed", definite, naming it. */
export async function readEarlier(path: string): Promise<EarlierRun> {
  try {
    const file = (await stat(path)).isDirectory() ? join(path, "recognise.json") : path
    const result = earlierShape.safeParse(JSON.parse(await readFile(file, "utf8")))
    if (result.success) return result.data
    const issue = result.error.issues[0]
    throw new Fault(
      "malformed",
      `${file}: not a run of obscura recognise (${issue?.path.join(".") || "value"}: ${issue?.message ?? "wrong"})`,
    )
  } catch (cause) {
    if (isFault(cause)) throw cause
    throw new Fault("usage", `${path}: no earlier run can be read there (${messageOf(cause)})`, { cause })
  }
}

export function compareRuns(before: EarlierRun, now: RecogniseRun): RunComparison {
  const said = new Map<string, string>()
  for (const { file, labels } of before.pictures) said.set(file, labelsInWords(labels))
  for (const { file, events } of before.films) said.set(file, eventsInWords(events))
  const saidNow = [
    ...now.pictures.map(({ file, labels }) => [file, labelsInWords(labels)] as const),
    ...now.films.map(({ file, events }) => [file, eventsInWords(events)] as const),
  ]
  const common = saidNow.flatMap(([file, words]) => {
    const earlier = said.get(file)
    return earlier === undefined ? [] : [{ file, before: earlier, now: words }]
  })
  const both = commonTallies(before, now)
  const flaws = (of: Tallies) => LABELS.flatMap((each) => [of[each].missed, of[each].invented])
  const earlierFlaws = both ? flaws(both.before) : []
  const isWorse = both !== null && flaws(both.now).some((count, index) => count > (earlierFlaws[index] ?? 0))
  return {
    ...{ before, now, common: common.length, tallies: both, isWorse },
    differences: common.filter((each) => each.before !== each.now),
  }
}

type Talliable = Pick<EarlierRun, "pictures" | "films">

function commonTallies(before: EarlierRun, now: RecogniseRun): RunComparison["tallies"] {
  const [a, b] = [tallied(before), tallied(now)]
  const files = [...b.keys()].filter((file) => a.has(file))
  const sum = (of: ReadonlyMap<string, Tallies>) => sumOf(files.map((file) => of.get(file) ?? NO_TALLIES))
  return files.length === 0 ? null : { before: sum(a), now: sum(b) }
}

/** By file, of those that are labelled. */
function tallied({ pictures, films }: Talliable): ReadonlyMap<string, Tallies> {
  const all = new Map<string, Tallies>()
  for (const { file, labels, truth: told } of pictures)
    if (told) {
      const known = { labels: new Set(told.labels), ignore: new Set(told.ignore) }
      all.set(file, scorePresence(new Set(labels), known))
    }
  for (const { file, match } of films) if (match) all.set(file, match.tallies)
  return all
}

function labelsInWords(labels: readonly Label[]): string {
  return labels.length === 0 ? "nothing" : [...labels].sort().join(", ")
}

/** To half a second: a picture earlier or later is no difference worth a line. */
function eventsInWords(events: readonly Pick<FilmEvent, "start" | "end" | "label">[]): string {
  const half = (seconds: number) => (Math.round(seconds * 2) / 2).toFixed(1)
  return events.length === 0
    ? "nothing"
    : events.map(({ start, end, label: name }) => `${name ?? "moves"} ${half(start)}-${half(end)}`).join(", ")
}
