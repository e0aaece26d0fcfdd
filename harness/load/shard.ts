import { Fault } from "../../firmware/errors.ts"

/** One of `of` runs, each on a machine of its own, that together are one fleet. */
export interface Shard {
  /** From 0. */
  readonly index: number
  readonly of: number
}

export const SHARDS_MAX = 10_000
/** Set by Kubernetes in each pod of an Indexed Job. */
const INDEX_VARIABLE = "JOB_COMPLETION_INDEX"

/**
 * 0/4 is the first of four.
 * @throws Fault "usage", definite.
 */
export function parseShard(text: string): Shard {
  const [, first, second] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []
  if (first === undefined || second === undefined)
    throw new Fault("usage", "it looks like 0/4: the first of four shards")
  const [index, of] = [Number(first), Number(second)]
  if (of < 1 || of > SHARDS_MAX) throw new Fault("usage", `a fleet has 1 to ${SHARDS_MAX} shards`)
  if (index >= of) throw new Fault("usage", `shards count from 0, so the last of ${of} is ${of - 1}/${of}`)
  return { index, of }
}

/**
 * What `--shard i/n` says, or else `--shards n` and the index that a Kubernetes Indexed Job gives its pods; null: the
 * whole fleet runs here.
 *
 * @throws Fault "usage", definite, one line.
 */
export function shardFrom(
  shard: Shard | undefined,
  shards: number | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Shard | null {
  if (shard !== undefined) {
    if (shards === undefined || shards === shard.of) return shard
    throw new Fault("usage", `--shard says ${shard.of} shards and --shards ${shards}: give one of them`)
  }
  if (shards === undefined) return null
  const index = environment[INDEX_VARIABLE]
  if (index === undefined)
    throw new Fault(
      "usage",
      `--shards ${shards}: which of them is this? give --shard 0/${shards}, or set ${INDEX_VARIABLE}`,
    )
  try {
    return parseShard(`${index}/${shards}`)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : ""
    throw new Fault("usage", `${INDEX_VARIABLE}=${JSON.stringify(index)} with --shards ${shards}: ${why}`, {
      cause,
    })
  }
}

/**
 * Which of the fleet's cameras are this shard's: `from` included, `to` not. Sizes differ by one at most.
 * @throws Fault "usage", definite: fewer cameras than shards.
 */
export function camerasOf(
  cameras: number,
  { index, of }: Shard,
): { readonly from: number; readonly to: number } {
  if (of > cameras)
    throw new Fault(
      "usage",
      `${of} shards of ${cameras} cameras: some would have none; take more --cameras or fewer shards`,
    )
  return { from: Math.floor((index * cameras) / of), to: Math.floor(((index + 1) * cameras) / of) }
}

export function spelledShard({ index, of }: Shard): string {
  return `${index}/${of}`
}
