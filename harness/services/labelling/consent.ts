import { z } from "zod"
import { sign, verifySelfSigned } from "../../../firmware/control/dsse.ts"
import {
  type PublicKey,
  publicKeyFromHex,
  type SigningKey,
  sha256Hex,
} from "../../../firmware/control/keys.ts"
import { deviceId, objectId, sha256 } from "../../../firmware/control/protocol.ts"
import { type Milliseconds, minutes, type UnixMilliseconds } from "../../../firmware/units.ts"

/** What a labelled clip may be used for. One consent, one purpose. */
export const PURPOSES = ["train recognition", "measure recognition"] as const
export type Purpose = (typeof PURPOSES)[number]

/** Nobody can foresee what they agree to for longer. */
export const CONSENT_FOR_MAX: Milliseconds = 366 * 24 * 60 * minutes(1)

/**
 * The owner's word that one object may be looked at and labelled. Signed with a key for this object alone, which names no
 * owner and no camera; it is the consent's name, and its mailbox in the access log.
 */
export const consentShape = z.strictObject({
  object: objectId,
  /** SHA-256 of the object, an age file: of this one and no other. */
  file: sha256,
  key: sha256,
  /** Which service, by `serviceId`: a consent for one is none for another. */
  service: deviceId,
  purpose: z.enum(PURPOSES),
  /** Of the camera; "indoor" is said by an owner who has chosen it in so many words. */
  place: z.enum(["outdoor", "indoor"]),
  /** What the owner did to the copy before it left. */
  changed: z.array(z.enum(["trimmed", "cropped", "blurred"])).max(3),
  /** Unix milliseconds. */
  expires: z.int().min(0),
})
export type Consent = z.infer<typeof consentShape>

export const withdrawalShape = z.strictObject({
  object: objectId,
  key: sha256,
})
export type Withdrawal = z.infer<typeof withdrawalShape>

export interface SignedConsent extends Consent {
  readonly signer: PublicKey
  /** SHA-256 of the envelope. */
  readonly hash: string
}

export const signConsent = (consent: Omit<Consent, "key">, key: SigningKey): Uint8Array =>
  sign("consent", { ...consent, key: key.hex }, key)

/** @throws Fault "malformed", "tampered" or "refused" (a weak key), definite: no consent, or a forged one. */
export function readConsent(envelope: Uint8Array): SignedConsent {
  const keyOf = ({ key }: Consent) => publicKeyFromHex(key)
  const { body, key } = verifySelfSigned("consent", envelope, consentShape, keyOf)
  return { ...body, signer: key, hash: sha256Hex(envelope) }
}

/** From now on nothing of it may be used. Good without the consent at hand: the key follows from the object's id. */
export const signWithdrawal = (object: string, key: SigningKey): Uint8Array =>
  sign("withdrawal", { object, key: key.hex }, key)

/** @throws as `readConsent`. */
export function readWithdrawal(envelope: Uint8Array): Withdrawal & { readonly hash: string } {
  const keyOf = ({ key }: Withdrawal) => publicKeyFromHex(key)
  const { body } = verifySelfSigned("withdrawal", envelope, withdrawalShape, keyOf)
  return { ...body, hash: sha256Hex(envelope) }
}

/** Of the service for which copies are sealed. */
export const serviceIdOf = (recipient: string): string => sha256Hex(Buffer.from(recipient)).slice(0, 40)

export const isOver = ({ expires }: Pick<Consent, "expires">, now: UnixMilliseconds): boolean =>
  now >= expires
