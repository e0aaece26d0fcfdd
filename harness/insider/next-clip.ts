import { isFault } from "../../firmware/errors.ts"
import type { Leaked } from "../checks/check.ts"
import type { Identity } from "../owner/age-identity.ts"
import type { Home } from "./home.ts"
import { objectsIn, opens } from "./sealed-objects.ts"
import type { World } from "./world.ts"

/**
 * Somebody who should not be is among the home's recipients: what they have of its next clip. A clip that does not come
 * counts for nothing; what led here is a violation all the same.
 */
export async function nextClipFor(
  world: World,
  home: Home,
  identity: Identity,
  signal: AbortSignal,
): Promise<Partial<Leaked>> {
  return home.alone(async () => {
    const clip = await home.recordClip(signal).catch((error: unknown) => {
      if (!isFault(error, "unavailable")) throw error
      return null
    })
    if (clip === null) return {}
    for await (const { bytes } of objectsIn(world, (entry) => entry.clip === clip))
      if (await opens(bytes, identity)) return { clips: [clip] }
    return {}
  })
}
