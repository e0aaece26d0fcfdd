import type { Random } from "../../firmware/ports.ts"
import { type Milliseconds, minutes, seconds } from "../../firmware/units.ts"
import type { LinkFaults } from "../../simulator/faults.ts"
import { between, chance, seededRandom } from "../../simulator/random.ts"

/** What is done to one camera, and when: counted from when it first got power. */
export type Act = { readonly at: Milliseconds } & (
  | { readonly what: Deed }
  /** Until the "link better" of the same number; what holds at once adds up. */
  | { readonly what: "link worse"; readonly fault: number; readonly link: Partial<LinkFaults> }
  | { readonly what: "link better"; readonly fault: number }
)

export type Deed =
  | "somebody comes"
  | "somebody goes"
  | "bell"
  | "unplugged"
  | "plugged"
  | "connection cut"
  | "half open"
  | "power cut"
  | "power back"

export interface ScriptOptions {
  readonly seed: number
  readonly index: number
  readonly duration: Milliseconds
  readonly visitsPerHour: number
  readonly faults: boolean
}

/** How likely a visit is a press of the bell. */
const RINGS = 0.2
/** How likely the network or the power goes while a clip is being made or delivered; each for one visit. */
const UNPLUGGED = 0.1
const POWER_CUT = 0.05
/** From a visit's start: from its pre-roll to about when the last of its clip is delivered. */
const STRIKES_WITHIN: Milliseconds = seconds(15)

/**
 * Visits spread evenly over the time, each somewhere in the first four fifths of its share; some of them meet a cut of the
 * network or of the power. The same options give the same script.
 */
export function visitScript(options: ScriptOptions): readonly Act[] {
  const { seed, index, duration, visitsPerHour, faults } = options
  const random = seededRandom(seed, "visits", index)
  const share = Math.min(minutes(60) / visitsPerHour, duration)
  const acts: Act[] = []
  for (let start = 0; visitsPerHour > 0 && start + share <= duration; start += share) {
    const at = Math.round(start + between(random, 0.02, 0.8) * share)
    acts.push(...visit(at, random))
    // Drawn whether they strike or not, so that a run without faults has the same visits.
    const network = outage(at, random, seconds(60), "unplugged", "plugged")
    const power = outage(at, random, seconds(30), "power cut", "power back")
    const [cutsNetwork, cutsPower] = [chance(random, UNPLUGGED), chance(random, POWER_CUT)]
    if (faults && cutsNetwork) acts.push(...network)
    if (faults && cutsPower) acts.push(...power)
  }
  return acts.sort((a, b) => a.at - b.at)
}

function visit(at: Milliseconds, random: Random): readonly Act[] {
  const stays = Math.round(between(random, seconds(1), seconds(4)))
  if (chance(random, RINGS)) return [{ at, what: "bell" }]
  return [
    { at, what: "somebody comes" },
    { at: at + stays, what: "somebody goes" },
  ]
}

function outage(
  visit: Milliseconds,
  random: Random,
  most: Milliseconds,
  begins: Deed,
  ends: Deed,
): readonly Act[] {
  const at = visit + Math.round(between(random, 0, STRIKES_WITHIN))
  const lasts = Math.round(between(random, seconds(2), most))
  return [
    { at, what: begins },
    { at: at + lasts, what: ends },
  ]
}
