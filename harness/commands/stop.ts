import { type Milliseconds, seconds } from "../../firmware/units.ts"

export interface Stop {
  readonly signal: AbortSignal
  /** What Ctrl-C does, for a key that means the same. */
  readonly press: () => void
  /** Gives the signals back. */
  readonly forget: () => void
}

/** One Ctrl-C can arrive twice, from the terminal and through npm. */
const ONE_PRESS: Milliseconds = seconds(0.5)

/** Aborts at the first Ctrl-C or SIGTERM, so that work ends in order; the second Ctrl-C ends the process at once. */
export function stopOnSignals(): Stop {
  const controller = new AbortController()
  let pressedAt = Number.NEGATIVE_INFINITY
  const press = () => {
    const now = performance.now()
    if (controller.signal.aborted && now - pressedAt > ONE_PRESS) process.exit(130)
    if (!controller.signal.aborted) pressedAt = now
    controller.abort()
  }
  process.on("SIGINT", press)
  process.on("SIGTERM", press)
  const forget = () => {
    process.off("SIGINT", press)
    process.off("SIGTERM", press)
  }
  return { signal: controller.signal, press, forget }
}

/** Resolves when `signal` aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener("abort", () => resolve(), { once: true })
  })
}
