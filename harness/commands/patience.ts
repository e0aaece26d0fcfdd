import type { Milliseconds } from "../../firmware/units.ts"

/**
 * Aborts with `signal`, or after `within`. Not `AbortSignal.any` over `AbortSignal.timeout`: node 20 holds that pair by
 * weak references alone, so the collector takes it away, listeners and all, and it never fires.
 */
export function patience(signal: AbortSignal, within: Milliseconds): AbortSignal {
  const end = new AbortController()
  const timer = setTimeout(() => end.abort(), within)
  timer.unref()
  if (signal.aborted) end.abort()
  signal.addEventListener("abort", () => end.abort(), { once: true })
  return end.signal
}
