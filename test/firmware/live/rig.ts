import { vi } from "vitest"
import type { Clock } from "../../../firmware/ports.ts"
import * as worlds from "../../../harness/checks/worlds/live-rig.ts"

export type LiveRig = worlds.LiveRig
export { LiveSession } from "../../../firmware/live/session.ts"
export { newKey } from "../../../harness/checks/worlds/live-rig.ts"

const STEP = 250
const time: worlds.RigTime = {
  async advance(milliseconds) {
    for (let left = milliseconds; left > 0; left -= STEP) {
      await vi.advanceTimersByTimeAsync(Math.min(left, STEP))
      await new Promise((resolve) => setImmediate(resolve))
    }
  },
}

/** The world of live view, on vitest's timers. */
export const LiveRig = {
  start(clock?: Clock): Promise<worlds.LiveRig> {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] })
    return worlds.LiveRig.start(time, clock)
  },
}
