import { LABELS } from "../../firmware/recognise/count.ts"
import type { RunComparison } from "./compare.ts"
import { counted, duration, headline, ratio } from "./page/hero.ts"
import type { RecogniseRun } from "./result.ts"
import { precisionOf, recallOf, sumOf } from "./score.ts"

/** A run for a terminal. Names come from files, so nothing in them may steer the terminal. */
export function summaryText(run: RecogniseRun, compared: RunComparison | null): string {
  const { score, cost, films, pictures } = run
  const lines = [
    `${headline(run)[1]}.`,
    ...(score
      ? LABELS.map((label) => {
          const tally = sumOf([score.pictures.tallies, score.films.tallies])[label]
          const there = tally.right + tally.missed
          return `  ${label.padEnd(8)} ${tally.right} of ${there} found, ${tally.invented} invented; precision ${ratio(precisionOf(tally))}, recall ${ratio(recallOf(tally))}`
        })
      : []),
    ...(score && score.empty.pictures > 0
      ? [
          `  ${score.empty.falsePersons} false persons in ${counted(score.empty.pictures, "picture")} with nothing in it`,
        ]
      : []),
    ...(score && score.alone.seconds > 0
      ? [
          `  ${((score.alone.falsePersons * 3_600) / score.alone.seconds).toFixed(1)} false persons an hour: ${score.alone.falsePersons} in ${duration(score.alone.seconds)} of film with nobody there`,
        ]
      : []),
    `  ${counted(pictures.length, "picture")}, ${counted(films.length, "film")}${cost.wallSeconds > 0 ? ` (${duration(cost.filmSeconds)} in ${duration(cost.wallSeconds)})` : ""}`,
    `  a look ${cost.p50 === null ? "none, for there is no model" : `${cost.p50.toFixed(0)} ms (p95 ${cost.p95?.toFixed(0)} ms)`}; at most ${(cost.residentBytesMax / 1e6).toFixed(0)} MB`,
    ...(compared === null ? [] : comparedLines(compared)),
  ]
  return lines.map((line) => line.replace(/\p{Cc}/gu, "")).join("\n")
}

function comparedLines({ before, differences, common, tallies, isWorse }: RunComparison): readonly string[] {
  const judged = tallies === null ? "" : isWorse ? "; something is worse now" : "; nothing is worse now"
  return [
    `  against ${before.madeAt.slice(0, 16)}: ${differences.length} of ${counted(common, "common file")} differ${judged}`,
    ...differences.slice(0, 20).map((each) => `    ${each.file}: ${each.before} -> ${each.now}`),
  ]
}
