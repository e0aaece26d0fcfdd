import { type Command, Option } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { camerasOf, parseShard, SHARDS_MAX, type Shard, shardFrom, spelledShard } from "../load/shard.ts"
import { parseStartAt, type UnixMilliseconds } from "../load/start-at.ts"
import type { Scenario } from "../scenario/scenario.ts"
import { isCloudFault } from "../scenario/strikes.ts"
import { parsedBy, wholeNumber } from "./options.ts"

/** What makes a run a part of one. */
export interface ShardOptions {
  readonly shard?: Shard
  readonly shards?: number
  readonly startAt?: UnixMilliseconds
  readonly seed?: number
  readonly abortOnFail?: boolean
  readonly virtual?: boolean
}

export function addShardOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--shard <i/n>",
        "run only the i-th of n parts of the fleet, from 0; obscura merge judges all of them once",
      ).argParser(parsedBy(parseShard)),
    )
    .addOption(
      new Option(
        "--shards <n>",
        "the same, with i from JOB_COMPLETION_INDEX, as a Kubernetes Indexed Job sets it",
      ).argParser(wholeNumber(1, SHARDS_MAX)),
    )
    .addOption(
      new Option(
        "--start-at <time>",
        "the first camera's start, when all are paired: +30s, seconds since 1970, or ISO 8601 with its zone",
      ).argParser(parsedBy((text) => parseStartAt(text, Date.now()))),
    )
}

/** @throws Fault "usage", definite: what does not go with a shard. */
export function shardOf(options: ShardOptions): Shard | null {
  const shard = shardFrom(options.shard, options.shards, process.env)
  if (options.virtual && (shard !== null || options.startAt !== undefined))
    throw new Fault(
      "usage",
      "--virtual: its fleet runs here as a whole; leave out --shard, --shards and --start-at",
    )
  if (shard === null) return null
  if (options.seed === undefined)
    throw new Fault(
      "usage",
      "--shard: give every shard the same --seed; who is struck, and when, follows from it",
    )
  if (options.abortOnFail)
    throw new Fault(
      "usage",
      "--abort-on-fail: thresholds of shards are judged by obscura merge, when all have run",
    )
  return shard
}

export interface ShardPart {
  readonly from: number
  readonly to: number
  /** For people. */
  readonly lines: readonly string[]
}

/** Which of the fleet's cameras are this run's. `ownBroker`: it embeds one, which faults of the cloud can strike. */
export function partOf({ fleet, faults }: Scenario, shard: Shard | null, ownBroker: boolean): ShardPart {
  if (shard === null) return { from: 0, to: fleet.cameras, lines: [] }
  const { from, to } = camerasOf(fleet.cameras, shard)
  const struck = [...new Set(faults.filter(isCloudFault).map(({ kind }) => kind))]
  const line = `shard ${spelledShard(shard)}: cameras ${from} to ${to - 1} of ${fleet.cameras}`
  const own = `${struck.join(", ")}: strikes the broker of this shard; every shard has its own`
  return { from, to, lines: struck.length > 0 && ownBroker ? [line, own] : [line] }
}
