import { METRIC_NAMES, METRICS } from "./metrics.ts"
import type { Invariant, Report, ThresholdResult } from "./report.ts"
import { repeatLine } from "./summary.ts"

interface Case {
  readonly name: string
  /** null: it held. */
  readonly failure: string | null
}

/**
 * A report as CI servers read test results, one case for each threshold and each invariant:
 *
 *   testsuites > testsuite obscura.invariants, testsuite obscura.thresholds
 *     properties > property name="seed" value="…"     scenario, seed, commit, command, exitCode
 *     testcase name classname > failure type message
 */
export function junitOf(report: Report): string {
  const suites = [
    suiteOf("invariants", report.invariants.map(invariantCase), report),
    suiteOf("thresholds", report.thresholds.map(thresholdCase), report),
  ]
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    ...suites.flat(),
    "</testsuites>",
    "",
  ].join("\n")
}

function suiteOf(name: string, cases: readonly Case[], report: Report): readonly string[] {
  const failed = cases.filter(({ failure }) => failure !== null).length
  const counts = `tests="${cases.length}" failures="${failed}" errors="0" skipped="0"`
  const { scenario, seed, commit, command, exitCode } = report
  const properties = Object.entries({ scenario, seed, commit, command, exitCode }).map(
    ([key, value]) => `      <property name="${key}" value="${escaped(String(value))}"/>`,
  )
  return [
    `  <testsuite name="obscura.${name}" ${counts}>`,
    "    <properties>",
    ...properties,
    "    </properties>",
    ...cases.flatMap((each) => linesOf(each, `obscura.${name}`, repeatLine(report))),
    "  </testsuite>",
  ]
}

function linesOf({ name, failure }: Case, group: string, repeat: string): readonly string[] {
  const start = `    <testcase name="${escaped(name)}" classname="${group}"`
  if (failure === null) return [`${start}/>`]
  const text = escaped(`${failure}\nTo repeat it: ${repeat}`)
  const message = escaped(failure)
  return [
    `${start}>`,
    `      <failure type="${group}" message="${message}">${text}</failure>`,
    "    </testcase>",
  ]
}

function invariantCase({ name, count, limit, detail }: Invariant): Case {
  const over = `${count} ${name}, at most ${limit}${detail === "" ? "" : ` (${detail})`}`
  return { name, failure: count > limit ? over : null }
}

function thresholdCase({ metric, expr, value, pass }: ThresholdResult): Case {
  const known = METRIC_NAMES.find((name) => name === metric)
  const unit = known === undefined || METRICS[known].unit === "1" ? "" : METRICS[known].unit
  const came =
    value === null ? "it never fired" : `it came to ${Number(value.toPrecision(12))}${unit && ` ${unit}`}`
  return { name: `${metric}: ${expr}`, failure: pass ? null : `${metric}: ${expr} did not hold: ${came}` }
}

/** Not in XML 1.0 (§2.2 Char), or a control character that it advises against. */
const UNFIT = /[^\t\n\r\u{20}-\u{7e}\u{a0}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu
const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  // A reader of attributes makes spaces of these unless they are references (§3.3.3).
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
}

/** For text and attributes alike. What XML cannot hold is left out, for there is no way to escape it. */
function escaped(text: string): string {
  return text.replace(UNFIT, "").replace(/[&<>"'\t\n\r]/g, (character) => ENTITIES[character] ?? "")
}
