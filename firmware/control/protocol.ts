import { z } from "zod"
import { Fault } from "../errors.ts"
import { fromJson, toJson } from "./json.ts"

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
 *   obscura/1/<device>/command    owner  -> camera   signed "recipients" or "resend"
 *   obscura/1/pair/<rendezvous>/hello|offer|answer   MACed under the QR text's secret (pairing.ts)
 *
 * The cloud only ever carries. Of its own words a camera believes nothing but a receipt, by the key pinned at pairing.
 */

export const PAYLOAD_BYTES_MAX = 65_000
/** Of a message at a rendezvous. The longest, an offer with post-quantum recipients, has about 5,900. */
export const PAIRING_BYTES_MAX = 16_384

export const FROM_CAMERA = ["manifest", "chunk", "beat", "answer", "gone"] as const
export const TO_CAMERA = ["have", "receipt", "head", "command"] as const
export const PAIRING = ["hello", "offer", "answer"] as const
export type FromCamera = (typeof FROM_CAMERA)[number]
export type ToCamera = (typeof TO_CAMERA)[number]
export type PairingStep = (typeof PAIRING)[number]

export const deviceTopic = (device: string, name: FromCamera | ToCamera): string =>
  `obscura/1/${device}/${name}`
export const pairingTopic = (rendezvous: string, step: PairingStep): string =>
  `obscura/1/pair/${rendezvous}/${step}`

export type Topic =
  | { readonly device: string; readonly name: FromCamera | ToCamera }
  | { readonly rendezvous: string; readonly name: PairingStep }

const DEVICE_TOPIC =
  /^obscura\/1\/([0-9a-f]{40})\/(manifest|chunk|beat|answer|gone|have|receipt|head|command)$/
const PAIRING_TOPIC = /^obscura\/1\/pair\/([0-9a-f]{32})\/(hello|offer|answer)$/

/** null for any topic that is not one of the above, wildcards included. */
export function parseTopic(topic: string): Topic | null {
  const device = DEVICE_TOPIC.exec(topic)
  if (device?.[1] && device[2]) return { device: device[1], name: device[2] as FromCamera | ToCamera }
  const pairing = PAIRING_TOPIC.exec(topic)
  if (pairing?.[1] && pairing[2]) return { rendezvous: pairing[1], name: pairing[2] as PairingStep }
  return null
}

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

const ROLES = ["camera", "owner"] as const
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

const entryShape = z.discriminatedUnion("kind", [objectEntryShape, dropEntry, cutEntry])
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

export function isObjectEntry(entry: Entry): entry is ObjectEntry {
  return entry.kind !== "drop" && entry.kind !== "cut"
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
  /** Sequence of the newest entry, -1 before the first. */
  newest: z.int().min(-1),
  /** SHA-256 of the newest manifest's envelope. */
  head: sha256,
  epoch: count,
  recipients: sha256,
  /** Key id of this camera's owner, who alone may send commands. */
  owner: deviceId,
  spoolBytes: count,
  temperatureCelsius: z.number().nullable(),
  undervoltage: z.boolean().nullable(),
  throttled: z.boolean().nullable(),
})
export type Heartbeat = z.infer<typeof heartbeatShape>

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
