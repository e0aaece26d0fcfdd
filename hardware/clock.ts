import { existsSync } from "node:fs"
import type { Clock } from "../firmware/ports.ts"
import type { Milliseconds } from "../firmware/units.ts"

/** systemd-timesyncd makes this file at its first NTP answer of a boot (systemd-timesyncd.service(8)). */
const SYNCHRONIZED = "/run/systemd/timesync/synchronized"
/** timesyncd steps the clock when it is further off than 0.4 s and slews below; a second is a safe round figure. */
const UNCERTAINTY_AFTER_NTP: Milliseconds = 1_000
/** What setTimeout can count; anything longer fires at once. */
const TIMER_MAX: Milliseconds = 2 ** 31 - 1

/**
 * The process's clock. A Pi has no real-time clock of its own: until `synchronized` exists its real time may be
 * anything, and the uncertainty is `Infinity`.
 */
export function processClock(synchronized = SYNCHRONIZED): Clock {
  let known = false
  return {
    monotonic: () => performance.now(),
    real() {
      known ||= existsSync(synchronized)
      return { at: Date.now(), uncertainty: known ? UNCERTAINTY_AFTER_NTP : Infinity }
    },
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
