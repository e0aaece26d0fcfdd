import { createHash } from "node:crypto"
import { loadFilm } from "../../simulator/film.ts"
import type { FleetCamera } from "../../simulator/fleet.ts"
import { type Footage, loadScene, SCENES } from "../../simulator/footage.ts"
import { type MotionSpan, parseMotion, printMotion, seededMotion } from "../../simulator/motion.ts"
import { seededRandom } from "../../simulator/random.ts"

/** What is asked of a run: enough for each process to make the same fleet of it. */
export interface FleetPlan {
  readonly seed: number
  readonly cameras: number
  readonly seconds: number
  /** A film; null: the project's own scenes. An absolute path. */
  readonly scene: string | null
  /** As `--motion` spells it; null: from the seed. Only films need it. */
  readonly motion: string | null
}

export interface LoadedPlan {
  readonly plan: FleetPlan
  readonly warnings: readonly string[]
  /** When the motion sensor is high in each loop of a film, as `--motion` spells it; null for the project's scenes. */
  readonly motion: string | null
  /** Must be found in no plain place: every camera's own canary begins with it. */
  readonly canary: string
  camera(index: number): FleetCamera
}

/** @throws Fault as `loadFilm` and `parseMotion`: one line that says what to do. */
export async function loadPlan(plan: FleetPlan): Promise<LoadedPlan> {
  const canary = `canary-${createHash("sha256").update(`obscura ${plan.seed}`).digest("hex").slice(0, 32)}`
  if (plan.scene === null) {
    const scenes = await Promise.all(SCENES.map(loadScene))
    const camera = (index: number) => cameraOf(plan, index, canary, scenes, null)
    return { plan, warnings: [], motion: null, canary, camera }
  }
  const { footage, warnings } = await loadFilm(plan.scene)
  const length = footage.duration / 90_000
  const motion =
    plan.motion === null
      ? seededMotion(length, seededRandom(plan.seed, "motion"))
      : parseMotion(plan.motion, length)
  const camera = (index: number) => cameraOf(plan, index, canary, [footage], motion)
  return { plan, warnings, motion: printMotion(motion), canary, camera }
}

/** Every camera differs: by its scene, by where in it it starts, by its number and canary in every group of pictures. */
function cameraOf(
  { seed }: FleetPlan,
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
