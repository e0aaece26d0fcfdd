import { Fault } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import type { LinkFaults } from "../../simulator/faults.ts"
import { type ScriptOptions, type Step, scriptOf } from "../../simulator/script.ts"
import { visitsOf } from "../scenario/arrivals.ts"
import type { FaultKindName, ScenarioFault } from "../scenario/faults-shape.ts"
import { linkFaultsOf } from "../scenario/link-faults.ts"
import type { Scenario } from "../scenario/scenario.ts"
import { endOf, strikesOf } from "../scenario/strikes.ts"
import type { Act } from "./script.ts"

/** Of a camera's power and its link. Lenses rest here, disks have no end and take no time, and the cloud is one process. */
const KINDS: ReadonlySet<FaultKindName> = new Set([
  ...(["power-cut", "partition", "cut", "half-open", "stall", "link"] as const),
])
const FIELDS = ["scene", "motion", "bitsPerSecond", "startWithin", "spoolBytesMax"] as const

/** @throws Fault "usage", definite, in one line: all of this scenario that virtual time does not have. */
export function checkVirtual({ arrivals, fleet, live, faults }: Scenario, name: string): void {
  const absent = [
    ...(arrivals.kind === "footage" && arrivals.share === undefined
      ? ['arrivals "footage" without a share']
      : []),
    ...(arrivals.kind === "footage" && faults.length > 0 ? ['faults with arrivals "footage"'] : []),
    ...(live === null ? [] : ["live"]),
    ...(fleet.eyes === "model" ? ['eyes "model"'] : []),
    ...FIELDS.filter((field) => fleet[field] !== null).map((field) => `fleet.${field}`),
    ...new Set(faults.filter(({ kind }) => !KINDS.has(kind)).map(({ kind }) => kind)),
  ]
  if (absent.length === 0) return
  const what = absent.join(", ")
  throw new Fault("usage", `scenario ${name}: virtual time has no ${what}; leave out --virtual for those`)
}

/** What the footage shows is what happens, in a share of its loops. */
export function followsFootage(scenario: Scenario | undefined): boolean {
  return scenario?.arrivals.kind === "footage"
}

/** Of a camera whose lens begins at group `offset` of `footage`: what its sensor feels of it. */
export function footageActs(
  { seconds: duration, arrivals }: Scenario,
  own: Pick<ScriptOptions, "seed" | "index" | "footage" | "offset">,
): readonly Act[] {
  const share = arrivals.kind === "footage" ? arrivals.share : undefined
  const steps = scriptOf({ ...own, duration: seconds(duration), ...(share !== undefined && { share }) })
  return steps.map(visitAct)
}

/** What a scenario that `checkVirtual` accepts does to each camera, in order of time. */
export function scenarioActs(scenario: Scenario, seed: number): (camera: number) => readonly Act[] {
  const acts = new Map<number, Act[]>()
  const add = (camera: number, more: readonly Act[]) => {
    const own = acts.get(camera)
    if (own) own.push(...more)
    else acts.set(camera, [...more])
  }
  for (const [camera, steps] of visitsOf(scenario, seed) ?? []) add(camera, steps.map(visitAct))
  for (const [number, strike] of strikesOf(scenario, seed).entries()) {
    const { fault, cameras } = strike
    const [from, until] = [milliseconds(fault.at), milliseconds(endOf(strike))]
    for (const camera of cameras ?? []) add(camera, faultActs(fault, number, from, until))
  }
  for (const own of acts.values()) own.sort((a, b) => a.at - b.at)
  return (camera) => acts.get(camera) ?? []
}

const VISITS = { moves: "somebody comes", still: "somebody goes", bell: "bell" } as const

function visitAct({ at, what }: Step): Act {
  return { at: Math.round(at), what: VISITS[what] }
}

function faultActs(
  fault: ScenarioFault,
  number: number,
  from: Milliseconds,
  until: Milliseconds,
): readonly Act[] {
  const held = (link: Partial<LinkFaults>): readonly Act[] => [
    { at: from, what: "link worse", fault: number, link },
    { at: until, what: "link better", fault: number },
  ]
  switch (fault.kind) {
    case "power-cut":
      return [
        { at: from, what: "power cut" },
        { at: until, what: "power back" },
      ]
    case "cut":
      return [{ at: from, what: "connection cut" }]
    case "half-open":
      return [{ at: from, what: "half open" }]
    case "partition":
      return [...held({ refuse: 1 }), { at: from, what: "connection cut" }]
    case "stall":
      return held({ stalled: true })
    case "link":
      return held(linkFaultsOf(fault))
    default:
      throw new Fault("broken", `${fault.kind} in virtual time: checkVirtual lets it through`)
  }
}

/** On a whole one: so is all time here. */
function milliseconds(at: number): Milliseconds {
  return Math.round(seconds(at))
}
