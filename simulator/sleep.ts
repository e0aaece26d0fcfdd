import type { Milliseconds } from "../firmware/units.ts"

/** Ends early when `signal` aborts, and leaves no listener behind. */
export function sleep(duration: Milliseconds, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const wake = () => {
      clearTimeout(timer)
      signal.removeEventListener("abort", wake)
      resolve()
    }
    const timer = setTimeout(wake, duration)
    signal.addEventListener("abort", wake)
  })
}
