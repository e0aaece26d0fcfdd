import type { Label } from "../../../firmware/ports.ts"
import { LABELS } from "../../../firmware/recognise/count.ts"
import type { RecogniseRun, Score } from "../result.ts"
import { precisionOf, recallOf, sumOf, type Tally } from "../score.ts"

/** What came of it in one line, a mark for everything that was there or was said to be, and what it cost. */
export function hero(run: RecogniseRun): string {
  const [tone, words] = headline(run)
  const { pictures, films, score, model } = run
  const parts = [
    ...(pictures.length > 0 ? [counted(pictures.length, "picture")] : []),
    ...(films.length > 0 ? [`${counted(films.length, "film")}, ${duration(run.cost.filmSeconds)}`] : []),
    model ? `model ${model.name.replace(/[<>&"']/g, "")}` : "no model",
    run.madeAt.slice(0, 16).replace("T", " "),
  ]
  return `<header class="hero ${tone}"><h1>${words}</h1><p>${parts.join(" · ")}</p>
${score ? `<div class="units">${LABELS.map((label) => unitRow(run, label)).join("")}</div>` : ""}</header>
<div class="tiles">${tiles(run)
    .map(
      ([name, value, note]) =>
        `<div class="tile"><span>${name}</span><b>${value}</b><small>${note}</small></div>`,
    )
    .join("")}</div>`
}

export function headline(run: RecogniseRun): readonly [tone: "good" | "warn" | "none", words: string] {
  const { score, pictures, films } = run
  if (score && score.pictures.labelled + score.films.labelled > 0) {
    const all = Object.values(sumOf([score.pictures.tallies, score.films.tallies]))
    const missed = all.reduce((n, tally) => n + tally.missed, 0)
    const invented = all.reduce((n, tally) => n + tally.invented, score.films.unnamed)
    if (missed + invented === 0) return ["good", "Nothing missed, nothing invented"]
    return [
      "warn",
      `${missed === 0 ? "Nothing" : missed} missed, ${invented === 0 ? "nothing" : invented} invented`,
    ]
  }
  const events = films.reduce((n, film) => n + film.events.length, 0)
  const shown = pictures.filter(({ labels }) => labels.length > 0).length
  const said = [
    ...(films.length > 0 ? [events === 0 ? "nothing comes by" : counted(events, "event")] : []),
    ...(pictures.length > 0 ? [`something in ${shown} of ${counted(pictures.length, "picture")}`] : []),
  ].join(", ")
  return ["none", said === "" ? "Nothing could be looked at" : `${said[0]?.toUpperCase()}${said.slice(1)}`]
}

/** More are a bar with a number in it. */
const DOTS_MAX = 200

interface Mark {
  readonly kind: "right" | "missed" | "invented"
  readonly to: string
  readonly title: string
}

function unitRow(run: RecogniseRun, label: Label): string {
  const marks = marksOf(run, label)
  const rights = marks.filter(({ kind }) => kind === "right").length
  const shown = rights > DOTS_MAX ? marks.slice(rights).slice(0, DOTS_MAX) : marks
  const bar = rights > DOTS_MAX ? [`<span class="many">${rights}</span>`] : []
  const dots = shown.map(
    ({ kind, to, title }) =>
      `<a class="${kind}" href="#${to}" title="${title}" aria-label="${kind}">${kind === "invented" ? "×" : ""}</a>`,
  )
  const tally: Tally = {
    right: marks.filter(({ kind }) => kind === "right").length,
    invented: marks.filter(({ kind }) => kind === "invented").length,
    missed: marks.filter(({ kind }) => kind === "missed").length,
  }
  const there = tally.right + tally.missed
  return `<b class="${label}">${label}</b><div class="dots ${label}">${[...bar, ...dots].join("")}</div><span>${there === 0 ? "none there" : `<strong>${tally.right}</strong> of ${there} found`}${tally.invented > 0 ? `, <strong>${tally.invented}</strong> invented` : ""}; precision ${ratio(precisionOf(tally))}, recall ${ratio(recallOf(tally))}</span>`
}

/** One for each labelled picture or event in which `label` is, or was said to be: right ones first. */
function marksOf({ pictures, films }: RecogniseRun, label: Label): readonly Mark[] {
  const marks: Mark[] = []
  for (const [index, { truth, labels }] of pictures.entries()) {
    if (truth === null || truth.ignore.includes(label)) continue
    const [is, was] = [truth.labels.includes(label), labels.includes(label)]
    if (is || was)
      marks.push({
        kind: is && was ? "right" : is ? "missed" : "invented",
        to: `picture-${index}`,
        title: `picture ${index + 1}`,
      })
  }
  for (const [index, { truth, match, events }] of films.entries()) {
    if (truth === null || match === null) continue
    const mark = (kind: Mark["kind"], start: number) =>
      marks.push({ kind, to: `film-${index}`, title: `film ${index + 1} at ${start.toFixed(1)} s` })
    for (const [each, event] of truth.entries())
      if (event.label === label) mark(match.truth[each] === null ? "missed" : "right", event.start)
    for (const [each, event] of events.entries())
      if (event.label === label && match.found[each] === null) mark("invented", event.start)
  }
  const order = ["right", "missed", "invented"]
  return marks.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))
}

function tiles(run: RecogniseRun): readonly (readonly [name: string, value: string, note: string])[] {
  const { cost, score, model } = run
  const speed = cost.wallSeconds > 0 && cost.filmSeconds > 0 ? cost.filmSeconds / cost.wallSeconds : null
  return [
    ...(score ? falsePersons(score) : []),
    [
      "a look of the detector",
      cost.p50 === null ? "none" : `${cost.p50.toFixed(0)} ms`,
      cost.p95 === null ? "no model" : `p95 ${cost.p95.toFixed(0)} ms, of ${cost.looks}, on this machine`,
    ],
    [
      "memory, at most",
      `${(cost.residentBytesMax / 1e6).toFixed(0)} MB`,
      "this process: runtime, model, decoder and all",
    ],
    ...(speed === null
      ? []
      : [
          [
            "faster than it happened",
            `${speed.toFixed(speed < 10 ? 1 : 0)} ×`,
            `${duration(cost.filmSeconds)} in ${duration(cost.wallSeconds)}`,
          ] as const,
        ]),
    ...(model
      ? [["model", `${(model.bytes / 1e6).toFixed(1)} MB`, `SHA-256 ${model.sha256.slice(0, 12)}…`] as const]
      : []),
  ]
}

function falsePersons({ empty, alone }: Score): readonly (readonly [string, string, string])[] {
  const hours = alone.seconds / 3_600
  return [
    ...(empty.pictures === 0
      ? []
      : [
          [
            "persons in empty pictures",
            String(empty.falsePersons),
            `of ${counted(empty.pictures, "picture")} with nothing in it`,
          ] as const,
        ]),
    ...(alone.seconds === 0
      ? []
      : [
          [
            "persons invented per hour",
            (alone.falsePersons / hours).toFixed(1),
            `${alone.falsePersons} in ${duration(alone.seconds)} with nobody there`,
          ] as const,
        ]),
  ]
}

export const ratio = (value: number | null): string => (value === null ? "none" : value.toFixed(2))
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`

export function duration(seconds: number): string {
  if (seconds < 90) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  return seconds < 5_400 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3_600).toFixed(1)} h`
}
