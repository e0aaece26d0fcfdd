import { randomBytes } from "node:crypto"
import { z } from "zod"
import { sign, verifySelfSigned } from "../../../firmware/control/dsse.ts"
import { fromJson } from "../../../firmware/control/json.ts"
import { publicKeyFromHex, type SigningKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { GRANT_FOR_MAX } from "../../../firmware/control/live-messages.ts"
import { deviceId, objectId, recipientsShape, sha256 } from "../../../firmware/control/protocol.ts"
import { sealAge } from "../../../firmware/delivery/age.ts"
import { padJson, sidecar, unpadJson } from "../../../firmware/delivery/padding.ts"
import { parseRecipient } from "../../../firmware/delivery/recipient.ts"
import { Fault } from "../../../firmware/errors.ts"
import type { Bytes, Seconds } from "../../../firmware/units.ts"
import { openAge } from "../../owner/open-age.ts"
import { staffName } from "../staff/registry.ts"
import type { SupportCode } from "./code.ts"

/** Of what is judged; longer ones are cut, and refused as too long. */
const REASON_CHARACTERS_MAX = 10_000

/**
 * What goes between a person of the support and an owner. A request names no camera: which one, the owner says. It names
 * one viewer's key, so whatever is answered lets one key look at one camera.
 */
export const lookRequestShape = z.strictObject({
  for: z.literal("look"),
  name: staffName,
  /** Ed25519 of the one who asks; the registry knows it. */
  key: sha256,
  request: objectId,
  /** Where it goes, and for whom it is sealed there: both follow from the owner's support code. */
  box: deviceId,
  recipient: recipientsShape.shape.keys.def.items[0],
  /** Ed25519, made for this request: who may look, if the owner says so. */
  receiver: sha256,
  /** `flawOfReason` judges it, so that a bad one is refused and recorded as what it is. */
  reason: z.string().max(REASON_CHARACTERS_MAX),
  seconds: z
    .int()
    .min(1)
    .max(GRANT_FOR_MAX / 1_000),
})
export type LookRequest = z.infer<typeof lookRequestShape>

export interface Asking {
  readonly name: string
  readonly staff: SigningKey
  readonly code: Pick<SupportCode, "box" | "recipient">
  readonly viewer: SigningKey
  readonly reason: string
  readonly seconds: Seconds
}

export function lookRequest({ name, staff, code, viewer, reason, seconds }: Asking): {
  readonly request: string
  readonly envelope: Uint8Array
} {
  const body: LookRequest = {
    ...{ for: "look", name, key: staff.hex, request: randomBytes(16).toString("hex") },
    ...{ box: code.box, recipient: code.recipient, receiver: viewer.hex, seconds },
    reason: reason.slice(0, REASON_CHARACTERS_MAX),
  }
  return { request: body.request, envelope: sign("staff-request", body, staff) }
}

/** @throws Fault "malformed" or "tampered", definite: no such request, or not signed by the key that it names. */
export function readLookRequest(envelope: Uint8Array): LookRequest {
  return verifySelfSigned("staff-request", envelope, lookRequestShape, ({ key }) => publicKeyFromHex(key))
    .body
}

/** The owner's answer: a grant with the camera's key, by which its words are known; or no. */
const answerShape = z.discriminatedUnion("result", [
  z.strictObject({
    result: z.literal("granted"),
    request: objectId,
    camera: sha256,
    grant: z.string().max(4_000),
  }),
  z.strictObject({ result: z.literal("refused"), request: objectId }),
])
export type LookAnswer = z.infer<typeof answerShape>

const SEALED_BYTES_MAX: Bytes = 200_000
const requestFileShape = z.strictObject({ request: z.string().max(60_000) })

/** All requests and answers have one size, so neither tells which it is. */
async function sealed(value: unknown, recipient: string): Promise<Uint8Array> {
  const { header, payload } = await sealAge(padJson(value, sidecar), parseRecipient(recipient))
  return Buffer.concat([header, ...payload])
}

async function opened<T>(file: Uint8Array, code: SupportCode, shape: z.ZodType<T>): Promise<T> {
  if (file.length > SEALED_BYTES_MAX) throw new Fault("malformed", "a support message is too large")
  return fromJson(unpadJson(await openAge(file, code.identity)), shape, "support message", SEALED_BYTES_MAX)
}

export function sealRequest(envelope: Uint8Array, recipient: string): Promise<Uint8Array> {
  return sealed({ request: Buffer.from(envelope).toString("base64") }, recipient)
}

/** `hash`: SHA-256 of what was signed. @throws Fault "refused", "tampered" or "malformed", definite: not for this code, or no request. */
export async function openRequest(
  file: Uint8Array,
  code: SupportCode,
): Promise<LookRequest & { readonly hash: string }> {
  const { request } = await opened(file, code, requestFileShape)
  const envelope = Buffer.from(request, "base64")
  const body = readLookRequest(envelope)
  if (body.box !== code.box) throw new Fault("refused", "a request for another support code")
  return { ...body, hash: sha256Hex(envelope) }
}

export const sealAnswer = (answer: LookAnswer, { recipient }: SupportCode): Promise<Uint8Array> =>
  sealed(answer, recipient)

/** @throws as `openRequest`. */
export const openAnswer = (file: Uint8Array, code: SupportCode): Promise<LookAnswer> =>
  opened(file, code, answerShape)
