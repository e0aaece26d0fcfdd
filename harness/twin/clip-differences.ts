import { isFault, messageOf } from "../../firmware/errors.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { pictureOf } from "../owner/clip-note.ts"
import { type Fmp4, type Fmp4Sample, readFmp4 } from "../owner/fmp4.ts"
import { type Difference, NOTHING } from "./difference.ts"
import type { OpenedClip } from "./trace.ts"

/** Two clips are of the same event when they begin no further apart. */
const SAME_EVENT: Milliseconds = 2_000
/** Beyond that of one clip, it is said how many more there are. */
const LISTED_MAX = 20

/** Every clip as its owner opened it: bytes, pictures and their times, what its summary says. */
export function clipDifferences(
  expected: readonly OpenedClip[],
  got: readonly OpenedClip[],
  tolerance: Milliseconds,
): readonly Difference[] {
  const left = [...got]
  const found: Difference[] = []
  for (const [index, clip] of expected.entries()) {
    const where = `clip ${index + 1}`
    const other = takeNearest(left, clip.at)
    if (other) found.push(...bounded(oneClip(clip, other, where, tolerance), where))
    else found.push({ what: "clip", where, expected: spoken(clip), got: NOTHING })
  }
  for (const clip of left)
    found.push({ what: "clip", where: "besides", expected: NOTHING, got: spoken(clip) })
  return found
}

function takeNearest(clips: OpenedClip[], at: Milliseconds): OpenedClip | undefined {
  const apart = clips.map((clip) => Math.abs(clip.at - at))
  const nearest = apart.indexOf(Math.min(...apart))
  return (apart[nearest] ?? Infinity) <= SAME_EVENT ? clips.splice(nearest, 1)[0] : undefined
}

function spoken({ at, segments }: OpenedClip): string {
  return `one from ${(at / 1_000).toFixed(3)} s on with ${segments.length} segments`
}

function bounded(differences: readonly Difference[], where: string): readonly Difference[] {
  const more = differences.length - LISTED_MAX
  if (more <= 0) return differences
  const rest = { what: "more", where, expected: "no difference", got: `${more} more differences` }
  return [...differences.slice(0, LISTED_MAX), rest]
}

function oneClip(
  expected: OpenedClip,
  got: OpenedClip,
  where: string,
  tolerance: Milliseconds,
): readonly Difference[] {
  const found: Difference[] = []
  const differ = (what: string, place: string, left: unknown, right: unknown) => {
    if (left !== right) found.push({ what, where: place, expected: `${left}`, got: `${right}` })
  }
  differ("wholeness", where, expected.whole, got.whole)
  differ("segments", where, expected.segments.length, got.segments.length)
  for (const name of new Set([...Object.keys(expected.summary), ...Object.keys(got.summary)])) {
    const [left, right] = [expected.summary[name], got.summary[name]]
    // How long after the motion it began; events say so, too.
    const isNear = name === "startedAt" && Math.abs(Number(left) - Number(right)) <= tolerance
    if (!isNear) differ(`summary's ${name}`, where, left, right)
  }
  const films = [expected, got].map(({ segments }) => Buffer.concat(segments))
  const [left, right] = films
  if (left && right && !left.equals(right)) found.push(...filmDifferences(left, right, where))
  const thumbnails = [expected, got].map(({ thumbnail }) => (thumbnail ? Buffer.from(thumbnail) : null))
  const [small, other] = thumbnails
  // What its note says of the clip, the summary says as well.
  if (small && other) found.push(...byteDifference("thumbnail", where, pictureOf(small), pictureOf(other)))
  else differ("thumbnail", where, small ? "one" : NOTHING, other ? "one" : NOTHING)
  return found
}

/** Of two films that are not the same bytes. */
function filmDifferences(expected: Buffer, got: Buffer, where: string): readonly Difference[] {
  const left = readable(expected)
  const right = readable(got)
  if (typeof left === "string" || typeof right === "string")
    return [{ what: "film", where, expected: spokenFilm(left), got: spokenFilm(right) }]
  const found = pictureDifferences(left, right, where)
  // What no picture shows lies in a box: parameter sets, padding, an edit list.
  return found.length > 0 ? found : byteDifference("boxes", where, expected, got)
}

function readable(film: Buffer): Fmp4 | string {
  try {
    return readFmp4(film)
  } catch (error) {
    if (isFault(error, "malformed")) return messageOf(error)
    throw error
  }
}

function spokenFilm(film: Fmp4 | string): string {
  return typeof film === "string" ? film : `${film.samples.length} pictures`
}

function pictureDifferences(expected: Fmp4, got: Fmp4, where: string): readonly Difference[] {
  const found: Difference[] = []
  const count = Math.min(expected.samples.length, got.samples.length)
  if (expected.samples.length !== got.samples.length)
    found.push({
      ...{ what: "pictures", where },
      ...{ expected: `${expected.samples.length}`, got: `${got.samples.length}` },
    })
  for (let index = 0; index < count; index++) {
    const [left, right] = [expected.samples[index], got.samples[index]]
    if (!left || !right) continue
    const place = `${where}, picture ${index + 1}`
    found.push(...byteDifference("picture", place, Buffer.concat(left.nals), Buffer.concat(right.nals)))
    const shown = [shownAt(expected, left), shownAt(got, right)]
    if (shown[0] !== shown[1])
      found.push({
        ...{ what: "presentation time", where: place },
        ...{ expected: `${shown[0]} ticks`, got: `${shown[1]} ticks` },
      })
    else if (left.decodeTime !== right.decodeTime)
      found.push({
        ...{ what: "decoding time", where: place },
        ...{ expected: `${left.decodeTime} ticks`, got: `${right.decodeTime} ticks` },
      })
  }
  return found
}

function shownAt({ presentationStart }: Fmp4, { decodeTime, compositionOffset }: Fmp4Sample): number {
  return decodeTime + compositionOffset - presentationStart
}

/** Where the first byte differs, and how it does: bytes of a picture are not printed. */
function byteDifference(what: string, where: string, left: Buffer, right: Buffer): readonly Difference[] {
  if (left.equals(right)) return []
  let at = 0
  while (at < left.length && left[at] === right[at]) at++
  const said = ({ length }: Buffer) => `${length} bytes`
  const got =
    left.length === right.length ? `others from byte ${at} on` : `${said(right)}, others from byte ${at} on`
  return [{ what, where, expected: said(left), got }]
}
