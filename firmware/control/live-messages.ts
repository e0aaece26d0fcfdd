import { z } from "zod"
import { Fault } from "../errors.ts"
import type { Bytes, Milliseconds } from "../units.ts"
import { seconds } from "../units.ts"
import { beatQuoteShape, deviceId, objectId, PAYLOAD_BYTES_MAX, sha256 } from "./protocol.ts"

/**
 * What a live view is asked, allowed and carried by: a part of `protocol.ts`. `design/grants.md` says why.
 *
 *   owner  -> viewer  signed "grant"                    for one viewer, one camera, a reason, an end
 *   viewer -> camera  signed "ask"                      the grant, and a fresh key
 *   camera -> viewer  signed "live", or "answer"        its own fresh key; or a refusal with its reason; or why it is over
 *   camera -> viewer  pictures, sealed one by one
 *   viewer -> camera  reports, sealed: what it has, or that it leaves
 *   owner  -> camera  signed "renewal", "revocation"
 */

/** From the quoted heartbeat on. */
export const GRANT_FOR_MAX: Milliseconds = seconds(600)
/** Of the quoted heartbeat, for whoever is not the owner: so long without a renewal, and the view ends. */
export const RENEWED_FOR: Milliseconds = seconds(30)
/** How often a camera beats while a renewal is wanted. */
export const RENEWAL_BEAT_EVERY: Milliseconds = seconds(10)

/** By the owner's key. */
export const grantShape = z.strictObject({
  device: deviceId,
  purpose: z.literal("live"),
  /** Makes two grants of the same words two. */
  nonce: objectId,
  /** Ed25519 key of the owner, whose signature this is: for the cloud, which knows its id alone. */
  owner: sha256,
  /** Ed25519 key of the viewer. */
  receiver: sha256,
  /** Whoever carries this can read it. */
  reason: z
    .string()
    .max(200)
    .refine((text) => /[\p{L}\p{N}]/u.test(text), "blank"),
  beat: beatQuoteShape,
  /** It ends so long after that heartbeat, by the camera's own monotonic clock. */
  seconds: z
    .int()
    .min(1)
    .max(GRANT_FOR_MAX / 1_000),
})
export type Grant = z.infer<typeof grantShape>

/** By the key that the grant names as its receiver. */
export const askShape = z.strictObject({
  device: deviceId,
  /** The grant's envelope, base64. */
  grant: z.string().max(4_000),
  /** X25519 key of this ask alone. */
  ephemeral: sha256,
})
export type Ask = z.infer<typeof askShape>

/** By the camera. The keys of the session are derived from the two ephemerals and the hash of this envelope. */
export const liveShape = z.strictObject({
  device: deviceId,
  session: objectId,
  /** SHA-256 of the ask's envelope, and of the grant's in it. */
  ask: sha256,
  grant: sha256,
  viewer: sha256,
  /** X25519 keys of the viewer and of the camera, of this session alone. */
  ephemeral: sha256,
  answer: sha256,
})
export type Live = z.infer<typeof liveShape>

/** By the owner's key: whoever has this grant may go on, until RENEWED_FOR after that heartbeat. */
export const renewalShape = z.strictObject({ device: deviceId, grant: sha256, beat: beatQuoteShape })
export type Renewal = z.infer<typeof renewalShape>

/** By the owner's key; `grant` null: every grant so far. */
export const revocationShape = z.strictObject({ device: deviceId, grant: sha256.nullable() })
export type Revocation = z.infer<typeof revocationShape>

/** By the owner's key. Off needs somebody at the camera: `press` is in its heartbeats for a while after its button. */
export const privacyShape = z.discriminatedUnion("mode", [
  z.strictObject({ device: deviceId, mode: z.literal("on"), beat: beatQuoteShape }),
  z.strictObject({ device: deviceId, mode: z.literal("off"), press: objectId }),
])
export type PrivacyCommand = z.infer<typeof privacyShape>

// Sealed messages: version u8 = 1 · session 16 · counter u64 · part u16 · parts u16 · bytes of
// ChaCha20-Poly1305(key of this session and direction, nonce = 0 u32 · counter, associated data = the first 25 bytes)

const VERSION = 1
const NAMED_BYTES: Bytes = 25
const HEADER_BYTES: Bytes = NAMED_BYTES + 4
export const LIVE_PART_BYTES_MAX: Bytes = PAYLOAD_BYTES_MAX - HEADER_BYTES
/** A picture of 8 MiB and what is said of it. */
export const LIVE_PARTS_MAX = 130

export interface SealedPart {
  readonly session: string
  readonly counter: number
  readonly part: number
  readonly parts: number
  /** Version, session and counter: what the seal also covers. A view. */
  readonly named: Buffer
  /** A view. */
  readonly data: Buffer
}

/** What names a sealed message. */
export function namedBytes(session: string, counter: number): Buffer {
  const named = Buffer.alloc(NAMED_BYTES)
  named[0] = VERSION
  named.write(session, 1, "hex")
  named.writeBigUInt64BE(BigInt(counter), 17)
  return named
}

/** Of `sealed`, in order: each part's header, and a view of its bytes. */
export function* partsOf(
  named: Buffer,
  sealed: Buffer,
): Generator<readonly [header: Buffer, data: Buffer], void, undefined> {
  const parts = Math.max(1, Math.ceil(sealed.length / LIVE_PART_BYTES_MAX))
  for (let part = 0; part < parts; part++) {
    const header = Buffer.alloc(HEADER_BYTES)
    named.copy(header)
    header.writeUInt16BE(part, NAMED_BYTES)
    header.writeUInt16BE(parts, NAMED_BYTES + 2)
    const from = part * LIVE_PART_BYTES_MAX
    yield [header, sealed.subarray(from, from + LIVE_PART_BYTES_MAX)]
  }
}

/** Is this a sealed message, and no envelope? */
export function isSealedPart(payload: Uint8Array): boolean {
  return payload[0] === VERSION
}

/** @throws Fault "malformed": too short or long, another version, or a part beyond its count. */
export function readPart(payload: Buffer): SealedPart {
  if (payload.length <= HEADER_BYTES || payload.length > PAYLOAD_BYTES_MAX || payload[0] !== VERSION)
    throw new Fault("malformed", "not a sealed live message")
  const counter = Number(payload.readBigUInt64BE(17))
  const part = payload.readUInt16BE(NAMED_BYTES)
  const parts = payload.readUInt16BE(NAMED_BYTES + 2)
  if (!Number.isSafeInteger(counter) || part >= parts || parts > LIVE_PARTS_MAX)
    throw new Fault("malformed", "a sealed live message with impossible numbers")
  return {
    session: payload.toString("hex", 1, 17),
    counter,
    part,
    parts,
    named: payload.subarray(0, NAMED_BYTES),
    data: payload.subarray(HEADER_BYTES),
  }
}
