import { z } from "zod"
import { Fault } from "../errors.ts"
import { fromJson, toJson } from "./json.ts"
import { PAYLOAD_BYTES_MAX } from "./topics.ts"

/**
 * Every topic and message, and who may send it. MQTT 3.1.1, nothing retained, literal topic filters. Cameras and owners
 * publish at QoS 1; the cloud answers at QoS 0, for whoever hears nothing asks again.
 *
 *   obscura/1/<device>/manifest   camera -> cloud    signed "manifest": what is about to come
 *   obscura/1/<device>/chunk      camera -> cloud    binary: bytes of one sealed object
 *   obscura/1/<device>/beat       camera -> cloud    signed "heartbeat"
 *   obscura/1/<device>/answer     camera -> owner    signed "answer" to a command
 *   obscura/1/<device>/gone       camera -> cloud    the will: empty
 *   obscura/1/<device>/have       cloud  -> camera   unsigned: what the cloud has, for pacing and resuming alone
 *   obscura/1/<device>/receipt    cloud  -> camera   signed "receipt": durable now
 *   obscura/1/<device>/head       cloud  -> camera   the camera's own newest manifest, if it seems to have lost it
 *   obscura/1/<device>/command    owner  -> camera   signed "recipients", "resend", "renewal", "revocation", "privacy" or "tuning"
 *   obscura/1/<device>/view       viewer -> camera   signed "ask", which holds the owner's signed "grant"; sealed reports
 *   obscura/1/<device>/live/<viewer>  camera -> viewer  signed "live" or "answer"; then sealed pictures
 *   obscura/1/<device>/delete     owner  -> cloud    signed "delete": what shall leave the cloud for good
 *   obscura/1/<device>/deleted    cloud  -> owner    signed "deleted": the cloud's claim that it has
 *   obscura/1/<device>/log        owner  -> cloud    unsigned: a question to the access log, or a grant to record in it
 *   obscura/1/<device>/logged     cloud  -> owner    unsigned: checkpoint, tiles, records; each is to be proven
 *   obscura/1/pair/<rendezvous>/hello|offer|answer   MACed under the QR text's secret (pairing.ts)
 *
 * `topics.ts` makes and reads them. Of "ask", "live", "renewal", "revocation", "privacy" and what is sealed live,
 * `live-messages.ts` has shapes and bytes. A viewer is the owner, or whoever else the owner lets look; `<viewer>` is the
 * id of their key. Of "tuning", `tuning.ts`; of "delete" and "deleted", `deletion-messages.ts`. The owner also signs "household", the book of keys and
 * members: it travels sealed, as an object of a mailbox of its own, and no camera and no cloud reads it. And "checkpoint",
 * what one owner tells another of an access log: sealed, and outside of all topics.
 * "staff-request", "consent", "withdrawal", "post" and "unpost" pass between people and services alone
 * (`harness/services`): no camera hears them, and none is good for anything here.
 *
 * The cloud only ever carries. Of its own words a camera believes nothing but a receipt, by the key pinned at pairing.
 */

export {
  deviceTopic,
  FROM_CAMERA,
  FROM_OWNER,
  type FromCamera,
  type FromOwner,
  liveTopic,
  PAIRING,
  PAIRING_BYTES_MAX,
  PAYLOAD_BYTES_MAX,
  type PairingStep,
  pairingTopic,
  parseTopic,
  TO_CAMERA,
  TO_OWNER,
  type ToCamera,
  type ToOwner,
  type Topic,
} from "./topics.ts"

// Fields

