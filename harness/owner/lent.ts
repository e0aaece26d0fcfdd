import { readFile } from "node:fs/promises"
import { z } from "zod"
import { unverified } from "../../firmware/control/dsse.ts"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { type PublicKey, publicKeyFromHex } from "../../firmware/control/keys.ts"
import { grantShape } from "../../firmware/control/live-messages.ts"
import { sha256 } from "../../firmware/control/protocol.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"

/** What an owner hands to whom they let look: the camera's key, by which its words are known, and the grant. No secret. */
const lentShape = z.strictObject({ version: z.literal(1), camera: sha256, grant: z.string().max(4_000) })

export interface LentCamera {
  readonly camera: PublicKey
  readonly envelope: Uint8Array
  readonly for: Milliseconds
}

export function lentText(camera: PublicKey, grant: Uint8Array): Uint8Array {
  return toJson({ version: 1, camera: camera.hex, grant: Buffer.from(grant).toString("base64") })
}

/** @throws Fault "usage", definite: no such file, or something else. */
export async function readLent(path: string): Promise<LentCamera> {
  try {
    const { camera, grant } = fromJson(await readFile(path), lentShape, "what is lent", 10_000)
    const envelope = Buffer.from(grant, "base64")
    const said = unverified(envelope, grantShape)
    if (said === null) throw new Fault("malformed", "what is lent: no grant in it")
    return { camera: publicKeyFromHex(camera), envelope, for: seconds(said.seconds) }
  } catch (cause) {
    const why = isFault(cause) ? cause.message : messageOf(cause)
    throw new Fault("usage", `--lent ${path}: ${why}; ask for a file of "obscura owner lend"`, { cause })
  }
}
