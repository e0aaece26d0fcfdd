import { KiB } from "../../firmware/units.ts"
import { percent } from "./price.ts"
import { type PriceReport, quickRounds } from "./report.ts"

/** The report as one picture that needs nothing else: SVG 1.1 with the reader's own fonts. */
export function priceChart(report: PriceReport): string {
  const drawing = new Drawing()
  drawing.heading("CPU seconds for a GB of video, camera to bucket")
  drawing.legend([
    ["cameras", CAMERAS],
    ["broker, ingest and bucket", BROKER],
  ])
  const longest = Math.max(
    ...report.sizes.flatMap(({ variants }) => variants.map(({ cpuSecondsPerGB: { both } }) => both)),
  )
  for (const { objectBytes, variants } of report.sizes) {
    drawing.caption(`objects of ${objectBytes / KiB} KiB`)
    for (const {
      name,
      cpuSecondsPerGB: { cameras, broker, both },
    } of variants)
      drawing.bar(
        name,
        [
          { length: cameras / longest, color: CAMERAS },
          { length: broker / longest, color: BROKER },
        ],
        both.toFixed(1),
      )
  }
  drawing.heading("Sealing’s share of one core while a camera records")
  drawing.legend([
    ["measured on this machine", HERE],
    ["estimate, no Pi was measured", ESTIMATE],
  ])
  const shares = report.shares.map(({ bitsPerSecond, sealingHere, estimates }) => ({
    caption: `camera at ${bitsPerSecond / 1e6} Mbit/s`,
    bars: [
      { name: "here", value: sealingHere, color: HERE },
      ...estimates.map(({ model, sealing }) => ({ name: model, value: sealing, color: ESTIMATE })),
    ],
  }))
  const largest = Math.max(...shares.flatMap(({ bars }) => bars.map(({ value }) => value)))
  for (const { caption, bars } of shares) {
    drawing.caption(caption)
    for (const { name, value, color } of bars)
      drawing.bar(name, [{ length: value / largest, color }], percent(value))
  }
  drawing.note(
    report.quick
      ? `${report.machine}; ${quickRounds(report.rounds)}: these are no measurements`
      : `${report.machine}; medians of ${report.rounds} rounds`,
  )
  return drawing.svg("What encryption costs", report.sentence)
}

const CAMERAS = "#2f6f9f"
const BROKER = "#e0a030"
const HERE = "#2f6f9f"
const ESTIMATE = "#a9c4d8"

const WIDTH = 760
const MARGIN = 24
const BAR_LEFT = 130
const BAR_WIDTH = 540
const BAR_HEIGHT = 16
const BAR_STEP = 22

interface BarPart {
  /** Of the longest bar, 0 to 1. */
  readonly length: number
  readonly color: string
}

/** From top to bottom. */
class Drawing {
  readonly #parts: string[] = []
  #y = -12

  heading(text: string): void {
    this.#y += 52
    this.#text(MARGIN, text, 'font-size="17" font-weight="600"')
    this.#y += 8
  }

  legend(entries: readonly (readonly [string, string])[]): void {
    this.#y += 18
    let x = MARGIN
    for (const [name, color] of entries) {
      this.#parts.push(`<rect x="${x}" y="${this.#y - 10}" width="12" height="12" fill="${color}"/>`)
      this.#text(x + 18, name, 'font-size="13" fill="#555"')
      x += 40 + name.length * 7
    }
    this.#y += 4
  }

  caption(text: string): void {
    this.#y += 26
    this.#text(MARGIN, text, 'font-size="13" fill="#555"')
    this.#y += 4
  }

  bar(name: string, parts: readonly BarPart[], value: string): void {
    this.#y += BAR_STEP
    this.#text(BAR_LEFT - 10, name, 'font-size="13" text-anchor="end"')
    let x = BAR_LEFT
    for (const { length, color } of parts) {
      const width = Math.max(0, length) * BAR_WIDTH
      this.#parts.push(
        `<rect x="${x.toFixed(1)}" y="${this.#y - 13}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${color}"/>`,
      )
      x += width
    }
    this.#text(x + 8, value, 'font-size="13"')
  }

  note(text: string): void {
    this.#y += 40
    this.#text(MARGIN, text, 'font-size="12" fill="#555"')
  }

  svg(title: string, description: string): string {
    const height = this.#y + MARGIN
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" ` +
        'font-family="system-ui, sans-serif" fill="#1a1a1a" role="img">',
      `<title>${escaped(title)}</title>`,
      `<desc>${escaped(description)}</desc>`,
      `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
      ...this.#parts,
      "</svg>",
      "",
    ].join("\n")
  }

  #text(x: number, text: string, attributes: string): void {
    this.#parts.push(`<text x="${x.toFixed(1)}" y="${this.#y}" ${attributes}>${escaped(text)}</text>`)
  }
}

export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
}
