import "../../virtual/install.ts"

import type { Trigger } from "../../../firmware/clip.ts"
import { parseConfig } from "../../../firmware/config.ts"
import { Ring } from "../../../firmware/media/ring.ts"
import type { Box, Detector, Frame, Frames } from "../../../firmware/ports.ts"
import { Eyes } from "../../../firmware/recognise/eyes.ts"
import type { Verdict } from "../../../firmware/recognise/verdict.ts"
import { seconds } from "../../../firmware/units.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { time } from "../../virtual/install.ts"
import { type Run, Tries } from "../check.ts"

const config = parseConfig()
const clock = virtualClock()

export const checks = {
  "verdict-in-time": async () => {
    const tries = new Tries()
    const hangs: Detector = { detect: () => new Promise<readonly Box[]>(() => undefined) }
    const nobody: Detector = { detect: async () => [] }
    for (const [what, frames, detector] of [
      ["frames that hang", everySecond(0), nobody],
      ["frames that hang after one", everySecond(1), nobody],
      ["a detector that hangs", everySecond(), hangs],
    ] as const) {
      const board = { clock, frames, detector, log: { write: () => undefined } }
      const eyes = new Eyes(board, ring(), config.recognise)
      const trigger: Trigger = { kind: "motion", at: clock.monotonic() }
      const said: Verdict[] = []
      const { signal } = new AbortController()
      const judging = eyes.judge(trigger, config.recording.verdictWithin, signal).then((verdict) => {
        tries.holds(clock.monotonic() - trigger.at <= seconds(5), `${what}: a verdict that comes too late`)
        said.push(verdict)
      })
      await time.advance(seconds(6))
      tries.is(said, [{ keep: true, label: null, by: "too late" }], what)
      if (said.length > 0) await judging
    }
    return tries
  },
} satisfies Readonly<Record<string, Run>>

function ring(): Ring {
  return new Ring({ duration: seconds(5), bytesMax: 1_000, framesPerSecond: 15, onFlaw: () => undefined })
}

/** A picture a second; after `most` of them nothing any more, and no end. */
function everySecond(most = Number.POSITIVE_INFINITY): Frames {
  return {
    async *frames(): AsyncGenerator<Frame> {
      for (let count = 0; count < most; count++) {
        yield { at: clock.monotonic(), width: 64, height: 36, luma: new Uint8Array(64 * 36).fill(90) }
        await clock.sleep(seconds(1))
      }
      await new Promise(() => undefined)
    },
  }
}
