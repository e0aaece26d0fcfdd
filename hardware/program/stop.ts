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

/** Aborts at the first Ctrl-C or SIGTERM, so that work ends in order; the second ends the process at once. */
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

/**
 * Ends the process, with exit code 1, when what `signal` stops has not ended after `duration`. The returned function
 * calls that off.
 */
export function endAfter(signal: AbortSignal, duration: Milliseconds, onEnd: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const begin = () => {
    timer = setTimeout(() => {
      onEnd()
      process.exit(1)
    }, duration)
  }
  signal.addEventListener("abort", begin, { once: true })
  if (signal.aborted) begin()
  return () => {
    signal.removeEventListener("abort", begin)
    clearTimeout(timer)
  }
}
