import { Fault } from "../../firmware/errors.ts"
import { type Milliseconds, minutes, seconds } from "../../firmware/units.ts"
import { type Footage, loadScene } from "../../simulator/footage.ts"
import type { SeenFootage } from "../../simulator/seen.ts"
import { OwnerKeys } from "../owner/keys.ts"
import type { Scenario } from "../scenario/scenario.ts"
import { EventLog } from "./event-log.ts"
import { FleetMember, type Witness } from "./fleet-member.ts"
import { time } from "./install.ts"
import { everyNthClip } from "./memory-bucket.ts"
import { type MemoryCloud, memoryCloud } from "./memory-cloud.ts"
import { porch } from "./porch.ts"
import { followsFootage, footageActs, scenarioActs } from "./scenario-acts.ts"
import { type Act, visitScript } from "./script.ts"

export interface VirtualFleetOptions {
  readonly seed: number
  readonly cameras: number
  /** The first one's index; the others follow. Default: 0. */
  readonly from?: number
  /** How long things happen before the cameras. */
  readonly duration: Milliseconds
  /** Of each camera; at least one in all, unless 0. */
  readonly visitsPerHour: number
  /** Cuts of network and power. */
  readonly faults: boolean
  /** Who comes and what strikes instead of those, for all cameras that it has: one that `checkVirtual` accepts. */
  readonly scenario?: Scenario
  /** What a real model says of the footage, where the scenario's eyes are "both". */
  readonly seen?: SeenFootage
  /** One clip in so many of each camera is kept whole, to be opened and compared. */
  readonly openEvery: number
  /** false: the lens hands over every group when it is due, watched or not. */
  readonly rests?: boolean
  /** Lines of the event log as they become final. */
  readonly onEvents?: (lines: string) => void
  /** After each virtual hour; `at` counts from the first. */
  readonly onProgress?: (at: Milliseconds) => void
}

export interface VirtualFleetRun {
  readonly cloud: MemoryCloud
  readonly witnesses: readonly Witness[]
  /** Of a household without a camera: nothing here is its own. */
  readonly stranger: OwnerKeys
  readonly eventLogHash: string
  readonly events: number
  /** How much virtual time passed. */
  readonly passed: Milliseconds
  /** Power cuts and network cuts that struck. */
  readonly struck: { readonly power: number; readonly network: number }
}

const PAIRED_WITHIN: Milliseconds = minutes(2)
/** After the last visit: what was recorded is delivered, and no fault strikes any more. */
const AFTERMATH: Milliseconds = minutes(10)

/**
 * A fleet whose days take seconds: every camera is paired, lives through its script and delivers. Nothing in it touches
 * a disk, a socket or the wall clock; keys are real. `install.ts` has replaced this process's time.
 */
export async function runVirtualFleet(options: VirtualFleetOptions): Promise<VirtualFleetRun> {
  const { cameras, from = 0, duration } = options
  const scenes = await scenesOf(options)
  // On a whole second: lenses wake together, on round times.
  await time.advance(1_000 - (time.now % 1_000))
  const begun = time.now
  const log = new EventLog(() => time.now - begun, options.onEvents)
  const cloud = await time.settle(
    memoryCloud(undefined, { keeps: everyNthClip(options.openEvery) }),
    seconds(1),
  )
  const keys = await Promise.all(Array.from({ length: cameras }, () => OwnerKeys.create()))
  const stranger = await OwnerKeys.create()
  const members = keys.map((each, i) => {
    const scene = scenes[(from + i) % scenes.length]
    if (!scene) throw new Fault("broken", "a fleet without scenes")
    return new FleetMember(options, from + i, scene, cloud, log, each)
  })
  const pairing = Promise.all(members.map((member) => member.pair()))
  // All begin together, whoever is in this process.
  await time.advance(PAIRED_WITHIN)
  await time.settle(pairing, PAIRED_WITHIN)
  const scriptOf = scriptsOf(options)
  for (const member of members) member.begin(scriptOf(member))
  for (let passed = 0; passed < duration; passed += minutes(60)) {
    await time.advance(Math.min(minutes(60), duration - passed))
    options.onProgress?.(Math.min(duration, passed + minutes(60)))
  }
  for (const member of members) member.calm()
  await time.advance(Math.max(AFTERMATH, seconds(options.scenario?.final.within ?? 0)))
  for (const member of members) member.end()
  await time.advance(minutes(1))
  await time.settle(cloud.close(), minutes(1))
  const struck = { power: 0, network: 0 }
  for (const { cuts } of members) {
    struck.power += cuts.power
    struck.network += cuts.network
  }
  const witnesses = members.map((member) => member.witness())
  const [eventLogHash, events, passed] = [log.end(), log.count, time.now - begun]
  return { cloud, witnesses, stranger, eventLogHash, events, passed, struck }
}

/** All cameras' one, or a scenario's, one after another. */
async function scenesOf({ scenario }: VirtualFleetOptions): Promise<readonly Footage[]> {
  const names = scenario?.fleet.scenes ?? null
  return names === null ? [await porch()] : Promise.all(names.map(loadScene))
}

function scriptsOf(options: VirtualFleetOptions): (member: FleetMember) => readonly Act[] {
  const { scenario, seed } = options
  if (!scenario) return ({ household: { index } }) => visitScript({ ...options, index })
  if (followsFootage(scenario))
    return ({ household: { index, shot }, offset }) =>
      footageActs(scenario, { seed, index, footage: shot.footage, offset })
  const actsOf = scenarioActs(scenario, seed)
  return ({ household }) => actsOf(household.index)
}
