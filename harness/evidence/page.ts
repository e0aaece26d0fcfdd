import { text } from "../load/page/html.ts"
import { LOOK } from "../load/page/look.ts"
import { countsOf, type EvidenceDocument, RESULTS } from "./document.ts"
import type { Proven, ProvisionEvidence, StandardEvidence } from "./results.ts"

const HASH_SHOWN = 12

/** One file that needs nothing else: no script, no font, no address. */
export function evidencePage(document: EvidenceDocument): string {
  const { run, program, mutants, standards } = document
  const facts: readonly (readonly [string, string])[] = [
    ["run", `${run.scenario}, ${run.cameras} cameras, exit code ${run.exitCode}`],
    ["seed", `${run.seed}`],
    ["repeats it", run.command],
    ["commit", run.commit],
    ["firmware", run.firmware ?? "the report does not say"],
    [
      "program",
      program
        ? `${program.sha256} ${program.name}`
        : "not built: these sources are not known to be those that ran",
    ],
    [
      "mistakes",
      mutants
        ? 'from "obscura mutants --json"'
        : 'not given: "obscura mutants --json" makes them, and runs the other checks',
    ],
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>obscura evidence</title>
<style>${LOOK}${STYLE}</style>
</head>
<body>
<main>
<h1>What this run shows, by provision</h1>
<p>Titles are short words of ours, not the documents' own. A provision that is held is held as far as its checks reach; this is evidence for whoever assesses, not an assessment.</p>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${text(value)}</dd>`).join("")}</dl>
${overviewOf(standards)}
${standards.map(sectionOf).join("\n")}
<p class="quiet">"In npm test": looked at by tests at every submission, not in a run. "Not run": there is a check, and nothing of it was given. Firmware: SHA-256 of the camera's sources, its first ${HASH_SHOWN} digits.</p>
</main>
</body>
</html>
`
}

function overviewOf(standards: readonly StandardEvidence[]): string {
  const rows = standards.map((standard) => {
    const counts = countsOf(standard)
    return `<tr><td>${text(standard.title)}</td>${RESULTS.map((each) => `<td class="n">${counts[each]}</td>`).join("")}</tr>`
  })
  return `<div class="wide"><table><thead><tr><th>provisions</th>${RESULTS.map((each) => `<th class="n">${each}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>`
}

function sectionOf({ title, provisions }: StandardEvidence): string {
  return `<h2>${text(title)}</h2>
<div class="wide"><table><thead><tr><th>provision</th><th></th><th>check</th><th class="n">tries</th><th class="n">violations</th><th class="n">mistakes found</th><th class="n">seed</th><th>firmware</th></tr></thead>
<tbody>
${provisions.map(rowsOf).join("\n")}
</tbody></table></div>`
}

function rowsOf({ id, title, result, note, proofs }: ProvisionEvidence): string {
  const head = `<td class="long" rowspan="${Math.max(1, proofs.length)}"><b>${text(id)}</b> ${text(title)}${note === null ? "" : `<small>${text(note)}</small>`}</td>`
  const [first, ...rest] = proofs
  if (!first)
    return `<tr>${head}<td>${badge(result)}</td><td class="quiet" colspan="6">nothing here checks it</td></tr>`
  return [`<tr>${head}${cellsOf(first)}</tr>`, ...rest.map((proof) => `<tr>${cellsOf(proof)}</tr>`)].join(
    "\n",
  )
}

function cellsOf({ kind, name, says, result, tries, violations, mistakes, seed, firmware }: Proven): string {
  const number = (value: number | null) =>
    `<td class="n">${value === null ? "" : value.toLocaleString("en-US")}</td>`
  const found = mistakes === null ? "" : `${mistakes.found} of ${mistakes.of}`
  const what =
    kind === "tests" ? `<code>${text(name)}</code>` : `<b>${text(name)}</b><small>${text(says)}</small>`
  return `<td>${badge(result)}</td><td class="long">${what}</td>${number(tries)}${number(violations)}<td class="n">${found}</td><td class="n">${seed ?? ""}</td><td>${firmware === null ? "" : `<code>${text(firmware.slice(0, HASH_SHOWN))}</code>`}</td>`
}

function badge(result: string): string {
  const tone =
    result === "held" ? "good" : result === "failed" ? "bad" : result === "no check" ? "none" : "other"
  return `<b class="badge ${tone}">${text(result)}</b>`
}

const STYLE = `
main{max-width:72rem}
dl{display:grid;grid-template-columns:auto 1fr;gap:.1rem .9rem;margin:1rem 0}dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
td.long{white-space:normal;min-width:13rem;overflow-wrap:anywhere}small{display:block;color:var(--quiet)}
code{font:12px/1.45 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.badge{--own:var(--quiet);border-radius:5px;padding:.05rem .5rem;font-size:.8rem;color:var(--own);background:color-mix(in srgb,var(--own) 14%,var(--paper))}
.badge.good{--own:var(--good)}.badge.bad{--own:var(--bad)}.badge.none{--own:var(--warn)}
@media print{main{max-width:none}tr{break-inside:avoid}td,th{white-space:normal}}
`
