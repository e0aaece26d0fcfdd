import type { Label } from "../../../firmware/ports.ts"
import { LABELS } from "../../../firmware/recognise/count.ts"
import type { Seconds } from "../../../firmware/units.ts"
import { text } from "../../load/page/html.ts"
import type { LabelledEvent } from "../labels.ts"
import type { FilmEvent, FilmResult, Moment } from "../result.ts"
import { boxesOver } from "./boxes.ts"
import { momentAt, worthShowing } from "./moments.ts"
import { nearest, type Still, sourceOf } from "./still.ts"

/** Of the strip: as many as one can make out. */
const STRIP = 14

/** One film: its picture with boxes, and beneath it lanes over one axis of time; `scrub.js` moves through it. */
export function filmSection(
  film: FilmResult,
  index: number,
  stills: readonly Still[],
  limits: Limits,
): string {
  const { file, width, height, seconds, events, truth, match } = film
  const at = worthShowing(film)
  const first = nearest(stills, at)
  const speed =
    film.wallSeconds > 0 ? `, ${(seconds / film.wallSeconds).toFixed(0)} times as fast as it happened` : ""
  const asked = `${film.pictures} pictures looked at, the detector asked about ${film.asked}${speed}`
  return `<section class="film" id="film-${index}" style="--shape:${width}/${height}">
<h2>${text(file)} <small>${width} x ${height}, ${clock(seconds)}; ${asked}</small></h2>
<div class="screen"><div class="picture">${first ? `<img src="${sourceOf(first)}" alt="">` : ""}<div class="over">${boxesOver(momentAt(film.moments, first?.at ?? 0)?.boxes ?? [])}</div></div>
<div class="said"><span class="time">${clock(first?.at ?? 0)}</span><dl></dl><button type="button" hidden>play</button></div></div>
<div class="lanes" data-film="${index}" tabindex="0" aria-label="${text(`${file}, by time: arrow keys move`)}">
<span></span><div class="lane strip">${stripOf(stills, seconds)}</div>
${truth ? lane("truth", truth.map((event, each) => bar(event, seconds, `real${match && match.truth[each] === null ? " missed" : ""}`)).join("")) : ""}
${lane("camera", events.map((event, each) => bar(event, seconds, match && match.found[each] === null ? "invented" : "")).join(""))}
${lane("verdicts", verdictsOf(film))}
${lane("detector", scoresOf(film, limits), "tall")}
${lane("motion", motionOf(film), "tall")}
<span></span><div class="axis">${axisOf(seconds)}</div>
<div class="needle" hidden></div>
</div>
<div class="kinds">${kindsOf(film.moments)}</div>
</section>`
}

/** From which score on a box counts, by label: the dashed lines. */
export type Limits = Readonly<Record<Label, number>>

