import type { Label } from "../../firmware/ports.ts"
import type { FileTruth, Labels } from "./labels.ts"
import { fileNamed } from "./name-match.ts"
import type { FilmResult, PictureResult, Score } from "./result.ts"
import { matchEvents, NO_TALLIES, scorePresence, sumOf, type Tallies, timeWithout } from "./score.ts"

export interface Scored {
  readonly pictures: readonly PictureResult[]
  readonly films: readonly FilmResult[]
  readonly score: Score
  /** Files that the labels name and nobody gave. */
  readonly missing: readonly string[]
}

/**
 * Holds what was seen against what a person has said. `given`: all files that were to be looked at, for labels may
 * name what failed. Without a model pictures are not scored, and events are matched by their times alone.
 */
export function scoreRun(
  pictures: readonly PictureResult[],
  films: readonly FilmResult[],
  labels: Labels,
  given: readonly string[],
  hasModel: boolean,
): Scored {
  const missing: string[] = []
  const byFile = <T>(named: ReadonlyMap<string, T>): ReadonlyMap<string, T> =>
    new Map(
      [...named].flatMap(([name, truth]) => {
        const file = fileNamed(name, given)
        if (file === null) missing.push(name)
        return file === null ? [] : [[file, truth] as const]
      }),
    )
  const files = byFile(labels.files)
  const events = byFile(labels.events)

  const scoredPictures = pictures.map((picture) => {
    const truth = hasModel ? files.get(picture.file) : undefined
    if (!truth) return { picture, tallies: null }
    const told = { labels: [...truth.labels], ignore: [...truth.ignore] }
    return { picture: { ...picture, truth: told }, tallies: scorePresence(new Set(picture.labels), truth) }
  })
  const scoredFilms = films.map((film) =>
    scoreFilm(film, events.get(film.file), files.get(film.file), hasModel),
  )
  const tallied = (all: readonly { readonly tallies: Tallies | null }[]) =>
    all.flatMap(({ tallies }) => (tallies ? [tallies] : []))
  const empty = scoredPictures.filter(({ picture: { truth } }) => truth && truth.labels.length === 0)
  return {
    pictures: scoredPictures.map(({ picture }) => picture),
    films: scoredFilms.map(({ film }) => film),
    missing,
    score: {
      pictures: {
        labelled: tallied(scoredPictures).length,
        tallies: sumOf([NO_TALLIES, ...tallied(scoredPictures)]),
      },
      films: {
        labelled: tallied(scoredFilms).length,
        tallies: sumOf([NO_TALLIES, ...tallied(scoredFilms)]),
        unnamed: scoredFilms.reduce((all, { film }) => all + (film.match?.unnamed ?? 0), 0),
      },
      empty: {
        pictures: empty.length,
        falsePersons: empty.filter(({ picture }) => picture.labels.includes("person")).length,
      },
      alone: aloneOf(scoredFilms.map(({ film }) => film)),
    },
  }
}

function scoreFilm(
  film: FilmResult,
  events: FilmResult["truth"] | undefined,
  whole: FileTruth | undefined,
  hasModel: boolean,
): { readonly film: FilmResult; readonly tallies: Tallies | null } {
  // A film labelled as a whole, with what it shows: whether, not when.
  if (!events && whole && whole.labels.size > 0) {
    const found = new Set(film.events.flatMap(({ label }): Label[] => (label ? [label] : [])))
    return { film, tallies: hasModel ? scorePresence(found, whole) : null }
  }
  const truth = events ?? (whole ? [] : null)
  if (!truth) return { film, tallies: null }
  const match = matchEvents(film.events, truth, !hasModel)
  return { film: { ...film, truth, match }, tallies: match.tallies }
}

function aloneOf(films: readonly FilmResult[]): Score["alone"] {
  const labelled = films.flatMap(({ truth, events, seconds }) => (truth ? [{ truth, events, seconds }] : []))
  return {
    seconds: labelled.reduce((all, { truth, seconds }) => all + timeWithout("person", truth, seconds), 0),
    falsePersons: labelled.reduce(
      (all, { truth, events }) =>
        all +
        events.filter(
          ({ label, start, end }) =>
            label === "person" &&
            !truth.some((real) => real.label === "person" && real.start < end && real.end > start),
        ).length,
      0,
    ),
  }
}
