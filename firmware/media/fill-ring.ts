import type { CameraConfig } from "../config.ts"
import { isFault, messageOf } from "../errors.ts"
import type { Board } from "../ports.ts"
import type { Ring } from "./ring.ts"

/**
 * Keeps the pre-roll ring filled until `signal` aborts. A lens that stops giving is asked again, after a pause; a clip
 * that was being recorded ends where the pictures did.
 */
export async function fillRing(
  { lens, clock, log }: Pick<Board, "lens" | "clock" | "log">,
  ring: Ring,
  { retryFirst, retryMax }: Pick<CameraConfig["link"], "retryFirst" | "retryMax">,
  signal: AbortSignal,
): Promise<void> {
  let pause = retryFirst
  let isLost = false
  while (!signal.aborted) {
    let reason = "the lens ended"
    try {
      for await (const piece of lens.pieces(signal)) {
        ring.push(piece)
        pause = retryFirst
        if (!isLost) continue
        isLost = false
        log.write({ event: "lens back" })
      }
    } catch (error) {
      if (!isFault(error, "unavailable")) throw error
      reason = messageOf(error)
    }
    ring.interrupt()
    if (signal.aborted) return
    isLost = true
    log.write({ event: "lens lost", reason, againIn: pause })
    await clock.sleep(pause, signal)
    pause = Math.min(retryMax, pause * 2)
  }
}
