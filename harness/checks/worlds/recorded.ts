import { minutes, seconds } from "../../../firmware/units.ts"
import { objectsOf } from "../../virtual/opening.ts"
import { openVirtualCamera, type VirtualCamera } from "../../virtual/virtual-camera.ts"

/** A sealed object in the cloud, as the camera's manifest names it. */
export interface Recorded {
  readonly camera: VirtualCamera
  readonly clip: string
  readonly objects: readonly { readonly kind: string; readonly index: number; readonly bytes: Uint8Array }[]
}

let recorded: Promise<Recorded> | null = null

/** One visit, recorded and delivered to a cloud in memory; the same for all checks of this process. */
export function oneVisit(): Promise<Recorded> {
  recorded ??= record()
  return recorded
}

async function record(): Promise<Recorded> {
  const camera = await openVirtualCamera()
  await camera.walkBy(seconds(4))
  await camera.advance(minutes(1))
  const [clip] = camera.delivered
  if (!clip) throw new Error("no clip was delivered")
  const objects = []
  for (const { entry } of objectsOf(clip)) {
    const bytes = await camera.household.objectBytes(entry.id)
    if (bytes) objects.push({ kind: entry.kind, index: entry.index, bytes })
  }
  return { camera, clip: clip.clip, objects }
}
