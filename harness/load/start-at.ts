import { setTimeout as sleep } from "node:timers/promises"
import { Fault } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"

/** Milliseconds since 1970, UTC. */
export type UnixMilliseconds = number

const AHEAD_MAX: Milliseconds = seconds(86_400)
/** Timers come a little late; more says that the others have begun without us. */
const LATE_MAX: Milliseconds = 250

/**
 * When the first camera starts: +30s or +5m from `now`, seconds since 1970, or ISO 8601 with its zone.
 * @throws Fault "usage", definite: another text, a moment that is past, or more than a day ahead.
 */
export function parseStartAt(text: string, now: UnixMilliseconds): UnixMilliseconds {
  const at = momentOf(text, now)
  if (!Number.isFinite(at))
    throw new Fault("usage", "it looks like +30s, 1767225600 or 2026-01-01T00:00:00Z, with its zone")
  if (at < now)
    throw new Fault("usage", `that was ${inSeconds(now - at)} s ago; give the shards time to pair before it`)
  if (at - now > AHEAD_MAX) throw new Fault("usage", "that is more than a day ahead")
  return at
}

/**
 * The barrier: resolves at `at`, or when `signal` aborts.
 * @throws Fault "unavailable", definite: it is past, so the other shards have begun without this one.
 */
export async function untilStart(
  at: UnixMilliseconds,
  signal: AbortSignal,
  now: () => UnixMilliseconds = Date.now,
): Promise<void> {
  const late = now() - at
  if (late > LATE_MAX)
    throw new Fault(
      "unavailable",
      `--start-at: the cameras were ready ${inSeconds(late)} s after it; choose a later one for all shards`,
    )
  // A timer's clock is not the wall's, which may be set meanwhile.
  while (!signal.aborted && now() < at)
    await sleep(Math.min(at - now(), 1_000), undefined, { signal }).catch(() => undefined)
}

function momentOf(text: string, now: UnixMilliseconds): UnixMilliseconds {
  const [, amount, unit] = /^\+(\d{1,5})([sm])$/.exec(text) ?? []
  if (amount !== undefined) return now + Number(amount) * (unit === "m" ? 60_000 : 1_000)
  if (/^\d{9,11}(\.\d{1,3})?$/.test(text)) return Number(text) * 1_000
  const isIso = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/.test(text)
  return isIso ? Date.parse(text) : Number.NaN
}

function inSeconds(duration: Milliseconds): string {
  return (duration / 1_000).toFixed(1)
}
