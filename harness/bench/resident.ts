import { setTimeout as sleep } from "node:timers/promises"
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8"
import type { Bytes } from "../../firmware/units.ts"

/**
 * What the process weighs once all that can go has gone. A worker of the bench is started with its collector exposed.
 * Two things that tell of the latest burst of work, and not of what is held, are kept out: the collector closes the
 * gaps, and the young generation, of which each process has one of up to 32 MiB, is not counted.
 */
export async function residentBytes(): Promise<Bytes> {
  setFlagsFromString("--compact-on-every-full-gc")
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.()
    await sleep(100)
  }
  setFlagsFromString("--no-compact-on-every-full-gc")
  const young = getHeapSpaceStatistics().find((space) => space.space_name === "new_space")
  return process.memoryUsage.rss() - (young?.physical_space_size ?? 0)
}
