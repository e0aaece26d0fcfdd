import { setTimeout as sleep } from "node:timers/promises"
import type { Bytes } from "../../firmware/units.ts"

/** What the process weighs once all that can go has gone. A worker of the bench is started with its collector exposed. */
export async function residentBytes(): Promise<Bytes> {
  for (let round = 0; round < 4; round++) {
    globalThis.gc?.()
    await sleep(100)
  }
  return process.memoryUsage.rss()
}
