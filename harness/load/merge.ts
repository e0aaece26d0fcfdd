import { basename } from "node:path"
import { isDeepStrictEqual } from "node:util"
import { Fault } from "../../firmware/errors.ts"
import type { Scenario } from "../scenario/scenario.ts"
import { strikesOf } from "../scenario/strikes.ts"
import { mergedNumbers } from "./merge-numbers.ts"
import type { Report } from "./report.ts"
import { reportFrom } from "./report-of.ts"
import type { Series } from "./series.ts"
import type { SavedShard } from "./shard-file.ts"
import { parseThresholds } from "./thresholds.ts"

export interface MergedRun {
  readonly report: Report
  readonly series: Series
  /** One line each. */
  readonly warnings: readonly string[]
}

/**
 * One run of all its shards, judged once: thresholds against the whole, limits of invariants against all counts.
 * @throws Fault "usage", definite, one line: shards of different runs, one that is missing, or one that is there twice.
 */
export function mergeShards(given: readonly SavedShard[]): MergedRun {
  const shards = [...given].sort((a, b) => a.file.shard.index - b.file.shard.index)
  const [first] = shards
  if (first === undefined)
    throw new Fault("usage", "there is nothing to merge; give the folder of each shard")
  for (const other of shards) checkSame(first, other)
  checkComplete(shards)
  const { run } = first.file
  const numbers = mergedNumbers(shards.map(({ file }) => file.numbers))
  const { name, seed, commit, command, scenario } = run
  const own = { name, seed, commit, firmware: run.firmware, command }
  const title = { ...own, seconds: scenario.seconds, strikes: strikesOf(scenario, seed) }
  const report = reportFrom(title, numbers, parseThresholds(scenario.thresholds))
  return { report, series: numbers.series, warnings: warningsOf(shards) }
}

function checkSame(a: SavedShard, b: SavedShard): void {
  const differ = (what: string, of: (shard: SavedShard) => string | number) => {
    if (of(a) !== of(b))
      throw new Fault(
        "usage",
        `results of different runs: ${what} ${of(a)} in ${a.path}, ${of(b)} in ${b.path}`,
      )
  }
  differ("seed", ({ file }) => file.run.seed)
  differ("shards", ({ file }) => file.shard.of)
  differ("commit", ({ file }) => file.run.commit)
  differ("firmware", ({ file }) => file.run.firmware ?? "unknown")
  differ("cameras", ({ file }) => file.run.scenario.fleet.cameras)
  differ("scenario", ({ file }) => basename(file.run.name))
  if (!isDeepStrictEqual(comparable(a.file.run.scenario), comparable(b.file.run.scenario)))
    throw new Fault("usage", `results of different runs: the scenario in ${a.path} is not that in ${b.path}`)
}

/** The same film lies elsewhere on another machine. */
function comparable(scenario: Scenario): Scenario {
  const { scene } = scenario.fleet
  return { ...scenario, fleet: { ...scenario.fleet, scene: scene === null ? null : basename(scene) } }
}

function checkComplete(shards: readonly SavedShard[]): void {
  const byIndex = new Map<number, SavedShard>()
  for (const shard of shards) {
    const { index, of } = shard.file.shard
    const before = byIndex.get(index)
    if (before)
      throw new Fault(
        "usage",
        `shard ${index}/${of} is there twice: ${before.path} and ${shard.path}; give one`,
      )
    byIndex.set(index, shard)
  }
  const of = shards[0]?.file.shard.of ?? 0
  const missing = Array.from({ length: of }, (_, index) => index).filter((index) => !byIndex.has(index))
  if (missing.length === 0) return
  const some = missing.slice(0, 5).map((index) => `${index}/${of}`)
  const rest = missing.length > some.length ? ` and ${missing.length - some.length} more` : ""
  throw new Fault("usage", `shard ${some.join(", ")}${rest} is missing: give the folders of all ${of}`)
}

/** Shards that did not run at the same time loaded nothing together. */
function warningsOf(shards: readonly SavedShard[]): readonly string[] {
  const begun = shards.map(({ file }) => file.begunAt).filter((at) => at !== null)
  if (begun.length < 2) return []
  const apart = (begun.reduce((a, b) => Math.max(a, b)) - begun.reduce((a, b) => Math.min(a, b))) / 1_000
  if (apart <= 1) return []
  return [
    `shards began ${apart.toFixed(1)} s apart, and their seconds are laid over each other: --start-at begins them together`,
  ]
}
