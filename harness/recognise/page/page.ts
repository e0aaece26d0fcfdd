import { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { json, text } from "../../load/page/html.ts"
import type { RunComparison } from "../compare.ts"
import type { FilmResult, RecogniseRun } from "../result.ts"
import { comparedSection } from "./compared.ts"
import { filmSection, type Limits } from "./film.ts"
import { headline, hero } from "./hero.ts"
import { forPage, worthShowing } from "./moments.ts"
import { type Numbered, pictureCards, wrongsOf } from "./pictures.ts"
import { type Still, type Stills, sourceOf } from "./still.ts"
import { STYLE } from "./style.ts"
import { costTable, mistakesTable, settingsTable } from "./tables.ts"

/**
 * A run as one HTML file that needs nothing else. The user's own pictures are in it, made small: it is to lie where
 * they lie. Its policy lets it load nothing and run only its own script.
 */
export function recognisePage(
  run: RecogniseRun,
  stills: Stills,
  limits: Limits,
  compared: RunComparison | null,
): string {
  const scrub = readFileSync(new URL("./scrub.js", import.meta.url), "utf8")
  const films = run.films.map(forPage)
  const data = { films: films.map((film) => filmData(film, stills.get(film.file) ?? [])) }
  const pictures = run.pictures.map((picture, index) => ({ picture, index }))
  const wrong = pictures.filter(({ picture }) => wrongsOf(picture).length > 0)
  const other = pictures.filter(({ picture }) => wrongsOf(picture).length === 0)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policyFor(scrub)}">
<meta name="color-scheme" content="light dark">
<title>${text(`${headline(run)[1]} · obscura recognise`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${hero(run)}
${run.lacks.map((lack) => `<p class="band"><b>Missing here:</b> ${text(lack)}</p>`).join("\n")}
${problemsBand(run)}
${compared ? comparedSection(compared) : ""}
${films.map((film, index) => filmSection(film, index, stills.get(film.file) ?? [], limits)).join("\n")}
${picturesSection("Pictures that came out wrong", wrong, stills)}
${picturesSection(wrong.length > 0 ? "The other pictures" : "Pictures", other, stills)}
${run.score ? `<h2>False alarms and misses</h2>${mistakesTable(run)}` : ""}
<h2>What it cost</h2>
${costTable(run)}
<details><summary>Settings it was decided by</summary>
${settingsTable(run)}</details>
<p class="quiet small">This page holds small copies of your own pictures, in your own folder, and sends nothing anywhere. The numbers
alone, without pictures, are in recognise.json beside it.</p>
</main>
<script type="application/json" id="data">${json(data)}</script>
<script>${scrub}</script>
</body>
</html>
`
}

function filmData(film: FilmResult, stills: readonly Still[]) {
  const { seconds, moments, events, truth, verdicts } = film
  const start = worthShowing(film)
  return {
    ...{ seconds, moments, events, truth, verdicts, start },
    stills: stills.map((still) => ({ at: still.at, source: sourceOf(still) })),
  }
}

/** Of each kind: a page is to be looked at. */
const SHOWN_MAX = 300

function picturesSection(title: string, pictures: readonly Numbered[], stills: Stills): string {
  const more = pictures.length - SHOWN_MAX
  const rest = more > 0 ? `<p class="quiet">And ${more} more: recognise.json has them.</p>` : ""
  return pictures.length === 0
    ? ""
    : `<h2>${title} <small>${pictures.length}</small></h2>${pictureCards(pictures.slice(0, SHOWN_MAX), stills)}${rest}`
}

function problemsBand({ failures, warnings }: RecogniseRun): string {
  const lines = [...failures.map(({ reason }) => reason), ...warnings]
  if (lines.length === 0) return ""
  return `<div class="band"><b>Left out:</b><br>${lines.map((line) => text(line)).join("<br>")}</div>`
}

/** Styles may be inline, for bars have widths; pictures are part of the file; of scripts only ours, by its hash. */
function policyFor(script: string): string {
  const hash = createHash("sha256").update(script).digest("base64")
  return `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
}
