import { z } from "zod"
import type { Seconds } from "../../firmware/units.ts"

/** One line of the bench's table, and of its JSON. */
const rowShape = z.strictObject({
  name: z.string().min(1),
  /** Ours, in `unit`: the median of the samples. */
  value: z.number(),
  unit: z.string().min(1),
  /** What ours is held against; null where the target is a number of its own. */
  against: z.string().min(1).nullable(),
  /** Ours over theirs, the median over the pairs that were measured one after the other; null without `against`. */
  ratio: z.number().nullable(),
  /** What the ratio, or without one the value, must come to. */
  reach: z.number(),
  better: z.enum(["higher", "lower"]),
  /** How often each side was measured. */
  samples: z.int().min(1),
  pass: z.boolean(),
  /** Processor, node, platform. */
  machine: z.string().min(1),
})
export type BenchRow = z.infer<typeof rowShape>

/** What `--json` writes. */
export const rowsShape = z.array(rowShape)

/** A row before it is judged. */
export interface Finding {
  readonly name: string
  readonly unit: string
  readonly reach: number
  readonly better: "higher" | "lower"
  readonly ours: readonly number[]
  /** As many as `ours`, each measured next to it. */
  readonly theirs?: { readonly what: string; readonly values: readonly number[] }
}

export function judged({ name, unit, reach, better, ours, theirs }: Finding, machine: string): BenchRow {
  const ratio = theirs ? median(ours.map((value, i) => value / (theirs.values[i] ?? Number.NaN))) : null
  const judge = ratio ?? median(ours)
  return {
    name,
    value: rounded(median(ours)),
    unit,
    against: theirs ? theirs.what : null,
    ratio: ratio === null ? null : rounded(ratio),
    reach,
    better,
    samples: ours.length,
    pass: better === "higher" ? judge >= reach : judge <= reach,
    machine,
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const high = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2
}

/** What gets in the way of a short run only ever makes it slower, so the best of several is the thing itself. */
export async function bestOfTen(run: () => Promise<Seconds>): Promise<Seconds> {
  let best: Seconds = Number.POSITIVE_INFINITY
  for (let left = 10; left > 0; left--) best = Math.min(best, await run())
  return best
}

/** Four digits are more than a shared machine can tell. */
function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
