import { commitOf } from "./commit.ts"
import { numbersOf, type RunParts } from "./numbers.ts"
import type { LoadedPlan } from "./plan.ts"
import type { Report } from "./report.ts"
import { reportFrom } from "./report-of.ts"
import type { RunFolder } from "./run-folder.ts"
import { type Shard, spelledShard } from "./shard.ts"
import { writeShard } from "./shard-file.ts"
import { firmwareHash } from "./source-hash.ts"
import type { Threshold } from "./thresholds.ts"
import { writeReports } from "./write-reports.ts"

export interface RunToReport extends Omit<RunParts, "asked"> {
  readonly loaded: LoadedPlan
  readonly command: string
  readonly thresholds: readonly Threshold[]
  /** null: the run is the whole fleet. */
  readonly shard: Shard | null
  /** Milliseconds since 1970; null: no camera started. */
  readonly begunAt: number | null
}

/** Writes all that a run's folder says of it; of a shard also what it is merged from, and no judgement of thresholds. */
export async function reportRun(folder: RunFolder, run: RunToReport): Promise<Report> {
  const { loaded, command, thresholds, shard, begunAt, ...parts } = run
  const { from, to, name, seed, scenario } = loaded.plan
  const numbers = numbersOf({ ...parts, asked: to - from })
  const own = { name, seed, scenario, commit: await commitOf(), firmware: await firmwareHash(), command }
  const title = { ...own, seconds: scenario.seconds, strikes: loaded.strikes }
  const report =
    shard === null
      ? reportFrom(title, numbers, thresholds)
      : reportFrom({ ...title, command: `${command} --shard ${spelledShard(shard)}` }, numbers, [])
  await writeReports(folder, report, numbers.series)
  if (shard !== null)
    await writeShard(folder.directory, {
      schema: "obscura.shard.v1",
      ...{ shard: { ...shard, from, to }, run: own, begunAt, numbers },
    })
  return report
}
