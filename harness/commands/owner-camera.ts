import type { PublicKey } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import type { OwnerFolder } from "../owner/folder.ts"

/** The paired camera whose id begins so. @throws Fault "usage", definite: none does, or several. */
export async function cameraNamed(folder: OwnerFolder, beginning: string): Promise<PublicKey> {
  const all = await folder.cameras()
  const found = all.filter(({ id }) => id.startsWith(beginning.toLowerCase()))
  const [camera] = found
  if (camera && found.length === 1 && beginning !== "") return camera
  if (all.length === 0) throw new Fault("usage", 'no camera is paired yet; "obscura owner pair" does that')
  const why = found.length > 1 ? `${found.length} cameras begin` : "no camera begins"
  throw new Fault(
    "usage",
    `${why} with ${JSON.stringify(beginning.slice(0, 60))}; "obscura owner list" shows them`,
  )
}