const hex = (digits: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${digits}}$`), `not ${digits} hex digits`)
const count = z.int().min(0)
export const deviceId = hex(40)
export const sha256 = hex(64)
export const objectId = hex(32)

/** No segment of any sane configuration comes near; it bounds what a camera can make the cloud set aside. */
export const OBJECT_BYTES_MAX = 32 * 1024 * 1024
export const MANIFEST_ENTRIES_MAX = 64
/** What stands where a chain has no predecessor. */
export const NO_MANIFEST = "0".repeat(64)

// connect: the password of MQTT CONNECT (§3.1.3.5). The user name is the role, the client id the key's id.

const ROLES = ["camera", "owner", "viewer"] as const
export type Role = (typeof ROLES)[number]

export const connectShape = z.strictObject({
  role: z.enum(ROLES),
  broker: z.string().min(1).max(120),
  client: deviceId,
  /** The Ed25519 public key whose hash is `client`. */
  key: hex(64),
  /** The TLS exporter of this connection, so that the password is of no use on another; null on loopback TCP. */
  binding: hex(64).nullable(),
})
export type Connect = z.infer<typeof connectShape>

// manifest: one link of a camera's chain. Entry i has sequence `sequence + i`.

export const objectEntryShape = z.strictObject({
  id: objectId,
  kind: z.enum(["segment", "thumbnail", "summary"]),
  clip: objectId,
  index: count.max(100_000),
  last: z.boolean(),
  headerBytes: count.min(1).max(16_384),
  payloadBytes: count.min(32).max(OBJECT_BYTES_MAX),
  headerHash: sha256,
  payloadHash: sha256,
  commit: sha256,
})
/** The payloads of these sequences (both included) will never come. */
const dropEntry = z.strictObject({
  kind: z.literal("drop"),
  from: count,
  to: count,
  cause: z.enum(["full", "refused newest", "damaged"]),
})
/** A power cut ended this clip after `segments` segments. */
const cutEntry = z.strictObject({ kind: z.literal("cut"), clip: objectId, segments: count })

/** Somebody begins to look, by this grant: said before a picture leaves. `viewer`: the id of their key. */
const liveEntry = z.strictObject({
  kind: z.literal("live"),
  session: objectId,
  grant: sha256,
  viewer: deviceId,
})
export const LIVE_ENDS = [
  "left",
  "gone",
  "expired",
  "not renewed",
  "revoked",
  "replaced",
  "privacy mode",
  "lens lost",
  "light lost",
  "link lost",
  "stopped",
  "power cut",
  "refused",
] as const
/** And has looked, at so many pictures; null: nobody counted, for the power went. */
const liveEndEntry = z.strictObject({
  kind: z.literal("live end"),
  session: objectId,
  cause: z.enum(LIVE_ENDS),
  pictures: count.nullable(),
})

const entryShape = z.discriminatedUnion("kind", [
  objectEntryShape,
  dropEntry,
  cutEntry,
  liveEntry,
  liveEndEntry,
])
export const manifestShape = z.strictObject({
  device: deviceId,
  sequence: count,
  /** SHA-256 of the previous manifest's envelope bytes; NO_MANIFEST for the first. */
  previous: sha256,
  /** Which recipients the objects are sealed for. */
  epoch: count,
  recipients: sha256,
  entries: z.array(entryShape).min(1).max(MANIFEST_ENTRIES_MAX),
})
export type Manifest = z.infer<typeof manifestShape>
export type Entry = z.infer<typeof entryShape>
export type ObjectEntry = z.infer<typeof objectEntryShape>
export type DropEntry = z.infer<typeof dropEntry>
export type CutEntry = z.infer<typeof cutEntry>

export type LiveEntry = z.infer<typeof liveEntry>
export type LiveEndEntry = z.infer<typeof liveEndEntry>
export type LiveEnd = (typeof LIVE_ENDS)[number]

export function isObjectEntry(entry: Entry): entry is ObjectEntry {
  return "payloadHash" in entry
}

// receipt: the cloud holds every object of this manifest durably, hashes checked

export const receiptShape = z.strictObject({
  device: deviceId,
  /** SHA-256 of the manifest's envelope bytes. */
  manifest: sha256,
  from: count,
  to: count,
})
export type Receipt = z.infer<typeof receiptShape>

// heartbeat

export const heartbeatShape = z.strictObject({
  device: deviceId,
  /** The camera's public key, whose hash is `device`: behind a broker that is not ours a cloud learns it here. */
  key: sha256,
  /** Random per boot. */
  boot: objectId,
  /** Counts up within one boot. */
  number: count,
  /** Random. Whoever quotes it has heard this heartbeat. */
  nonce: objectId,
  /** Sequence of the newest entry, -1 before the first. */
  newest: z.int().min(-1),
  /** SHA-256 of the newest manifest's envelope. */
  head: sha256,
  epoch: count,
  recipients: sha256,
  /** Key id of this camera's owner, who alone may send commands. */
  owner: deviceId,
  spoolBytes: count,
  /** How many look at it live. */
  viewers: count,
  /** null: off. While it is on, `press` is what the owner quotes to leave it, for a while after a press of the button. */
  privacy: z.strictObject({ press: objectId.nullable() }).nullable(),
  temperatureCelsius: z.number().nullable(),
  undervoltage: z.boolean().nullable(),
  throttled: z.boolean().nullable(),
})
export type Heartbeat = z.infer<typeof heartbeatShape>

/** Which heartbeat: its boot, number and nonce. What quotes it is younger than it, whatever the clocks say. */
export const beatQuoteShape = z.strictObject({ boot: objectId, number: count, nonce: objectId })
export type BeatQuote = z.infer<typeof beatQuoteShape>

// commands and their answer

export const recipientsShape = z.strictObject({
  device: deviceId,
  /** Only rises. */
  epoch: count.min(1),
  /** One household recipient: `age1…` or, post-quantum, `age1pq1…`. One, so the number of stanzas says nothing. */
  keys: z.tuple([z.string().regex(/^age1(?:pq1)?[02-9ac-hj-np-z]{20,4000}$/, "not an age recipient")]),
})
export type Recipients = z.infer<typeof recipientsShape>

export const resendShape = z.strictObject({
  device: deviceId,
  nonce: objectId,
  from: count,
  to: count,
})
export type Resend = z.infer<typeof resendShape>

export const answerShape = z.strictObject({
  device: deviceId,
  /** SHA-256 of the command's envelope bytes. */
  command: sha256,
  result: z.enum(["done", "refused"]),
  reason: z.string().max(200),
})
export type Answer = z.infer<typeof answerShape>

// have: not signed, for nothing but speed hangs on it

const haveShape = z.union([
  /** Of a manifest's objects, in order: how many bytes of each age file the cloud has, contiguous from 0. */
  z.strictObject({ manifest: sha256, held: z.array(count).max(MANIFEST_ENTRIES_MAX) }),
  /** No such object is expected: the manifest must come (again) first. */
  z.strictObject({ unknown: objectId }),
  /** The cloud will not take this manifest. */
  z.strictObject({ manifest: sha256, refused: z.string().max(200) }),
])
export type Have = z.infer<typeof haveShape>

export const encodeHave = (have: Have): Uint8Array => toJson(have)
/** @throws Fault "malformed" */
export const decodeHave = (bytes: Uint8Array): Have => fromJson(bytes, haveShape, "have", 4_096)

// chunk: version u8 = 1 · object id 16 · offset u32 big-endian · bytes of the age file from that offset

export const CHUNK_HEADER_BYTES = 21
export const CHUNK_DATA_BYTES_MAX = PAYLOAD_BYTES_MAX - CHUNK_HEADER_BYTES

export interface Chunk {
  readonly id: string
  readonly offset: number
  /** A view into the payload. */
  readonly data: Uint8Array
}

/** Room for one chunk of `length` data bytes with its header written; the caller fills the rest. */
export function chunkFrame(id: string, offset: number, length: number): Buffer {
  const frame = Buffer.allocUnsafe(CHUNK_HEADER_BYTES + length)
  frame[0] = 1
  frame.write(id, 1, "hex")
  frame.writeUInt32BE(offset, 17)
  return frame
}

/** @throws Fault "malformed" */
export function decodeChunk(payload: Buffer): Chunk {
  if (payload.length <= CHUNK_HEADER_BYTES || payload.length > PAYLOAD_BYTES_MAX || payload[0] !== 1)
    throw new Fault("malformed", "not a chunk")
  return {
    id: payload.toString("hex", 1, 17),
    offset: payload.readUInt32BE(17),
    data: payload.subarray(CHUNK_HEADER_BYTES),
  }
}
