import { Decrypter, Encrypter } from "age-encryption"
import { z } from "zod"
import { recipientsShape } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"

/**
 * Something that one has, beside the passphrase that one knows: an age identity in a file on another medium. The root is
 * sealed for it first and then under the passphrase, so a folder opens with both and with neither alone. It is no code
 * that a server asks for: there is no server here that could open anything, or be asked to.
 *
 * second-factor.json: {"file": where it was, "recipient": its public half}. Neither is secret.
 */
export const secondFactorShape = z.strictObject({
  file: z.string().min(1).max(4_096),
  recipient: recipientsShape.shape.keys.def.items[0],
})
export type SecondFactor = z.infer<typeof secondFactorShape>

const AGE_FILE = Buffer.from("age-encryption.org/v1\n")

export async function sealForFactor(plain: string, recipient: string): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  return encrypter.encrypt(plain)
}

/** Whether what a passphrase opened is still sealed for a second factor. */
export function needsFactor(opened: Uint8Array): boolean {
  return AGE_FILE.equals(opened.subarray(0, AGE_FILE.length))
}

/** `identity`: the text of the factor's file. @throws Fault "refused", definite: another one's, or none. */
export async function openWithFactor(sealed: Uint8Array, identity: string): Promise<string> {
  const [line = ""] = identity.match(/^AGE-SECRET-KEY-\S+$/m) ?? []
  try {
    const decrypter = new Decrypter()
    decrypter.addIdentity(line)
    return await decrypter.decrypt(sealed, "text")
  } catch {
    // No cause: the library's messages may quote the key.
    throw new Fault("refused", "this is not the second factor that belongs to these keys")
  }
}
