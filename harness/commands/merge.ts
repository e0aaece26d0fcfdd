import { rmdir } from "node:fs/promises"
import { Command } from "commander"
import { mergeShards } from "../load/merge.ts"
import { printReport } from "../load/report.ts"
import { makeRunFolder } from "../load/run-folder.ts"
import { Screen } from "../load/screen.ts"
import { readShard } from "../load/shard-file.ts"
import { summaryOf } from "../load/summary.ts"
import { writeReports } from "../load/write-reports.ts"

interface MergeOptions {
  readonly out?: string
  readonly json?: boolean
}

const HELP = `
Each shard of a fleet leaves a folder with its shard.json: its counts, its distributions and its series, not its verdict.
Merged they are one run, and its thresholds and invariants are judged once. Buckets and owners' keys stay with the shards.

Exit codes: as of a run: 0 it held; 1 an invariant broke; 99 only thresholds failed; 2 wrong call, a shard that is missing
or twice there, or shards of different runs.`

const KEEP = 5

export function mergeCommand(): Command {
  return new Command("merge")
    .description("make one run of the shards of a fleet, and judge it once")
    .argument("<dir...>", "folders of all its shards")
    .option("--out <dir>", "a new or empty folder for the report (default: runs/<date>-<seed>)")
    .option("--json", "print report.json alone on standard output, all else on standard error")
    .addHelpText("after", HELP)
    .action(merge)
}

async function merge(directories: readonly string[], { out, json }: MergeOptions): Promise<void> {
  const shards = []
  for (const directory of directories) shards.push(await readShard(directory))
  const { report, series, warnings } = mergeShards(shards)
  const folder = await makeRunFolder(out ?? null, report.seed, KEEP)
  await rmdir(folder.clips)
  await writeReports(folder, report, series)
  const screen = new Screen(json ? process.stderr : process.stdout)
  for (const warning of warnings) screen.say(`warning: ${warning}`)
  screen.say(`merged ${shards.length} ${shards.length === 1 ? "shard" : "shards"}`)
  screen.say(summaryOf(report, folder, null))
  if (json) process.stdout.write(printReport(report))
  process.exitCode = report.exitCode
}
