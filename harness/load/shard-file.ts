import { readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { MiB } from "../../firmware/units.ts"
import { scenarioShape } from "../scenario/scenario.ts"
import { INVARIANTS } from "./findings.ts"
import { checkHistogram } from "./histogram-check.ts"
import { numbersShape } from "./numbers.ts"
import { camerasOf, SHARDS_MAX } from "./shard.ts"

/** `shard.json`, beside a shard's report.json: what `obscura merge` makes one run of. */

const count = z.int().min(0)

export const shardShape = z.strictObject({
  schema: z.literal("obscura.shard.v1"),
  shard: z.strictObject({
    index: count,
    of: z.int().min(1).max(SHARDS_MAX),
    /** Cameras of the whole fleet that are its own: `from` included, `to` not. */
    from: count,
    to: count,
  }),
  run: z.strictObject({
    /** The scenario's name, or its file. */
    name: z.string().min(1),
    seed: count,
    commit: z.string().min(1),
    firmware: z.string().optional(),
    /** Repeats the whole fleet on one machine. */
    command: z.string().min(1),
    /** The whole fleet's, thresholds and limits included. */
    scenario: scenarioShape,
  }),
  /** The first camera's start, milliseconds since 1970; null: it was stopped before. */
  begunAt: count.nullable(),
  numbers: numbersShape,
})
export type ShardFile = z.infer<typeof shardShape>

export interface SavedShard {
  /** As it was asked for. */
  readonly path: string
  readonly file: ShardFile
}

const NAME = "shard.json"
/** A day second by second has some ten megabytes. */
const FILE_MAX = 64 * MiB
const ADVICE = `give the folder of each shard, with its ${NAME}`

export async function writeShard(directory: string, file: ShardFile): Promise<void> {
  await writeFile(join(directory, NAME), `${JSON.stringify(shardShape.parse(file))}\n`)
}

/**
 * @param path A shard's folder, or its shard.json anywhere.
 * @throws Fault "usage", definite, one line: nothing there, torn, or numbers that no shard has.
 */
export async function readShard(path: string): Promise<SavedShard> {
  const found = await stat(path).catch(() => null)
  if (found === null) throw new Fault("usage", `${shown(path)}: is not there; ${ADVICE}`)
  const name = found.isDirectory() ? join(path, NAME) : path
  try {
    const { size } = await stat(name)
    if (size > FILE_MAX) throw new Fault("malformed", "is too large for a shard.json")
    return { path, file: parseShardFile(await readFile(name, "utf8")) }
  } catch (cause) {
    throw new Fault("usage", `${shown(name)}: ${reasonOf(cause)}; ${ADVICE}`, { cause })
  }
}

/** @throws Fault "malformed", definite. */
export function parseShardFile(text: string): ShardFile {
  const file = shardShape.parse(JSON.parse(text))
  const { shard, run, numbers } = file
  const { cameras, times, series, worst, invariants, up, counts } = numbers
  if (shard.index >= shard.of) throw wild(`shard ${shard.index} of ${shard.of}`)
  const own = camerasOf(run.scenario.fleet.cameras, shard)
  if (shard.from !== own.from || shard.to !== own.to)
    throw wild(`cameras ${shard.from} to ${shard.to - 1} are not those of shard ${shard.index}/${shard.of}`)
  const asked = shard.to - shard.from
  if (cameras.asked !== asked) throw wild(`${cameras.asked} cameras asked for, of ${asked}`)
  if (cameras.connected > asked || cameras.failed > asked) throw wild("more cameras than it has")
  if (worst.some(({ camera }) => camera < shard.from || camera >= shard.to))
    throw wild("a camera of another's")
  if (up !== null && up.hits > up.total) throw wild("more cameras up than there are")
  if (counts.missedVisits > counts.visits) throw wild("more visits missed than made")
  const names = invariants.map(({ name }) => name).join()
  if (names !== Object.keys(INVARIANTS).join()) throw wild("other invariants than this version's")
  for (const { name, limit } of invariants)
    if (limit !== (run.scenario.limits[name as keyof typeof INVARIANTS] ?? 0))
      throw wild(`another limit of ${name} than its scenario's`)
  if (series.at.some((at, i) => at <= (series.at[i - 1] ?? -1))) throw wild("seconds that run backwards")
  for (const [name, column] of Object.entries(series.columns))
    if (column.length !== series.at.length || (!isDifference(name) && column.some(isNegative)))
      throw wild(`series.${name}: not a number for each second`)
  for (const [name, histogram] of Object.entries(times))
    if (histogram !== null) checked(`times.${name}`, histogram)
  return file
}

/** Of two estimates, so it may lie below nothing. */
function isDifference(name: string): boolean {
  return name.startsWith("cores")
}

function isNegative(value: number | null): boolean {
  return value !== null && value < 0
}

function checked(name: string, histogram: string): void {
  try {
    checkHistogram(histogram)
  } catch (cause) {
    throw new Fault("malformed", `${name} ${messageOf(cause)}`, { cause })
  }
}

function wild(what: string): Fault {
  return new Fault("malformed", `its numbers do not fit: ${what}`)
}

function reasonOf(cause: unknown): string {
  if (cause instanceof z.ZodError) {
    const [issue] = cause.issues
    return `is no shard of this version: ${issue?.path.join(".") || "all of it"}: ${shown(issue?.message ?? "")}`
  }
  if (cause instanceof SyntaxError) return "is not whole JSON: did its shard end?"
  if (isFault(cause)) return cause.message
  const code = cause instanceof Error && "code" in cause ? cause.code : null
  if (code === "ENOENT") return "is not there: did its shard end?"
  if (code === "EACCES") return "may not be read"
  return shown(messageOf(cause).split("\n")[0] ?? "")
}

/** On one line, and not too long. */
function shown(text: string): string {
  return text.replace(/\p{Cc}/gu, " ").slice(0, 200)
}
