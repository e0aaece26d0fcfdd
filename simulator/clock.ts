import type { Clock } from "../firmware/ports.ts"
import type { Milliseconds } from "../firmware/units.ts"
import { type ClockFaults, noFaults } from "./faults.ts"

/** What setTimeout can count; anything longer fires at once. */
const TIMER_MAX: Milliseconds = 2 ** 31 - 1

/**
 * A virtual camera's clock: the process's time, read and timed through the globals, so that virtual time needs no more
 * than globals patched before anything is imported. Real time may be wrong by `skew`, whatever `faults` says when it is read;
 * monotonic time never is.
 */
export function virtualClock(faults: () => Partial<ClockFaults> = () => noFaults.clock): Clock {
  return {
    monotonic: () => performance.now(),
    real: () => {
      const { skew = 0, uncertainty = 0 } = faults()
      return { at: Date.now() + skew, uncertainty }
    },
    sleep,
    after,
  }
}

function after(duration: Milliseconds, task: () => void): () => void {
  if (duration <= TIMER_MAX) {
    const timer = setTimeout(task, duration)
    return () => clearTimeout(timer)
  }
  let cancel = after(TIMER_MAX, () => {
    cancel = after(duration - TIMER_MAX, task)
  })
  return () => cancel()
}

function sleep(duration: Milliseconds, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const wake = () => {
      cancel()
      signal?.removeEventListener("abort", wake)
      resolve()
    }
    const cancel = after(duration, wake)
    signal?.addEventListener("abort", wake)
  })
}
