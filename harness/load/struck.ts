import { type Milliseconds, seconds } from "../../firmware/units.ts"
import type { FaultKindName } from "../scenario/faults-shape.ts"
import { endOf, type Strike } from "../scenario/strikes.ts"

/** One fault that struck a camera, and for how long it excuses anything: counted from the fleet's start. */
export interface Blow {
  readonly kind: FaultKindName
  readonly from: Milliseconds
  /** When it had ended and what it left had settled. */
  readonly until: Milliseconds
}

/** What struck a camera in a run, in order. */
export type Struck = (camera: number) => readonly Blow[]

/**
 * How long after its end a fault may still show. A camera without room tries again after 5 s, one that boots needs about a
 * second and then 3 s for a whole pre-roll, a clip that began in the fault goes on for its post-roll; the rest is for a
 * machine whose timers are late because it carries too many cameras.
 */
export const SETTLES_WITHIN: Milliseconds = seconds(30)
/** Firmware's longest pause between two attempts (`link.retryMax`). Pauses double: none is longer than all before it. */
const LENS_AGAIN_WITHIN: Milliseconds = seconds(60)

export function struckBy(strikes: readonly Strike[]): Struck {
  const blows = new Map<number, Blow[]>()
  for (const strike of strikes) {
    const blow = blowOf(strike)
    for (const camera of strike.cameras ?? []) {
      const own = blows.get(camera)
      if (own) own.push(blow)
      else blows.set(camera, [blow])
    }
  }
  return (camera) => blows.get(camera) ?? []
}

function blowOf(strike: Strike): Blow {
  const [from, end] = [seconds(strike.fault.at), seconds(endOf(strike))]
  const { kind } = strike.fault
  const again = kind === "lens-dies" ? Math.min(LENS_AGAIN_WITHIN, end - from) : 0
  return { kind, from, until: end + again + SETTLES_WITHIN }
}

/** What cameras rightly say of the faults that strike them; of any other camera, or at another time, it is a complaint. */
const EXPECTED: { readonly [Kind in FaultKindName]?: RegExp } = {
  "power-cut": /the power was cut/,
  "disk-full": /^(clip lost|fault in)/,
  "disk-slow": /^clip lost/,
  "lens-stall": /^(lens lost|media skipped)/,
  "lens-dies": /^(lens lost|media skipped)/,
  "lens-splits": /^media skipped: before the first key frame/,
}

/** `at`: when it was said, from the fleet's start. */
export function isToBeExpected(complaint: string, at: Milliseconds, blows: readonly Blow[]): boolean {
  return blows.some(
    ({ kind, from, until }) => from <= at && at <= until && EXPECTED[kind]?.test(complaint) === true,
  )
}

const BLINDING: ReadonlySet<FaultKindName> = new Set([
  ...(["power-cut", "disk-full", "disk-slow", "lens-stall", "lens-dies", "lens-splits"] as const),
])

/** While a clip was made, nothing held that would keep pictures of what moved from getting into it. */
export function sawItsMotion(
  clip: { readonly openedAt: Milliseconds; readonly endedAt: Milliseconds | null },
  blows: readonly Blow[],
): boolean {
  const endedAt = clip.endedAt ?? Number.POSITIVE_INFINITY
  return !blows.some(
    ({ kind, from, until }) => BLINDING.has(kind) && from <= endedAt && clip.openedAt <= until,
  )
}
