import { type Labelled, shortForm } from "./label-text.ts"

/** Millimetres: a common size of label for hand printers. */
const WIDTH = 62
const HEIGHT = 29
const CODE = 27
const EDGE = (HEIGHT - CODE) / 2
const TEXT_LEFT = EDGE + CODE + 1
const TEXT_WIDTH = WIDTH - TEXT_LEFT - 2

/** `modules` in rows, true is dark, with the quiet zone. The text is beside, for who has no reader. */
export function labelSvg(
  modules: readonly (readonly boolean[])[],
  { device, serial, model }: Labelled,
): string {
  const module = CODE / modules.length
  const lines = [
    text("obscura camera", 6, 3.2, "bold"),
    text(model.replace(/^Raspberry Pi /, "Pi "), 10, 2.2),
    ...(serial === null ? [] : [text("serial number", 14.2, 1.9), text(serial, 17, 2.6)]),
    text("id begins", 21.2, 1.9),
    text(shortForm(device), 24.4, 3),
  ]
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}mm" height="${HEIGHT}mm" viewBox="0 0 ${WIDTH} ${HEIGHT}">
<title>${escaped(`obscura camera ${device}`)}</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<path transform="translate(${EDGE} ${EDGE}) scale(${module.toFixed(5)})" fill="#000" shape-rendering="crispEdges" d="${pathOf(modules)}"/>
<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" fill="#000">
${lines.join("\n")}
</g>
</svg>
`
}

/** A rectangle for each run of dark modules in a row. */
function pathOf(modules: readonly (readonly boolean[])[]): string {
  const runs: string[] = []
  for (const [y, row] of modules.entries())
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue
      const from = x
      while (row[x + 1]) x++
      runs.push(`M${from} ${y}h${x + 1 - from}v1h-${x + 1 - from}z`)
    }
  return runs.join("")
}

/** A monospaced letter is 0.6 of its size wide; a long line is made smaller, so that it ends where the label does. */
function text(words: string, y: number, size: number, weight = "normal"): string {
  const fitting = Math.min(size, TEXT_WIDTH / (words.length * 0.61))
  return `<text x="${TEXT_LEFT}" y="${y}" font-size="${fitting.toFixed(2)}" font-weight="${weight}">${escaped(words)}</text>`
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)
}
