import { isFault, messageOf } from "../../../firmware/errors.ts"
import type { World } from "../world.ts"

/** Why this board gives no uncompressed pictures; null: it does. */
export function lumaMissing(world: World): string | null {
  try {
    world.luma()
    return null
  } catch (error) {
    if (isFault(error)) return messageOf(error)
    throw error
  }
}
