import { Encrypter } from "age-encryption"
import { commitOf } from "../../firmware/delivery/age.ts"
import { PAYLOAD_NONCE_BYTES, TAG_BYTES } from "../../firmware/delivery/age-payload.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import { Fault } from "../../firmware/errors.ts"
import { parseHeader, verifyHeader } from "./age-header.ts"
import type { Identity } from "./age-identity.ts"

/**
 * A new age header for the payload of `file`, so that `recipient` opens header and payload joined with any age tool.
 * The payload stays as it is, byte for byte, and with it the hash in the camera's manifest. One stanza, as before.
 * What somebody was given cannot be taken back: they may keep the file key.
 *
 * @throws Fault "malformed": not an age file, or not a recipient; "refused": sealed for another household;
 *         "tampered": not the file key of the manifest; "usage": the recipient is weaker than the household's own key.
 *         All definite.
 */
export async function rewrapHeader(
  file: Uint8Array,
  identity: Identity,
  recipient: string,
  commit: string,
): Promise<Uint8Array> {
  parseRecipient(recipient)
  // Whoever breaks the weaker header reads the film: what withstands a quantum computer is not handed on to less.
  const header = parseHeader(file)
  if (header === null) throw new Fault("malformed", "not a whole age file: cut within its header")
  if (header.stanzas.some(({ args }) => args[0] === "mlkem768x25519") && !recipient.startsWith("age1pq1"))
    throw new Fault(
      "usage",
      "this clip is sealed post-quantum: share it with a recipient that is too (age1pq1…)",
    )
  const fileKey = await identity.unwrap(header)
  if (fileKey === null) throw new Fault("refused", "this age file is sealed for another key")
  try {
    verifyHeader(header, fileKey)
    if (commitOf(fileKey) !== commit)
      throw new Fault("tampered", "the file key is not the one that the manifest commits to")
    return await headerFor(fileKey, recipient)
  } finally {
    fileKey.fill(0)
  }
}

/**
 * typage makes a file key of its own and shows it to each recipient in turn. The first one here adds no stanza and puts
 * the wanted key in its place. An empty file is its header, and a nonce and tag more.
 */
async function headerFor(fileKey: Uint8Array, recipient: string): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.addRecipient({
    wrapFileKey: (fresh) => {
      fresh.set(fileKey)
      return []
    },
  })
  encrypter.addRecipient(recipient)
  const file = await encrypter.encrypt(new Uint8Array(0))
  const made = file.slice(0, -(PAYLOAD_NONCE_BYTES + TAG_BYTES))
  const header = parseHeader(made)
  if (header === null || header.stanzas.length !== 1)
    throw new Fault("broken", "a re-wrapped header of another shape")
  verifyHeader(header, fileKey)
  return made
}
