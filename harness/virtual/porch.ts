import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { type Footage, footageFromAnnexB } from "../../simulator/footage.ts"

/**
 * The yard of `simulator/scene` with its courier, at 320x180 and 60 kbit/s: days of many cameras are to be sealed.
 * Ten seconds, a key frame each.
 */
export async function porch(): Promise<Footage> {
  const bytes = await readFile(join(import.meta.dirname, "footage", "porch.h264"))
  return footageFromAnnexB("porch", bytes, null)
}
