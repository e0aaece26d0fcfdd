import { sightsOf } from "../../insider/sights.ts"
import { number } from "../compare-table.ts"
import { type Check, isBroken, type Leak } from "../privacy-shape.ts"
import type { Report } from "../report.ts"
import { text } from "./html.ts"
import { badge, table } from "./tables.ts"

/** Who tried to see what, what came of it, and what they learn all the same. Empty where no insiders tried. */
export function privacySection({ checks, insiders = [], leakage = [] }: Report): string {
  if (checks === undefined) return ""
  return `<h2>Who could see what</h2>
<p class="quiet hint">A row is somebody with access, a column what they would have had. Each number: times it was got, of tries.</p>
${matrixOf(checks, insiders)}
<h2>What must be impossible</h2>
${checksTable(checks)}
<h2>What insiders learn all the same</h2>
${leakageTable(leakage)}`
}

function matrixOf(
  checks: readonly Check[],
  insiders: readonly { readonly name: string; readonly has: string }[],
): string {
  const assets = [...new Set(checks.map(({ asset }) => asset))]
  const sights = sightsOf(checks)
  const who = insiders.filter(({ name }) => sights.some((sight) => sight.insider === name))
  const rows = who.map(({ name, has }) => {
    const cells = assets.map((asset) => {
      const sight = sights.find((each) => each.insider === name && each.asset === asset)
      if (!sight) return '<td class="none">·</td>'
      const { tries, violations } = sight
      const tone = isBroken(sight) ? "bad" : "good"
      const said = tries === 0 ? "not tried" : `${number(violations)} of ${number(tries)}`
      return `<td class="cell ${tone}"><b>${said}</b><small>${sight.checks.map(text).join(" ")}</small></td>`
    })
    return `<tr><th scope="row">${text(name)}<small>${text(has)}</small></th>${cells.join("")}</tr>`
  })
  const head = assets.map((asset) => `<th scope="col">${text(asset)}</th>`).join("")
  return `<div class="wide"><table class="matrix"><thead><tr><th></th>${head}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>`
}

function checksTable(checks: readonly Check[]): string {
  const sorted = [...checks].sort((a, b) => Number(isBroken(b)) - Number(isBroken(a)))
  return table({
    head: [
      ["", ""],
      ["", ""],
      ["tries", "n"],
      ["violations", "n"],
      ["with its mistake", "n"],
      ["what must be impossible", "long"],
    ],
    rows: sorted.map((check) => ({
      tone: isBroken(check) ? "bad" : "good",
      cells: [
        badge(!isBroken(check)),
        `<b>${text(check.id)}</b>`,
        ...[check.tries, check.violations].map(number),
        check.mutantViolations === null ? "not run" : number(check.mutantViolations),
        wordsOf(check),
      ],
    })),
    empty: "None was made.",
  })
}

function wordsOf({ says, incident, by, evidence }: Check): string {
  const seen =
    evidence.length === 0 ? "" : `<ul>${evidence.map((each) => `<li>${text(each)}</li>`).join("")}</ul>`
  const who = by.map(({ insider, tries }) => `${insider} ${number(tries)}`).join(", ")
  return `${text(says)} <small>(${text(incident)}; tries: ${text(who)})</small>${seen}`
}

function leakageTable(leakage: readonly Leak[]): string {
  return table({
    head: [
      ["measured", "n"],
      ["", ""],
      ["without looking", "n"],
      ["of", "n"],
      ["what", "long"],
    ],
    rows: leakage.map(({ what, value, unit, against, samples }) => ({
      tone: "",
      cells: [
        number(value),
        text(unit),
        against === null ? "" : number(against),
        number(samples),
        text(what),
      ],
    })),
    empty: "Nothing was measured.",
  })
}
