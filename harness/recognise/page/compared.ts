import { LABELS } from "../../../firmware/recognise/count.ts"
import { text } from "../../load/page/html.ts"
import type { RunComparison } from "../compare.ts"

/** This run against an earlier one: counts side by side, then each file of which they say different things. */
export function comparedSection({ before, common, differences, tallies, isWorse }: RunComparison): string {
  const what = `${before.madeAt.slice(0, 16).replace("T", " ")}, ${before.model?.name ?? "no model"}`
  const conclusion =
    tallies === null ? "not both are scored" : isWorse ? "something is worse now" : "nothing is worse now"
  const sums =
    tallies === null
      ? ""
      : `<div class="wide"><table><thead><tr><th></th><th class="n">found</th><th class="n">missed</th><th class="n">invented</th></tr></thead><tbody>${LABELS.map(
          (label) =>
            `<tr><td>${label}</td>${(["right", "missed", "invented"] as const)
              .map(
                (count) =>
                  `<td class="n">${changed(tallies.before[label][count], tallies.now[label][count], count === "right")}</td>`,
              )
              .join("")}</tr>`,
        ).join("")}</tbody></table></div>`
  const rows = differences.map(
    (each) => `<tr><td>${text(each.file)}</td><td>${text(each.before)}</td><td>${text(each.now)}</td></tr>`,
  )
  const files =
    rows.length === 0
      ? '<p class="quiet">They say the same of every file.</p>'
      : `<div class="wide"><table><thead><tr><th>file</th><th>before</th><th>now</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`
  return `<h2>Against the run before <small>${text(what)}; ${common} files in common; ${conclusion}</small></h2>
${sums}${files}`
}

function changed(before: number, now: number, moreIsBetter: boolean): string {
  if (before === now) return String(now)
  const tone = now > before === moreIsBetter ? "good" : "bad"
  return `${before} → <b style="color:var(--${tone})">${now}</b>`
}
