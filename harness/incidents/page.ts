import { text } from "../load/page/html.ts"
import { LOOK } from "../load/page/look.ts"
import type { Incident } from "./incident.ts"
import type { IncidentRun, Tried } from "./run.ts"
import {
  COUNTED,
  isBroken,
  isRight,
  leakOf,
  seenIn,
  spokenLeak,
  spokenVerdict,
  verdictOf,
} from "./verdict.ts"

/** One file that needs nothing else: no script, no font, no address. A run an incident and a way, in this order. */
export function incidentPage(runs: readonly IncidentRun[]): string {
  const [only] = runs.length === 1 ? runs : []
  const title = only ? only.incident.name : "obscura incidents"
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(title)}</title>
<style>${LOOK}${STYLE}</style>
</head>
<body>
<main>
${only ? "" : overviewOf(runs)}
${runs.map((run, at) => articleOf(run, runs[at - 1]?.incident !== run.incident)).join("\n")}
<p class="quiet">What ran is a model of each incident on obscura's own code, not on the products that are named. ${text(COUNTED)}</p>
</main>
</body>
</html>
`
}

function overviewOf(runs: readonly IncidentRun[]): string {
  const rows = [...new Set(runs.map(({ incident }) => incident))].map((incident) => {
    const cells = [false, true].map((unsafe) => {
      const run = runs.find((each) => each.incident === incident && each.unsafe === unsafe)
      if (!run) return "<td></td>"
      const said = unsafe && verdictOf(run) === "broke" ? `${spokenLeak(leakOf(run))} leaked` : verdictOf(run)
      return `<td><a class="${toneOf(run)}" href="#${idOf(run)}">${text(said)}</a></td>`
    })
    return `<tr><td>${text(incident.year)}</td><td class="long">${text(incident.title)}<small>${text(incident.name)}</small></td>${cells.join("")}<td>${text(incident.checks.join(" "))}</td></tr>`
  })
  return `<h1>What happened elsewhere, and here</h1>
<p>Each incident runs twice: on this source as it is, where every check must hold, and with what was wrong made again, where every check must find it.</p>
<div class="wide"><table><thead><tr><th></th><th>incident</th><th>as it is</th><th>with its mistakes</th><th>checks</th></tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>`
}

/** `tells`: the story, which is the same both ways. */
function articleOf(run: IncidentRun, tells: boolean): string {
  const { incident, unsafe, tried } = run
  const { name, title, year } = incident
  return `<article id="${idOf(run)}">
<header class="verdict ${toneOf(run)}">
<p class="quiet">${text(year)} · ${text(name)}${unsafe ? " · with what was wrong made again" : ""}</p>
<h1>${text(title)}</h1>
<p><b>${text(spokenVerdict(run))}</b></p>
</header>
${tells ? storyOf(incident) : ""}
<h2>${unsafe ? "What was made wrong again, and which check found it" : "What must be impossible, and what was found"}</h2>
<div class="wide"><table><thead><tr><th></th><th></th><th class="n">tries</th><th class="n">violations</th><th class="n">leaked</th><th></th></tr></thead>
<tbody>
${tried.map((each) => rowOf(each, unsafe)).join("\n")}
</tbody></table></div>
</article>`
}

function storyOf({ happened, source, wrong, scenario }: Incident): string {
  return `<h2>What happened</h2>
${happened.map((each) => `<p>${text(each)}</p>`).join("\n")}
<p class="quiet">Source: ${text(source)}.</p>
<h2>What was wrong</h2>
<p>${text(wrong)}</p>
<h2>What ran here</h2>
<p>${text(scenario)}</p>`
}

function rowOf(tried: Tried, unsafe: boolean): string {
  const { check, says, mistake, result } = tried
  const stuck = "stuck" in result
  const right = !stuck && isBroken(tried) === unsafe
  const [broke, held] = unsafe ? ["found", "not found"] : ["broke", "held"]
  const said = stuck ? "could not look" : isBroken(tried) ? broke : held
  const seen = seenIn(tried).map((line) => `<li>${text(line)}</li>`)
  const words = mistake ? `<b>${text(mistake.says)}</b><small>${text(says)}</small>` : text(says)
  const leak = leakOf({ tried: [tried] })
  const leaked = leak.clips + leak.frames === 0 ? "" : text(spokenLeak(leak))
  return `<tr><td><b>${text(check)}</b></td><td><b class="badge ${right ? "good" : "bad"}">${said}</b></td>
<td class="n">${stuck ? "" : result.tries.toLocaleString("en-US")}</td><td class="n">${stuck ? "" : result.violations.toLocaleString("en-US")}</td><td class="n">${leaked}</td>
<td class="long">${words}${seen.length === 0 ? "" : `<ul>${seen.join("")}</ul>`}${mistake ? patchesOf(mistake) : ""}</td></tr>`
}

/** The mistake itself, for whoever wants to see that it is one. */
function patchesOf({ id, patches }: NonNullable<Tried["mistake"]>): string {
  const changes = patches.map(
    ({ path, from, to }) =>
      `<p><code>${text(path)}</code></p><pre><del>${text(from)}</del>\n<ins>${text(to) || "(nothing)"}</ins></pre>`,
  )
  return `<details><summary>${text(id)}, as a change of the source</summary>${changes.join("")}</details>`
}

const idOf = ({ incident, unsafe }: IncidentRun): string => `${incident.name}${unsafe ? "-unsafe" : ""}`

/** A run with mistakes is right to break: it is drawn as what it is, and never in green. */
function toneOf(run: IncidentRun): string {
  return verdictOf(run) === "held" ? "good" : run.unsafe && isRight(run) ? "warn" : "bad"
}

const STYLE = `
article{margin-top:2.5rem}article:first-of-type{margin-top:1rem}
.verdict{--tone:var(--good);border-left:6px solid var(--tone);border-radius:10px;padding:.9rem 1.2rem;background:color-mix(in srgb,var(--tone) 12%,var(--paper))}
.verdict p{margin:.2rem 0 0}.verdict h1{color:var(--tone);overflow-wrap:anywhere}
.verdict.bad{--tone:var(--bad)}.verdict.warn{--tone:var(--warn)}
p{max-width:46rem}h2+p{margin-top:.25rem}
td.long{white-space:normal;min-width:16rem;overflow-wrap:anywhere}
td.n+td{padding-left:.75rem}
small{display:block;color:var(--quiet)}
td ul{margin:.25rem 0 0;padding-left:1.1rem;font-size:.88rem;color:var(--quiet)}
.badge{border-radius:5px;padding:.05rem .5rem;font-size:.8rem}
.good{color:var(--good)}.bad{color:var(--bad)}a.warn{color:var(--warn)}
.badge.good{background:color-mix(in srgb,var(--good) 14%,var(--paper))}.badge.bad{background:color-mix(in srgb,var(--bad) 14%,var(--paper))}
details{margin-top:.35rem;font-size:.88rem}summary{cursor:pointer;color:var(--quiet)}
pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.25rem 0;padding:.5rem;border:1px solid var(--line);border-radius:6px;font:12px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
del{color:var(--bad);text-decoration:none}del::before{content:"- "}ins{color:var(--good);text-decoration:none}ins::before{content:"+ "}
code{font:12px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media (max-width:40rem){main{padding:.75rem}}
@media print{article{break-inside:auto}}
`
