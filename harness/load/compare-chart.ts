import type { Seconds } from "../../firmware/units.ts"

/** One column of a series. */
export interface Curve {
  readonly at: readonly Seconds[]
  /** As many; null: nothing was measured. */
  readonly values: readonly (number | null)[]
}

interface Point {
  readonly at: Seconds
  readonly value: number
}

/** Points without a gap between them. */
type Stretch = readonly [Point, ...Point[]]

const WIDTH = 480
const HEIGHT = 200
const LEFT = 46
const RIGHT = 10
const TOP = 8
const BOTTOM = 22
/** More points than this share a pixel; of those the highest is drawn, for peaks are what one looks for. */
const POINTS_MAX = 400
/** A file may hold any number; what is out of reach of any run is drawn at the edge. */
const VALUE_MAX = 1e15
const TIME_MAX: Seconds = 1e9

/** Two runs over each other, from their first second on: A dashed, B solid. @param caption HTML. */
export function overlaidChart(caption: string, a: Curve, b: Curve): string {
  const [first, second] = [reachable(a), reachable(b)]
  const until = Math.max(1, lastOf(first), lastOf(second))
  const top = roundUp(Math.max(peakOf(first), peakOf(second)))
  const x = (at: Seconds) => LEFT + (at / until) * (WIDTH - LEFT - RIGHT)
  const y = (value: number) => HEIGHT - BOTTOM - (value / top) * (HEIGHT - TOP - BOTTOM)
  const levels = [0, 0.25, 0.5, 0.75, 1].map((share) => {
    const height = y(share * top).toFixed(1)
    const line = `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${height}" y2="${height}"/>`
    return `${line}<text x="${LEFT - 6}" y="${height}" dy="4" text-anchor="end">${short(share * top)}</text>`
  })
  const times = [0, 0.5, 1].map((share) => {
    const anchor = share === 0 ? "start" : share === 1 ? "end" : "middle"
    return `<text x="${x(share * until).toFixed(1)}" y="${HEIGHT - 6}" text-anchor="${anchor}">${short(share * until)} s</text>`
  })
  return `<figure>
<figcaption>${caption} <span class="key"><b class="a">- - A</b> <b class="b">— B</b></span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${caption}: A and B">
${levels.join("")}${times.join("")}
${drawn("a", stretchesOf(first, until), x, y)}
${drawn("b", stretchesOf(second, until), x, y)}
</svg>
</figure>`
}

/** A point between two gaps has no line to show it: it is a dot. */
function drawn(
  side: "a" | "b",
  stretches: readonly Stretch[],
  x: (at: Seconds) => number,
  y: (value: number) => number,
): string {
  let path = ""
  let dots = ""
  for (const [first, ...rest] of stretches) {
    const [left, top] = [x(first.at).toFixed(1), y(first.value).toFixed(1)]
    if (rest.length === 0) dots += `<circle class="dot ${side}" cx="${left}" cy="${top}" r="3"/>`
    else
      path += `M${left} ${top}${rest.map(({ at, value }) => `L${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join("")}`
  }
  return `<path class="line ${side}" d="${path}"/>${dots}`
}

/** Where nothing was measured the line breaks off. */
function stretchesOf(curve: Curve, until: Seconds): readonly Stretch[] {
  const stretches: [Point, ...Point[]][] = []
  let last: [Point, ...Point[]] | null = null
  for (const point of thinned(curve, until)) {
    if (point === null) last = null
    else if (last !== null) last.push(point)
    else {
      last = [point]
      stretches.push(last)
    }
  }
  return stretches
}

/** Of slots that share a pixel one; null: a gap. */
function thinned({ at, values }: Curve, until: Seconds): readonly (Point | null)[] {
  const width = until / POINTS_MAX
  const points: (Point | null)[] = []
  let bin = -1
  for (const [slot, time] of at.entries()) {
    const value = values[slot] ?? null
    const last = points.at(-1)
    const here = Math.floor(time / width)
    if (here === bin && last) {
      if (value !== null && value > last.value) points[points.length - 1] = { at: last.at, value }
      continue
    }
    bin = here
    points.push(value === null ? null : { at: time, value })
  }
  return points
}

function reachable({ at, values }: Curve): Curve {
  const within = (number: number, most: number) => Math.min(most, Math.max(0, number))
  return {
    at: at.map((time) => within(time, TIME_MAX)),
    values: values.map((value) => (value === null ? null : within(value, VALUE_MAX))),
  }
}

function lastOf({ at }: Curve): Seconds {
  return at.reduce((last, time) => Math.max(last, time), 0)
}

function peakOf({ values }: Curve): number {
  return values.reduce((peak: number, value) => Math.max(peak, value ?? 0), 0)
}

/** To 1, 2, 2.5, 5 or 10 times a power of ten, so that the levels are numbers one can read. */
function roundUp(peak: number): number {
  if (peak < 1e-9) return 1
  const power = 10 ** Math.floor(Math.log10(peak))
  return ([1, 2, 2.5, 5].find((step) => step * power >= peak) ?? 10) * power
}

function short(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 4 })
}
