import { LAG_MAX } from "./lag.ts"
import type { Report } from "./report.ts"

/** Why the numbers of two runs may not be comparable; one line each. `judged`: how many metrics of both are. */
export function warningsOf(a: Report, b: Report, judged: number): readonly string[] {
  const differ = (what: string, left: string | number, right: string | number) =>
    left === right ? [] : [`${what}: A ${left}, B ${right}`]
  const lagged = (name: string, { generator: { lagP99Ms } }: Report) =>
    lagP99Ms > LAG_MAX
      ? [
          `the machine of ${name} was too small: its timers came ${lagP99Ms} ms late (p99), so latencies say little`,
        ]
      : []
  return [
    ...differ("different scenarios", a.scenario, b.scenario),
    ...differ("different numbers of cameras", a.cameras.asked, b.cameras.asked),
    ...differ("different seeds, so other people come by at other times", a.seed, b.seed),
    ...differ(
      "one in virtual time",
      a.virtual === null ? "real" : "virtual",
      b.virtual === null ? "real" : "virtual",
    ),
    ...lagged("A", a),
    ...lagged("B", b),
    ...shardWarning(a, b),
    ...(judged === 0
      ? ["no metric that can be better or worse is in both runs: only verdicts are compared"]
      : []),
  ]
}

/** A shard's numbers are those of its own cameras, and its thresholds are judged by `obscura merge` alone. */
function shardWarning(a: Report, b: Report): readonly string[] {
  const parts = Object.entries({ A: a, B: b }).flatMap(([name, { command }]) => {
    const [, shard] = / --shard (\d+\/\d+)$/.exec(command) ?? []
    return shard === undefined ? [] : [`${name} is shard ${shard}`]
  })
  if (parts.length === 0) return []
  return [`${parts.join(", ")} of a run, and not all of it: compare what obscura merge makes of its shards`]
}
