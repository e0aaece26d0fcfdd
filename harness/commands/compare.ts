import { writeFile } from "node:fs/promises"
import { Command, Option } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type Comparison, compareReports, isNothingCompared } from "../load/compare.ts"
import { comparisonPage } from "../load/compare-page.ts"
import { comparisonTable } from "../load/compare-table.ts"
import { readRun, type SavedRun } from "../load/saved-run.ts"
import { parsedBy } from "./options.ts"

interface CompareOptions {
  /** Percent. */
  readonly tolerance: number
  readonly json?: boolean
  readonly html?: string
}

const HELP = `
A is what was, B is what is asked about; each is a run's folder or a report.json. A metric may be worse by the tolerance;
by nothing at all clips_lost, strangers_let_in, the exit code, a threshold, an invariant. Runs on a machine that does other things too differ
by more than 10 %; a metric that was 0 and is worse now is beyond any tolerance.

Exit codes: 0 no regression; 1 a regression; 2 wrong call, a file that is no report, or nothing in common to compare.`

const PERCENT_MAX = 1_000

export function compareCommand(): Command {
  return new Command("compare")
    .description("compare two runs of a fleet, and fail on a regression")
    .argument("<a>", "folder or report.json of the run that was")
    .argument("<b>", "of the run that is asked about")
    .addOption(
      new Option("--tolerance <percent>", "by how much a metric may be worse: 10%")
        .argParser(parsedBy(parseTolerance))
        .default(10, "10%"),
    )
    .option("--json", "print the comparison as JSON instead of a table")
    .addOption(
      new Option(
        "--html <file>",
        "also write it as one page, with charts where both runs have a series.json",
      ).argParser(parsedBy(parsePageName)),
    )
    .addHelpText("after", HELP)
    .action(compare)
}

async function compare(left: string, right: string, options: CompareOptions): Promise<void> {
  const { tolerance, json, html } = options
  const [a, b] = [await readRun(left), await readRun(right)]
  const compared = compareReports(a.report, b.report, tolerance)
  const lost = [a.warning, b.warning].filter((warning) => warning !== null)
  const comparison = { ...compared, warnings: [...compared.warnings, ...lost] }
  const series = a.series !== null && b.series !== null ? { a: a.series, b: b.series } : null
  if (html !== undefined) await writePage(html, comparisonPage(comparison, a, b, tolerance, series))
  process.stdout.write(
    json ? jsonOf(comparison, a, b, tolerance) : `${comparisonTable(comparison, a, b, tolerance)}\n`,
  )
  if (comparison.regressions > 0) process.exitCode = 1
  else if (isNothingCompared(comparison)) process.exitCode = 2
}

/** Shape: obscura.comparison.v1 { tolerance, a, b: { path, scenario, … }, judged, regressions, warnings, metrics, verdicts }. */
function jsonOf(comparison: Comparison, a: SavedRun, b: SavedRun, tolerance: number): string {
  const side = ({ path, report: { scenario, seed, commit, cameras, exitCode } }: SavedRun) => ({
    path,
    scenario,
    seed,
    commit,
    cameras: cameras.asked,
    exitCode,
  })
  const whole = { schema: "obscura.comparison.v1", tolerance, a: side(a), b: side(b), ...comparison }
  return `${JSON.stringify(whole, null, 2)}\n`
}

/** @throws Fault "usage": not as in 10%. */
function parseTolerance(text: string): number {
  const [, digits] = /^(\d{1,4}(?:\.\d{1,6})?) ?%$/.exec(text) ?? []
  const percent = Number(digits)
  if (digits === undefined || percent > PERCENT_MAX)
    throw new Fault("usage", `it looks like 10%, from 0% to ${PERCENT_MAX}%.`)
  return percent
}

/** @throws Fault "usage": another kind of file, which would be gone: a report.json, say. */
function parsePageName(path: string): string {
  if (!/\.html?$/i.test(path)) throw new Fault("usage", "it looks like page.html.")
  return path
}

async function writePage(path: string, page: string): Promise<void> {
  try {
    await writeFile(path, page)
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be written (${messageOf(cause)}); choose another --html`, {
      cause,
    })
  }
}
