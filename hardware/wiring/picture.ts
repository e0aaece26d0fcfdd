import type { CameraConfig } from "../../firmware/config.ts"
import { HEADER, type HeaderPin, labelOf, rowOf } from "./header.ts"
import { type Part, partsFor, type Terminal } from "./parts.ts"
import { symbolOf } from "./symbols.ts"

// All in SVG units. The header stands at the left with its names beside it, the parts at the right; between them each
// wire has a lane of its own, so that wires cross but never lie on each other.
const WIDTH = 940
const TOP = 112
const PITCH = 34
const INNER_X = 236
const EDGE_X = INNER_X + PITCH
const LANES_X = 318
const LANE = 17
const PARTS_X = 640
const PART_WIDTH = 280
const PART_GAP = 8
/** With it no terminal comes where a wire leaves the header, all of which is at whole multiples of HALF. */
const TERMINAL_PITCH = 21
const HALF = PITCH / 2
const LEGEND = 96

/** Of a wire's supply; a signal has its part's own. */
const SUPPLY_COLOURS: Readonly<Record<HeaderPin["carries"], string>> = {
  "5 V": "#d62020",
  "3.3 V": "#e87f00",
  ground: "#222222",
  GPIO: "#999999",
}

/** Which wire goes where, as an SVG picture, from the same configuration that the camera reads. */
export function wiringPicture(pins: CameraConfig["pins"]): string {
  const parts = placed(partsFor(pins))
  const wires = laned(parts)
  const used = new Map(wires.map((wire) => [wire.pin.number, wire.colour]))
  const bottom = Math.max(TOP + 20 * PITCH, ...parts.map(({ y, height }) => y + height)) + 20
  const height = bottom + LEGEND
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="DejaVu Sans, Verdana, sans-serif" font-size="13" fill="#222">`,
    `<title>Wires of an obscura camera</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#fff"/>`,
    text(24, 38, "Which wire goes where", 'font-size="22" font-weight="bold"'),
    text(24, 62, "The 40-pin header with the SD card's end up and the USB ports down, seen from above."),
    text(24, 82, "Switch the Pi off before you touch a wire."),
    ...header(used),
    ...wires.map(drawnWire),
    ...parts.map(drawnPart),
    ...legend(bottom, parts),
    "</svg>",
  ].join("\n")}\n`
}

interface PlacedPart extends Part {
  readonly y: number
  readonly height: number
}

/** Begin where pins do, so that terminals come between: see `terminalY`. */
function placed(parts: readonly Part[]): PlacedPart[] {
  const heights = parts.map(({ terminals }) => 52 + terminals.length * TERMINAL_PITCH)
  const spare = 20 * PITCH - heights.reduce((sum, height) => sum + height, 0)
  const gap = Math.min(40, Math.max(PART_GAP, spare / parts.length))
  let y = TOP
  return parts.map((part, i) => {
    const height = heights[i] ?? 0
    const at = y
    y = TOP + Math.ceil((y + height + gap - TOP) / HALF) * HALF
    return { ...part, y: at, height }
  })
}

interface Wire {
  readonly pin: HeaderPin
  readonly colour: string
  readonly to: number
  readonly lane: number
}

/** Of wires that go down, the lowest is leftmost; of wires that go up, the highest: so most do not cross. */
function laned(parts: readonly PlacedPart[]): Wire[] {
  const wires = parts.flatMap((part) =>
    part.terminals.map((terminal, i) => ({
      pin: terminal.pin,
      colour: colourOf(terminal, part),
      to: terminalY(part, i),
    })),
  )
  const from = ({ pin }: { readonly pin: HeaderPin }) => leaves(pin)
  const down = wires.filter((wire) => wire.to >= from(wire)).sort((a, b) => from(b) - from(a))
  const up = wires.filter((wire) => wire.to < from(wire)).sort((a, b) => from(a) - from(b))
  return [...up, ...down].map((wire, i) => ({ ...wire, lane: LANES_X + i * LANE }))
}

function colourOf({ pin }: Terminal, { colour }: Part): string {
  return pin.carries === "GPIO" ? colour : SUPPLY_COLOURS[pin.carries]
}

function pinY(pin: HeaderPin): number {
  return TOP + rowOf(pin) * PITCH + HALF
}

function isInner({ number }: HeaderPin): boolean {
  return number % 2 === 1
}

/** At which height its wire leaves the header: one of the inner row passes between two pins of the edge. */
function leaves(pin: HeaderPin): number {
  return isInner(pin) ? pinY(pin) + HALF : pinY(pin)
}

function terminalY({ y }: { readonly y: number }, index: number): number {
  return y + 3 * HALF + 5 + index * TERMINAL_PITCH
}

function header(used: ReadonlyMap<number, string>): string[] {
  return [
    `<rect x="${INNER_X - HALF - 3}" y="${TOP - 3}" width="${2 * PITCH + 6}" height="${20 * PITCH + 6}" rx="4" fill="#3c3f45"/>`,
    ...HEADER.flatMap((pin) => {
      const x = isInner(pin) ? INNER_X : EDGE_X
      const y = pinY(pin)
      const fill = used.get(pin.number) ?? "#d9c27a"
      const ink = used.has(pin.number) ? "#fff" : "#222"
      const label = `${labelOf(pin)}`
      const weight = used.has(pin.number) ? ' font-weight="bold"' : ' fill="#777"'
      const labelX = isInner(pin) ? INNER_X - 118 : INNER_X - 28
      return [
        pin.number === 1
          ? `<rect x="${x - 11}" y="${y - 11}" width="22" height="22" fill="${fill}"/>`
          : `<circle cx="${x}" cy="${y}" r="11" fill="${fill}"/>`,
        text(x, y + 4, String(pin.number), `font-size="11" text-anchor="middle" fill="${ink}"`),
        text(labelX, y + 4, label, `font-size="12" text-anchor="end"${weight}`),
      ]
    }),
    text(INNER_X - 118, TOP - 10, "inner row", 'font-size="11" text-anchor="end" fill="#777"'),
    text(INNER_X - 28, TOP - 10, "board's edge", 'font-size="11" text-anchor="end" fill="#777"'),
  ]
}

function drawnWire({ pin, colour, to, lane }: Wire): string {
  const y = leaves(pin)
  const start = isInner(pin)
    ? `M${INNER_X + 9} ${pinY(pin) + 6}L${INNER_X + HALF} ${y}`
    : `M${EDGE_X + 11} ${y}`
  const path = `${start}H${lane}V${to}H${PARTS_X}`
  const common = `d="${path}" fill="none" stroke-linejoin="round"`
  return `<path ${common} stroke="#fff" stroke-width="7"/><path ${common} stroke="${colour}" stroke-width="3"/>`
}

function drawnPart(part: PlacedPart): string {
  const { y, height, name, note, terminals, colour } = part
  return [
    `<rect x="${PARTS_X}" y="${y}" width="${PART_WIDTH}" height="${height}" rx="6" fill="#f6f7f9" stroke="#8a8f98"/>`,
    text(PARTS_X + 16, y + 21, name, 'font-weight="bold"'),
    text(PARTS_X + 16, y + 38, note, 'font-size="11" fill="#555"'),
    symbolOf(part.symbol, PARTS_X + PART_WIDTH - 44, y + height / 2 + 8, colour),
    ...terminals.flatMap((terminal, i) => {
      const at = terminalY(part, i)
      return [
        `<circle cx="${PARTS_X}" cy="${at}" r="5" fill="${colourOf(terminal, part)}"/>`,
        text(
          PARTS_X + 16,
          at + 4,
          `${terminal.name}: pin ${terminal.pin.number}, ${labelOf(terminal.pin)}`,
          'font-size="12"',
        ),
      ]
    }),
  ].join("\n")
}

function legend(y: number, parts: readonly PlacedPart[]): string[] {
  const supplies = (["5 V", "3.3 V", "ground"] as const).map((name) => ({
    name,
    colour: SUPPLY_COLOURS[name],
  }))
  const entries = [...supplies, ...parts.map(({ name, colour }) => ({ name, colour }))]
  return entries.flatMap(({ name, colour }, i) => {
    const x = 24 + (i % 4) * 228
    const at = y + 20 + Math.floor(i / 4) * 26
    return [
      `<path d="M${x} ${at}h34" stroke="${colour}" stroke-width="4"/>`,
      text(x + 44, at + 4, name, 'font-size="12"'),
    ]
  })
}

function text(x: number, y: number, content: string, attributes = ""): string {
  const escaped = content.replace(/&/g, "&amp;").replace(/</g, "&lt;")
  return `<text x="${x}" y="${y}"${attributes && ` ${attributes}`}>${escaped}</text>`
}
