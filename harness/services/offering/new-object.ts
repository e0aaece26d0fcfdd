import { randomBytes } from "node:crypto"
import { sha256Hex } from "../../../firmware/control/keys.ts"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"

/**
 * What leaves a household: one age file under an id, a file key and a size that nothing else has. Of the clip that it was
 * made from it keeps what can be seen, and no name, hash, key or length.
 */
export interface NewObject {
  /** Random, 32 hex digits. */
  readonly id: string
  readonly file: Uint8Array
  /** SHA-256 of the file. */
  readonly hash: string
}

export async function newObject(film: Uint8Array, recipient: string): Promise<NewObject> {
  const { header, payload } = await sealAge(film, parseRecipient(recipient))
  const file = Buffer.concat([header, ...payload])
  return { id: randomBytes(16).toString("hex"), file, hash: sha256Hex(file) }
}
