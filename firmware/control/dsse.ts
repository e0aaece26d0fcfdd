import { z } from "zod"
import { Fault, isFault } from "../errors.ts"
import { fromJson, toJson } from "./json.ts"
import { type PublicKey, type SigningKey, signWith, verifies } from "./keys.ts"

/**
 * Every signature in obscura is a DSSE envelope (secure-systems-lab/dsse v1.0.2):
 *
 *   {"payloadType":"application/vnd.obscura.<kind>.v1+json","payload":base64,"signatures":[{"keyid":id,"sig":base64}]}
 *
 * signed over PAE(type, payload) = "DSSEv1" SP len(type) SP type SP len(payload) SP payload.
 * The kind is part of what is signed, so a heartbeat never passes for a manifest.
 */

export const SIGNED_KINDS = [
  "connect",
  "manifest",
  "receipt",
  "heartbeat",
  "recipients",
  "resend",
  "answer",
  "grant",
  "ask",
  "live",
  "renewal",
  "revocation",
  "privacy",
  "tuning",
  "household",
  "checkpoint",
  "delete",
  "deleted",
  "staff-request",
  "consent",
  "withdrawal",
  "post",
  "unpost",
] as const
export type SignedKind = (typeof SIGNED_KINDS)[number]

/** A manifest of 64 entries is the largest thing signed; it fits one MQTT payload. */
export const ENVELOPE_BYTES_MAX = 60_000

// One spelling only: unused bits of the last digit could otherwise make a second envelope, with another hash, of one statement.
const base64 = z
  .string()
  .refine((text) => Buffer.from(text, "base64").toString("base64") === text, "not canonical base64")

const envelopeShape = z.strictObject({
  payloadType: z.string().max(80),
  payload: base64,
  signatures: z.tuple([
    z.strictObject({ keyid: z.string().regex(/^[0-9a-f]{40}$/), sig: z.string().length(88).pipe(base64) }),
  ]),
})

/** The fields in their order too: otherwise one statement had envelopes with other hashes, by which grants are revoked. */
const SPELT =
  /^\{"payloadType":"[^"]*","payload":"[^"]*","signatures":\[\{"keyid":"[^"]*","sig":"[^"]*"\}\]\}$/

export function typeOf(kind: SignedKind): string {
  return `application/vnd.obscura.${kind}.v1+json`
}

/** Signs `body` as JSON. Returns the envelope's bytes. */
export function sign(kind: SignedKind, body: unknown, key: SigningKey): Uint8Array {
  const payload = toJson(body)
  return toJson({
    payloadType: typeOf(kind),
    payload: Buffer.from(payload).toString("base64"),
    signatures: [{ keyid: key.id, sig: Buffer.from(signWith(key, pae(kind, payload))).toString("base64") }],
  })
}

/** What an envelope says that it is; null if it is none. Nothing is verified. */
export function kindOf(bytes: Uint8Array): SignedKind | null {
  try {
    const { payloadType } = readEnvelope(bytes, "envelope")
    return SIGNED_KINDS.find((kind) => typeOf(kind) === payloadType) ?? null
  } catch (error) {
    if (isFault(error, "malformed")) return null
    throw error
  }
}

/** What an envelope says; null if it is none, or says nothing of `shape`. Nothing is verified. */
export function unverified<T>(bytes: Uint8Array, shape: z.ZodType<T>): T | null {
  try {
    const { payload } = readEnvelope(bytes, "envelope")
    return fromJson(Buffer.from(payload, "base64"), shape, "payload", ENVELOPE_BYTES_MAX)
  } catch (error) {
    if (isFault(error, "malformed")) return null
    throw error
  }
}

/** Whose key an envelope claims; null if it is no envelope. Nothing is verified. */
export function signerOf(bytes: Uint8Array): string | null {
  try {
    return readEnvelope(bytes, "envelope").signatures[0].keyid
  } catch (error) {
    if (isFault(error, "malformed")) return null
    throw error
  }
}

/**
 * Verifies first, then parses: the bytes inside are not looked at before the signature holds.
 *
 * @throws Fault "malformed": no such envelope, or a body not of `shape`;
 *         Fault "tampered": another kind, another key, or a signature that does not hold. All definite.
 */
export function verify<T>(kind: SignedKind, bytes: Uint8Array, key: PublicKey, shape: z.ZodType<T>): T {
  const envelope = envelopeOf(kind, bytes)
  const payload = Buffer.from(envelope.payload, "base64")
  checkSignature(kind, envelope, payload, key)
  return fromJson(payload, shape, kind, ENVELOPE_BYTES_MAX)
}

/**
 * As `verify`, for an envelope that carries its own key: `keyOf` finds it in the *unverified* body. With the body comes
 * the key that verified it, ready for what else it signs.
 */
export function verifySelfSigned<T>(
  kind: SignedKind,
  bytes: Uint8Array,
  shape: z.ZodType<T>,
  keyOf: (unverified: T) => PublicKey,
): { readonly body: T; readonly key: PublicKey } {
  const envelope = envelopeOf(kind, bytes)
  const payload = Buffer.from(envelope.payload, "base64")
  const body = fromJson(payload, shape, kind, ENVELOPE_BYTES_MAX)
  const key = keyOf(body)
  checkSignature(kind, envelope, payload, key)
  return { body, key }
}

type Envelope = z.infer<typeof envelopeShape>

function envelopeOf(kind: SignedKind, bytes: Uint8Array): Envelope {
  return readEnvelope(bytes, `${kind} envelope`)
}

function readEnvelope(bytes: Uint8Array, what: string): Envelope {
  const envelope = fromJson(bytes, envelopeShape, what, ENVELOPE_BYTES_MAX)
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1")
  if (!SPELT.test(text)) throw new Fault("malformed", `${what}: fields in another order`)
  return envelope
}

function checkSignature(kind: SignedKind, envelope: Envelope, payload: Uint8Array, key: PublicKey): void {
  if (envelope.payloadType !== typeOf(kind))
    throw new Fault("tampered", `a ${kind} was expected, the envelope holds another kind`)
  const [{ keyid, sig }] = envelope.signatures
  if (keyid !== key.id) throw new Fault("tampered", `${kind}: signed by another key`)
  if (!verifies(key, pae(kind, payload), Buffer.from(sig, "base64")))
    throw new Fault("tampered", `${kind}: the signature does not hold`)
}

/** The exact bytes that are signed (DSSE protocol, "Pre-Authentication Encoding"). */
export function pae(kind: SignedKind, payload: Uint8Array): Uint8Array {
  const type = typeOf(kind)
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${payload.length} `), payload])
}
