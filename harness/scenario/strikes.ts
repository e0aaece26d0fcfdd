import type { Seconds } from "../../firmware/units.ts"
import { shuffled } from "./arrivals.ts"
import type { FaultKindName, ScenarioFault } from "./faults-shape.ts"
import type { Scenario } from "./scenario.ts"

/** One fault, and whom it strikes. */
export interface Strike {
  readonly fault: ScenarioFault
  /** Indexes in the fleet, in order; null: the cloud. */
  readonly cameras: readonly number[] | null
}

const CLOUD_KINDS: ReadonlySet<FaultKindName> = new Set([
  "broker-restart",
  "broker-kill",
  "cloud-slow",
  "cloud-failing",
  "cloud-full",
])
/** These need a layer around a camera's connections, or its power. */
const LINK_KINDS: ReadonlySet<FaultKindName> = new Set([
  "link",
  "partition",
  "stall",
  "half-open",
  "cut",
  "power-cut",
])

/** Whom each fault of a scenario strikes, as the seed says; in order of time. */
export function strikesOf(scenario: Scenario, seed: number): readonly Strike[] {
  const { cameras } = scenario.fleet
  return scenario.faults
    .map((fault, number): Strike => {
      if (!("share" in fault)) return { fault, cameras: null }
      const struck = Math.max(1, Math.round(cameras * fault.share))
      const all = struck >= cameras
      const chosen = all ? range(cameras) : shuffled(cameras, seed, `fault ${number}`).slice(0, struck)
      return { fault, cameras: chosen.sort((a, b) => a - b) }
    })
    .sort((a, b) => a.fault.at - b.fault.at)
}

/** Cameras whose link or power some strike concerns. */
export function fragileCameras(strikes: readonly Strike[]): ReadonlySet<number> {
  return new Set(
    strikes.filter(({ fault }) => LINK_KINDS.has(fault.kind)).flatMap(({ cameras }) => cameras ?? []),
  )
}

export function isCloudFault({ kind }: ScenarioFault): boolean {
  return CLOUD_KINDS.has(kind)
}

/** When a strike is over; at one moment: at once. */
export function endOf({ fault }: Strike): Seconds {
  return fault.at + ("for" in fault ? fault.for : 0)
}

/** 0-3,7: for people and reports. */
export function spelledRanges(indexes: readonly number[]): string {
  const parts: string[] = []
  for (let i = 0; i < indexes.length; ) {
    let j = i
    while (indexes[j + 1] === (indexes[j] ?? 0) + 1) j++
    parts.push(i === j ? `${indexes[i]}` : `${indexes[i]}-${indexes[j]}`)
    i = j + 1
  }
  return parts.join(",")
}

/** A fault's own numbers, in words: "latencyMs 100, loss 0.02". */
export function detailOf(fault: ScenarioFault): string {
  return Object.entries(fault)
    .filter(
      ([name, value]) => !["kind", "at", "for", "share"].includes(name) && value !== null && value !== 0,
    )
    .map(([name, value]) => `${name} ${value}`)
    .join(", ")
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
