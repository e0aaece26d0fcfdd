import type { Clock } from "../firmware/ports.ts"
import type { Milliseconds } from "../firmware/units.ts"

/** What setTimeout can count; anything longer fires at once. */
const TIMER_MAX: Milliseconds = 2 ** 31 - 1

export interface ClockErrors {
  /** How far real time is ahead of the truth; negative: behind. */
  readonly skew?: Milliseconds
  /** What the camera believes of its own error. `Infinity`: no NTP answer yet. */
  readonly uncertainty?: Milliseconds
}

/**
 * A virtual camera's clock: the process's time, read and timed through the globals, so that virtual time needs no more
 * than globals patched before anything is imported. Real time may be wrong by `skew`; monotonic time never is.
 */
export function virtualClock({ skew = 0, uncertainty = 0 }: ClockErrors = {}): Clock {
  return {
    monotonic: () => performance.now(),
    real: () => ({ at: Date.now() + skew, uncertainty }),
    sleep,
    after,
  }
}

function after(duration: Milliseconds, task: () => void): () => void {
  let timer: NodeJS.Timeout
  const wait = (left: Milliseconds) => {
    timer = setTimeout(() => (left > TIMER_MAX ? wait(left - TIMER_MAX) : task()), Math.min(left, TIMER_MAX))
  }
  wait(duration)
  return () => clearTimeout(timer)
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
