import { z } from "zod"
import { sign, verify } from "../../firmware/control/dsse.ts"
import type { PublicKey, SigningKey } from "../../firmware/control/keys.ts"
import { sealAge } from "../../firmware/delivery/age.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import { Fault } from "../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../firmware/units.ts"
import type { Identity } from "./age-identity.ts"
import { openAge } from "./open-age.ts"

/**
 * A checkpoint message from owner to owner: an age file for the one, and inside a DSSE envelope "checkpoint" of the other.
 * A cloud that carries it cannot read whose it is and what it says, and cannot put its own in place of it: age knows no
 * sender, so the signature says who wrote it, and for whom, so that nobody passes it on as said to another. It can withhold
 * it, or give an older one: so `at` is told.
 */
const saidShape = z.strictObject({
  /** The age recipient that it was sealed for. */
  to: z.string().max(4_100),
  /** Base64, as `exportCheckpoint` makes it. */
  message: z.string().max(40_000),
  /** Unix milliseconds, by the sender's clock. */
  at: z.number().min(0),
})

export interface SaidCheckpoint {
  readonly message: Uint8Array
  readonly at: UnixMilliseconds
}

/** @throws Fault "malformed", definite: no recipient. */
export async function sealCheckpoint(
  { message, at }: SaidCheckpoint,
  to: string,
  key: SigningKey,
): Promise<Uint8Array> {
  const said = { to, message: Buffer.from(message).toString("base64"), at }
  const { header, payload } = await sealAge(sign("checkpoint", said, key), parseRecipient(to))
  return Buffer.concat([header, ...payload])
}

/** Whether `bytes` are sealed; a note or a message in the open is not. */
export function isSealed(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 21)).toString("latin1") === "age-encryption.org/v1"
}

/**
 * `isOurs`: of our recipients.
 * @throws Fault "refused": sealed for somebody else; "tampered": not said by `sender`, not to us, or changed on the way;
 *         "malformed": no such message. All definite.
 */
export async function openCheckpointFrom(
  sender: PublicKey,
  file: Uint8Array,
  identity: Identity,
  isOurs: (recipient: string) => boolean,
): Promise<SaidCheckpoint> {
  const { to, message, at } = verify("checkpoint", await openAge(file, identity), sender, saidShape)
  if (!isOurs(to)) throw new Fault("tampered", "this checkpoint was said to somebody else, and passed on")
  return { message: Buffer.from(message, "base64"), at }
}
