import { Fault } from "../../firmware/errors.ts"
import type { Seconds } from "../../firmware/units.ts"
import { between, seededRandom } from "../../simulator/random.ts"
import type { Step } from "../../simulator/script.ts"
import type { Arrivals, Scenario } from "./scenario.ts"

type OpenLoop = Exclude<Arrivals, { kind: "footage" }>

/** Of a day's visits, which part comes in each hour: from midnight, sums to 1. A house's door, by and large. */
const DAY = [1, 1, 1, 1, 1, 2, 4, 7, 6, 4, 4, 4, 5, 5, 5, 6, 8, 11, 12, 9, 6, 4, 2, 1].map((n) => n / 110)

/** Before which cameras anything ever happens. The seed says. */
export function recordingCameras(scenario: Scenario, seed: number): ReadonlySet<number> {
  const { cameras, recording } = scenario.fleet
  const wanted = Math.round(cameras * recording)
  if (wanted === cameras) return new Set(Array.from({ length: cameras }, (_, index) => index))
  return new Set(shuffled(cameras, seed, "recording").slice(0, wanted))
}

/**
 * Every visit of a run, by camera, counted from the first camera's start; null where the footage says who comes.
 * All are set before anything runs: the same scenario and seed give the same.
 */
export function visitsOf(scenario: Scenario, seed: number): ReadonlyMap<number, readonly Step[]> | null {
  const { arrivals, seconds } = scenario
  if (arrivals.kind === "footage") return null
  if (arrivals.stay.max < arrivals.stay.min)
    throw new Fault("usage", "arrivals.stay: max is less than min; give min 2, max 6 or the like")
  const cameras = [...recordingCameras(scenario, seed)]
  const random = seededRandom(seed, "visits")
  const visits = new Map<number, Step[]>()
  const order = shuffledOf(cameras, seed, "visited")
  times(arrivals, seconds, cameras.length, () => random.next()).forEach((at, number) => {
    // Evenly over the cameras, and in the open kinds of arrival to anyone.
    const position =
      arrivals.kind === "poisson" ? Math.floor(random.next() * order.length) : number % order.length
    const camera = order[position]
    if (camera === undefined) return
    const steps = visits.get(camera) ?? []
    visits.set(camera, steps)
    const still = Math.min(at + between(random, arrivals.stay.min, arrivals.stay.max), seconds)
    steps.push({ at: at * 1_000, what: "moves" }, { at: still * 1_000, what: "still" })
  })
  for (const steps of visits.values()) steps.sort((a, b) => a.at - b.at)
  return visits
}

/** When somebody comes to any of `cameras`, in order. */
function times(arrivals: OpenLoop, length: Seconds, cameras: number, next: () => number): readonly Seconds[] {
  const perSecond = (arrivals.perCameraHour * cameras) / 3_600
  const expected = amountUntil(arrivals, length, length) * perSecond
  if (arrivals.kind === "poisson") {
    const all: Seconds[] = []
    for (let at = exponential(next) / perSecond; at < length; at += exponential(next) / perSecond)
      all.push(at)
    return all
  }
  // Visit k comes when k and a half of them should have come.
  const count = Math.max(cameras > 0 ? 1 : 0, Math.round(expected))
  return Array.from({ length: count }, (_, k) =>
    timeOf(arrivals, length, ((k + 0.5) / count) * amountUntil(arrivals, length, length)),
  )
}

/** The rate's integral from 0 to `at`, in seconds at the plain rate. */
function amountUntil(arrivals: OpenLoop, length: Seconds, at: Seconds): number {
  switch (arrivals.kind) {
    case "steady":
    case "poisson":
      return at
    case "ramp":
      return at ** 2 / (2 * length)
    case "spike": {
      const within = Math.min(Math.max(at - arrivals.at, 0), arrivals.for)
      return at + within * (arrivals.times - 1)
    }
    case "evening-peak": {
      const hours = (at / length) * DAY.length
      const whole = Math.floor(hours)
      const until = DAY.slice(0, whole).reduce((sum, part) => sum + part, 0)
      return (until + (hours - whole) * (DAY[whole] ?? 0)) * length
    }
  }
}

/** When `amount` has come; by halving. */
function timeOf(arrivals: OpenLoop, length: Seconds, amount: number): Seconds {
  let [low, high] = [0, length]
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2
    if (amountUntil(arrivals, length, middle) < amount) low = middle
    else high = middle
  }
  return high
}

function exponential(next: () => number): number {
  return -Math.log(1 - next())
}

/** 0 to `count`, in an order that the seed and `purpose` give. */
export function shuffled(count: number, seed: number, purpose: string): number[] {
  return shuffledOf(
    Array.from({ length: count }, (_, index) => index),
    seed,
    purpose,
  )
}

function shuffledOf(all: readonly number[], seed: number, purpose: string): number[] {
  const random = seededRandom(seed, purpose)
  const order = [...all]
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random.next() * (last + 1))
    const [a, b] = [order[last], order[other]]
    if (a !== undefined && b !== undefined) [order[last], order[other]] = [b, a]
  }
  return order
}
