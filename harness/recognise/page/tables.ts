import { LABELS } from "../../../firmware/recognise/count.ts"
import { text } from "../../load/page/html.ts"
import type { FilmResult, RecogniseRun } from "../result.ts"
import { MATCH_WITHIN, precisionOf, recallOf, sumOf } from "../score.ts"
import { clock } from "./film.ts"
import { ratio } from "./hero.ts"
import { wrongsOf } from "./pictures.ts"

interface Mistake {
  readonly to: string
  readonly file: string
  readonly when: string
  readonly what: string
  readonly why: string
}

/** Everything that was invented or missed, with what the camera said there instead. */
export function mistakesTable(run: RecogniseRun): string {
  const { score } = run
  if (!score) return ""
  const mistakes = [
    ...run.films.flatMap((film, index) => filmMistakes(film, index)),
    ...run.pictures.flatMap((picture, index) =>
      wrongsOf(picture).map((what) => ({
        ...{ to: `picture-${index}`, file: picture.file, when: "", what },
        why: seenIn(picture.boxes),
      })),
    ),
  ]
  const rows = mistakes.map(
    ({ to, file, when, what, why }) =>
      `<tr><td><a href="#${to}">${text(file)}</a></td><td class="n">${when}</td><td>${what}</td><td>${text(why)}</td></tr>`,
  )
  const all = sumOf([score.pictures.tallies, score.films.tallies])
  const sums = LABELS.map((label) => {
    const tally = all[label]
    const cells = [
      tally.right,
      tally.missed,
      tally.invented,
      ratio(precisionOf(tally)),
      ratio(recallOf(tally)),
    ]
    return `<tr><td>${label}</td>${cells.map((cell) => `<td class="n">${cell}</td>`).join("")}</tr>`
  })
  return `<div class="wide"><table><thead><tr><th></th><th class="n">found</th><th class="n">missed</th><th class="n">invented</th><th class="n">precision</th><th class="n">recall</th></tr></thead><tbody>${sums.join("")}</tbody></table></div>
${rows.length === 0 ? '<p class="quiet">None.</p>' : `<div class="wide"><table><thead><tr><th>file</th><th class="n">when</th><th>what</th><th>what was said there</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`}
<p class="quiet small">A picture counts once for each label. An event counts as found when the camera's has its label and begins and ends within ${MATCH_WITHIN} s of it.</p>`
}

function filmMistakes(
  { file, events, truth, match, verdicts }: FilmResult,
  index: number,
): readonly Mistake[] {
  if (!truth || !match) return []
  const span = ({ start, end }: { start: number; end: number }) => `${clock(start)} to ${clock(end)}`
  const missed = truth.flatMap((event, each) => {
    if (match.truth[each] !== null) return []
    const near = events.filter(({ start, end }) => start < event.end && end > event.start)
    const dropped = verdicts.find(
      ({ woken, keep }) => !keep && woken >= event.start - 1 && woken <= event.end,
    )
    const why =
      near.length > 0
        ? near.map((other) => `${other.label ?? "moves"}, ${span(other)}`).join("; ")
        : dropped
          ? `dropped at ${clock(dropped.at)} by ${dropped.by}`
          : "nothing woke it"
    return [{ to: `film-${index}`, file, when: span(event), what: `${event.label} missed`, why }]
  })
  const invented = events.flatMap((event, each) => {
    if (match.found[each] !== null) return []
    const near = truth.filter(({ start, end }) => start < event.end && end > event.start)
    const why =
      near.length === 0
        ? "nothing is there"
        : near.map((real) => `there is: ${real.label}, ${span(real)}`).join("; ")
    return [
      { to: `film-${index}`, file, when: span(event), what: `${event.label ?? "motion"} invented`, why },
    ]
  })
  return [...missed, ...invented]
}

function seenIn(boxes: readonly { label: string; score: number; counts: boolean }[]): string {
  const said = boxes
    .slice(0, 4)
    .map(
      ({ label, score, counts }) => `${label} ${Math.round(score * 100)}${counts ? "" : " (does not count)"}`,
    )
  return said.length === 0 ? "nothing" : said.join(", ")
}

export function costTable({ cost, model, films }: RecogniseRun): string {
  const ms = (value: number | null) => (value === null ? "none" : `${value.toFixed(0)} ms`)
  const rows = [
    ["a look of the detector, median and p95", `${ms(cost.p50)}, ${ms(cost.p95)}`],
    ["looks", String(cost.looks)],
    ["memory of this process, at most", `${(cost.residentBytesMax / 1e6).toFixed(0)} MB`],
    ["films", `${cost.filmSeconds.toFixed(0)} s in ${cost.wallSeconds.toFixed(1)} s`],
    ["pictures of films that were looked at", String(films.reduce((n, film) => n + film.pictures, 0))],
    ["model", model ? `${text(model.name)}, ${model.bytes} bytes, SHA-256 ${model.sha256}` : "none"],
  ]
  return `<div class="wide"><table><tbody>${rows.map(([name, value]) => `<tr><th>${name}</th><td>${value}</td></tr>`).join("")}</tbody></table></div>`
}

export function settingsTable({ settings }: RecogniseRun): string {
  const rows = Object.entries(settings).map(
    ([name, value]) => `<tr><th>${text(name)}</th><td>${text(JSON.stringify(value))}</td></tr>`,
  )
  return `<div class="wide"><table><tbody>${rows.join("")}</tbody></table></div>`
}
