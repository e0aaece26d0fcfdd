import { createHash } from "node:crypto"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { loadFilm } from "../../simulator/film.ts"
import { type FleetCamera, type FleetHabits, startDelay } from "../../simulator/fleet.ts"
import { FLEET_SCENES, type Footage, loadScene } from "../../simulator/footage.ts"
import { atRate } from "../../simulator/footage-rate.ts"
import { type MotionSpan, parseMotion, printMotion, seededMotion } from "../../simulator/motion.ts"
import { seededRandom } from "../../simulator/random.ts"
import { type Step, scriptOf } from "../../simulator/script.ts"
import type { SeenFootage } from "../../simulator/seen.ts"
import type { CameraEyes } from "../recognise/camera-eyes.ts"
import { recordingCameras, visitsOf } from "../scenario/arrivals.ts"
import type { Scenario } from "../scenario/scenario.ts"
import { type Strike, strikesOf } from "../scenario/strikes.ts"

/** What is asked of a run: enough for each process to make the same fleet of it. */
export interface FleetPlan {
  readonly seed: number
  /** The scenario's name, or its file. */
  readonly name: string
  readonly scenario: Scenario
  /** Which of the scenario's cameras are this run's: `from` included, `to` not. All, but for a shard. */
  readonly from: number
  readonly to: number
  /** What a real model says of the footage, where the scenario's eyes are "both". */
  readonly seen?: SeenFootage
}

export interface LoadedPlan {
  readonly plan: FleetPlan
  readonly warnings: readonly string[]
  /** When the motion sensor is high in each loop of a film, as `--motion` spells it; null for the project's scenes. */
  readonly motion: string | null
  /** Must be found in no plain place: every camera's own canary begins with it. */
  readonly canary: string
  readonly strikes: readonly Strike[]
  readonly habits: FleetHabits
  camera(index: number): FleetCamera
  /** When it starts, counted from the fleet's start. */
  startOf(index: number): Milliseconds
  /** All that happens before it. */
  scriptOf(index: number): readonly Step[]
}

/** @throws Fault as `loadFilm` and `parseMotion`: one line that says what to do. */
export async function loadPlan(
  plan: FleetPlan,
  model: CameraEyes["parts"] | null = null,
): Promise<LoadedPlan> {
  const { seed, scenario } = plan
  const { fleet } = scenario
  const canary = `canary-${createHash("sha256").update(`obscura ${seed}`).digest("hex").slice(0, 32)}`
  const { scenes, motion, warnings } = await scenesOf(plan)
  const visits = visitsOf(scenario, seed)
  const recording = recordingCameras(scenario, seed)
  // Only a process of cameras has the model; to the others what comes by is the same.
  const eyes = fleet.eyes === "model" ? (model ?? "none") : fleet.eyes
  const share = shareOf(scenario)
  const camera = (index: number): FleetCamera => {
    const shot = cameraOf(seed, index, canary, scenes, motion)
    const sight = eyes === null ? {} : { sight: sightOf(eyes, scenario, shot.footage, plan.seen) }
    if (!recording.has(index)) return { ...shot, ...sight, visits: [] }
    return visits === null
      ? { ...shot, ...sight, ...share }
      : { ...shot, ...sight, visits: visits.get(index) ?? [] }
  }
  const startOf = (index: number) =>
    startDelay(
      index,
      fleet.cameras,
      seconds(scenario.seconds),
      ...(fleet.startWithin === null ? [] : [seconds(fleet.startWithin)]),
    )
  return {
    plan,
    warnings,
    motion: motion && printMotion(motion),
    canary,
    strikes: strikesOf(scenario, seed),
    habits: {
      heartbeatEvery: seconds(fleet.heartbeatEvery),
      ...(fleet.spoolBytesMax === null ? {} : { spoolBytesMax: fleet.spoolBytesMax }),
    },
    camera,
    startOf,
    scriptOf(index) {
      const shot = camera(index)
      const duration = seconds(scenario.seconds) - startOf(index)
      return shot.visits ?? scriptOf({ ...shot, seed, index, duration })
    },
  }
}

/** What a camera that shows `footage` looks with. */
export function sightOf(
  eyes: Eyes,
  { fleet: { errors } }: Scenario,
  { name }: Footage,
  seen: SeenFootage | undefined,
): NonNullable<FleetCamera["sight"]> {
  return eyes === "both" ? { eyes: "seen", seen: seen?.[name] ?? [] } : { eyes, errors }
}

type Eyes = Exclude<Scenario["fleet"]["eyes"], "model" | null> | CameraEyes["parts"]

/** All that cameras of a scenario may see. */
export async function footageOf(scenario: Scenario, seed: number): Promise<readonly Footage[]> {
  return (await scenesOf({ seed, scenario, name: "", from: 0, to: 0 })).scenes
}

function shareOf({ arrivals }: Scenario): { readonly share?: number } {
  return arrivals.kind === "footage" && arrivals.share !== undefined ? { share: arrivals.share } : {}
}

async function scenesOf({ seed, scenario: { fleet } }: FleetPlan): Promise<{
  readonly scenes: readonly Footage[]
  readonly motion: readonly MotionSpan[] | null
  readonly warnings: readonly string[]
}> {
  const paced = (footage: Footage) =>
    fleet.bitsPerSecond === null ? footage : atRate(footage, fleet.bitsPerSecond)
  if (fleet.scene === null) {
    const scenes = await Promise.all((fleet.scenes ?? FLEET_SCENES).map(loadScene))
    return { scenes: scenes.map(paced), motion: null, warnings: [] }
  }
  const { footage, warnings } = await loadFilm(fleet.scene)
  const scene = paced(footage)
  const length = scene.duration / 90_000
  const motion =
    fleet.motion === null
      ? seededMotion(length, seededRandom(seed, "motion"))
      : parseMotion(fleet.motion, length)
  return { scenes: [scene], motion, warnings }
}

/** Every camera differs: by its scene, by where in it it starts, by its number and canary in every group of pictures. */
function cameraOf(
  seed: number,
  index: number,
  canary: string,
  scenes: readonly Footage[],
  motion: readonly MotionSpan[] | null,
): FleetCamera {
  const random = seededRandom(seed, "scene", index)
  // The seed shuffles who sees what; each scene is seen by as many.
  const first = Math.floor(seededRandom(seed, "scenes").next() * scenes.length)
  const footage = scenes[(first + index) % scenes.length]
  if (!footage) throw new RangeError("no scenes")
  const offset = Math.floor(random.next() * footage.groups.length)
  return { footage, camera: index, canary: `${canary}-${index}`, offset, motion }
}