export function clock(seconds: Seconds): string {
  const whole = Math.floor(seconds)
  const tenths = Math.floor((seconds - whole) * 10 + 1e-6)
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}.${tenths}`
}

function lane(name: string, inside: string, size = ""): string {
  return `<span>${name}</span><div class="lane ${size}">${inside}</div>`
}

function stripOf(stills: readonly Still[], seconds: Seconds): string {
  const count = Math.min(STRIP, stills.length)
  return Array.from({ length: count }, (_, index) => {
    const still = nearest(stills, ((index + 0.5) * seconds) / count)
    return still ? `<img src="${sourceOf(still)}" alt="">` : ""
  }).join("")
}

function bar(event: LabelledEvent | FilmEvent, seconds: Seconds, kind: string): string {
  const { start, end, label } = event
  const says = `${label ?? "something that moves"}, ${clock(start)} to ${clock(end)}`
  const style = `left:${share(start, seconds)};width:${share(end - start, seconds)}`
  return `<i class="${label ?? ""} ${kind}" style="${style}" title="${text(says)}">${label ?? "moves"}</i>`
}

/** From being woken to being sure: a thin bar; dashed, where the clip was dropped. */
function verdictsOf({ verdicts, seconds }: FilmResult): string {
  return verdicts
    .map(({ woken, at, keep, label, by }) => {
      const says = `${clock(woken)}: ${keep ? `kept${label ? `, ${label}` : ""}` : "dropped"} by ${by} after ${(at - woken).toFixed(1)} s`
      const style = `left:${share(woken, seconds)};width:${share(Math.max(at - woken, seconds / 300), seconds)}`
      return `<i class="${keep ? (label ?? "") : "dropped"}" style="${style}" title="${text(says)}"></i>`
    })
    .join("")
}

/** The best score of each label at each look, and the limits. */
function scoresOf({ moments, seconds }: FilmResult, limits: Limits): string {
  const looks = moments.filter(({ boxes }) => boxes !== null)
  const lines = LABELS.flatMap((label) => {
    const best = looks.map(({ at, boxes }) => [at, bestOf(boxes ?? [], label)] as const)
    if (!best.some(([, score]) => score >= 0.1)) return []
    const bars = best.map(([at, score]) =>
      score > 0 ? `M${x(at, seconds)} 100V${(100 - score * 100).toFixed(1)}` : "",
    )
    const limit = 100 - limits[label] * 100
    return `<g class="${label}"><path class="score" d="${bars.join("")}"/><line class="limit" x1="0" x2="1000" y1="${limit}" y2="${limit}"/></g>`
  })
  return `<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">${lines.join("")}</svg>`
}

function bestOf(boxes: NonNullable<Moment["boxes"]>, label: Label): number {
  return boxes.reduce(
    (best, box) => (box.label === label && !box.thing ? Math.max(best, box.score) : best),
    0,
  )
}

/** How much of the picture is not what it was, on a scale of roots, for a visitor far away is a thousandth of it; below, what kind of motion that was. */
function motionOf({ moments, seconds }: FilmResult): string {
  const points = moments.map(
    ({ at, motion }) => `${x(at, seconds)} ${(80 - Math.sqrt(Math.min(1, motion.changed)) * 80).toFixed(1)}`,
  )
  const changes = moments.filter(({ motion }, index) => motion.kind !== moments[index - 1]?.motion.kind)
  const kinds = changes.map(({ at, motion }, index) => {
    const until = changes[index + 1]?.at ?? seconds
    return `<rect class="kind" x="${x(at, seconds)}" y="84" width="${x(until - at, seconds)}" height="16" fill="${colourOf(motion.kind)}"/>`
  })
  const area =
    points.length === 0
      ? ""
      : `<path class="area" d="M${x(moments[0]?.at ?? 0, seconds)} 80L${points.join("L")}L${x(moments.at(-1)?.at ?? 0, seconds)} 80Z"/>`
  return `<svg viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">${area}${kinds.join("")}</svg>`
}

const KINDS: Readonly<Record<string, string>> = {
  settling: "#cbd5e1",
  dark: "#475569",
  light: "#facc15",
  still: "#94a3b855",
  sway: "#65a30d",
  unsure: "#fda4af",
  moving: "#e11d48",
}

const colourOf = (kind: string): string => KINDS[kind] ?? "#e11d48"

function kindsOf(moments: readonly Moment[]): string {
  const kinds = [...new Set(moments.map(({ motion }) => motion.kind))]
  return kinds.map((kind) => `<span style="--kind:${colourOf(kind)}">${text(kind)}</span>`).join("")
}

function axisOf(seconds: Seconds): string {
  const steps = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200]
  const step = steps.find((each) => seconds / each <= 14) ?? 14_400
  const count = Math.floor((seconds * 0.97) / step)
  return Array.from(
    { length: count + 1 },
    (_, index) =>
      `<span style="left:${share(index * step, seconds)}">${clock(index * step).replace(/\.0$/, "")}</span>`,
  ).join("")
}

const share = (part: Seconds, whole: Seconds): string =>
  `${(whole > 0 ? Math.max(0, Math.min(1, part / whole)) * 100 : 0).toFixed(2)}%`
const x = (at: Seconds, whole: Seconds): string => (whole > 0 ? (at / whole) * 1_000 : 0).toFixed(1)
