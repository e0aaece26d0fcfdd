import { availableParallelism } from "node:os"
import { Child } from "./child.ts"
import type { FromCameras, ToCameras } from "./messages.ts"
import type { FleetPlan } from "./plan.ts"

type CameraChild = Child<ToCameras, FromCameras>

/** One process of cameras, and which of them are its: `from` included, `to` not. */
export interface Worker {
  readonly child: CameraChild
  readonly from: number
  readonly to: number
}

const CAMERAS_EACH = 2_000

/**
 * Each has as many cameras. One a core, less one for the cloud; and more for thousands of cameras: what they seal makes
 * V8 mark the whole heap for every 64 MB, so a heap of ten thousand cameras is marked all the time.
 */
export function workersFor({ from, to }: FleetPlan, wanted: number | null): readonly Worker[] {
  const cameras = to - from
  const count = Math.min(
    wanted ?? Math.max(1, availableParallelism() - 1, Math.ceil(cameras / CAMERAS_EACH)),
    cameras,
  )
  return Array.from({ length: count }, (_, i) => ({
    child: new Child("camera", new URL("./camera-process.ts", import.meta.url)),
    from: from + Math.floor((i * cameras) / count),
    to: from + Math.floor(((i + 1) * cameras) / count),
  }))
}
