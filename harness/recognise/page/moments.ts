import type { Seconds } from "../../../firmware/units.ts"
import type { FilmResult, Moment } from "../result.ts"

/** More than a page is wide. */
const MOMENTS_MAX = 2_000
/** Of boxes that do not count: less is a guess at anything. */
const SCORE_MIN = 0.2

/** The film as a page can show it: of a long one, of each stretch the moment in which most is to be seen. */
export function forPage(film: FilmResult): FilmResult {
  const size = Math.ceil(film.moments.length / MOMENTS_MAX)
  const moments = film.moments
    .filter((_, index) => index % size === 0)
    .map((first, index) => {
      const stretch = film.moments.slice(index * size, (index + 1) * size)
      return stretch.reduce((a, b) => (interest(b) > interest(a) ? b : a), first)
    })
    .map((moment) => ({
      ...moment,
      boxes: moment.boxes?.filter(({ counts, score }) => counts || score >= SCORE_MIN) ?? null,
    }))
  return { ...film, moments }
}

const interest = (moment: Moment): number => 2 * bestOf(moment) + moment.motion.changed

const bestOf = ({ boxes }: Moment): number =>
  (boxes ?? []).reduce((best, { counts, score }) => (counts ? Math.max(best, score) : best), 0)

/** When the most is to be seen: the best box that counts, or else the middle of the first event. */
export function worthShowing({ moments, events }: FilmResult): Seconds {
  const shown = moments.reduce<Moment | null>((a, b) => (a && bestOf(a) >= bestOf(b) ? a : b), null)
  if (shown && bestOf(shown) > 0) return shown.at
  return events[0] ? (events[0].start + events[0].end) / 2 : 0
}

/** What the stages said last, at a time. */
export function momentAt(moments: readonly Moment[], at: Seconds): Moment | null {
  return moments.findLast((moment) => moment.at <= at + 1e-6) ?? moments[0] ?? null
}
