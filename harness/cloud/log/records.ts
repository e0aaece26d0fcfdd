import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { deviceId, objectId, sha256 as sha256Shape } from "../../../firmware/control/protocol.ts"
import type { Bytes } from "../../../firmware/units.ts"
import { sha256 } from "./merkle.ts"

/**
 * What the access log tells. A record is handed to the owner of its device alone. Into the tree, which anybody may read,
 * goes SHA-256(salt · record), with 32 random bytes of salt: whoever has both can show that the log holds the record,
 * and whoever has neither learns no device, no account, no kind and no time from it.
 *
 * Kinds, and what makes a cloud write them:
 *
 *   live session      forced      start and end of each session are in the camera's own signed chain
 *   grant             forced      the owner signs it, and the owner's vault keeps it before it leaves
 *   consent           forced      the same
 *   key change        forced      the owner signs the recipients, and the camera's heartbeats name them
 *   deletion          forced      the owner signs the request, and keeps it
 *   support           by policy   what was asked and never came to the owner nobody else knows; a look is a live session
 *   labelling         by policy   who was given a copy can look at it unseen
 *   ciphertext read   by policy   who holds sealed bytes can copy them and say nothing
 *   view repeated     by policy   what was opened once can be looked at again
 *   request refused   by policy   nobody but the cloud knows that it was asked
 *
 * Forced means: the owner has the same fact from elsewhere, signed, so a record that is not there shows.
 */
export type Trace = "forced" | "policy"

export const RECORD_BYTES_MAX: Bytes = 2_000
export const SALT_BYTES = 32
/** The commitment that stands before a device's first record. */
export const NO_RECORD = "0".repeat(64)

const ROLES = ["owner", "viewer", "support", "neighbours", "labelling", "staff", "stranger", "cloud"] as const
export type AccessRole = (typeof ROLES)[number]
/** Of objects that one "ciphertext read" names. */
export const READ_OBJECTS_MAX = 24

/** One line, and more than blanks: "an empty, blank reason is refused". */
const words = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => /\S/.test(text) && !/\p{C}/u.test(text), "blank, or not one line")

const about = {
  device: deviceId,
  /** Unix milliseconds, by the cloud's clock. */
  at: z.int().min(0),
  /** Who looked, or asked to: as what, and by which key, where there is one. */
  by: z.strictObject({
    role: z.enum(ROLES),
    key: deviceId.nullable(),
  }),
  /** Why. */
  reason: words,
}

/** Of each kind what it tells beside `about`. The hashes are those of the signed envelopes. */
const KIND_SHAPES = {
  "live session": z.strictObject({
    kind: z.literal("live session"),
    ...about,
    session: objectId,
    grant: sha256Shape,
  }),
  grant: z.strictObject({
    kind: z.literal("grant"),
    ...about,
    grant: sha256Shape,
    purpose: z.enum(["live view", "clip", "neighbours", "labelling"]),
    /** Id of the key that it was made out to; null: of none that signs. */
    receiver: deviceId.nullable(),
  }),
  consent: z.strictObject({
    kind: z.literal("consent"),
    ...about,
    consent: sha256Shape,
    change: z.enum(["given", "withdrawn"]),
  }),
  "key change": z.strictObject({
    kind: z.literal("key change"),
    ...about,
    epoch: z.int().min(0),
    recipients: sha256Shape,
  }),
  deletion: z.strictObject({
    kind: z.literal("deletion"),
    ...about,
    request: sha256Shape,
    /** How many left. */
    objects: z.int().min(0),
  }),
  support: z.strictObject({
    kind: z.literal("support"),
    ...about,
    /** The signed ask. */
    request: sha256Shape,
    step: z.enum(["asked", "answered", "declined", "ended"]),
  }),
  labelling: z.strictObject({
    kind: z.literal("labelling"),
    ...about,
    /** Under which anything was done. What left is a new object, and its id is not here: nothing links it back. */
    consent: sha256Shape,
    step: z.enum(["opened", "labelled", "exported", "removed"]),
  }),
  "ciphertext read": z.strictObject({
    kind: z.literal("ciphertext read"),
    ...about,
    objects: z.array(objectId).min(1).max(READ_OBJECTS_MAX),
  }),
  "view repeated": z.strictObject({ kind: z.literal("view repeated"), ...about, grant: sha256Shape }),
  "request refused": z.strictObject({
    kind: z.literal("request refused"),
    ...about,
    request: z.enum(["live view", "clip", "grant", "command", "deletion", "support", "labelling"]),
    refusal: words,
    /** This one, and how many of this camera's were only counted since the record before. */
    times: z.int().min(1),
  }),
} as const
export type RecordKind = keyof typeof KIND_SHAPES

export const accessRecordShape = z.discriminatedUnion("kind", [
  KIND_SHAPES["live session"],
  KIND_SHAPES.grant,
  KIND_SHAPES.consent,
  KIND_SHAPES["key change"],
  KIND_SHAPES.deletion,
  KIND_SHAPES.support,
  KIND_SHAPES.labelling,
  KIND_SHAPES["ciphertext read"],
  KIND_SHAPES["view repeated"],
  KIND_SHAPES["request refused"],
])
/** What is given to the log. */
export type AccessRecord = z.infer<typeof accessRecordShape>

/** What the log makes of it: the records of one device are counted, and each names the one before. */
export const loggedRecordShape = z.strictObject({
  number: z.int().min(0),
  /** Commitment to the device's record before this one; NO_RECORD for the first. */
  previous: sha256Shape,
  record: accessRecordShape,
})
export type LoggedRecord = z.infer<typeof loggedRecordShape>

/** By kind: is it forced to leave a trace, and by what; in words for a person. */
export const KINDS: Readonly<Record<RecordKind, { readonly trace: Trace; readonly because: string }>> = {
  "live session": {
    trace: "forced",
    because: "the camera signs start and end of each session into its chain",
  },
  grant: { trace: "forced", because: "only the owner can sign it, and the vault keeps it before it leaves" },
  consent: {
    trace: "forced",
    because: "only the owner can sign it, and the vault keeps it before it leaves",
  },
  "key change": {
    trace: "forced",
    because: "only the owner can sign it, and the camera's heartbeats name the recipients",
  },
  deletion: {
    trace: "forced",
    because: "only the owner can sign it, and keeps the request that the cloud answered",
  },
  support: {
    trace: "policy",
    because:
      "an ask that the owner never heard, nobody else knows of; a look that came of one is a live session",
  },
  labelling: { trace: "policy", because: "whoever was given a copy can look at it unseen" },
  "ciphertext read": { trace: "policy", because: "whoever holds sealed bytes can copy them in silence" },
  "view repeated": { trace: "policy", because: "what was opened once can be looked at again" },
  "request refused": { trace: "policy", because: "nobody but the cloud knows that it was asked" },
}
export const RECORD_KINDS = Object.keys(KINDS) as readonly RecordKind[]

/** What a record of a forced kind must be matched with elsewhere: the same fact has the same text. null: of no forced kind. */
export function traceOf(record: AccessRecord): string | null {
  switch (record.kind) {
    case "live session":
      return `live session ${record.session}`
    case "grant":
      return `grant ${record.grant}`
    case "consent":
      return `consent ${record.consent}`
    case "key change":
      return `key change ${record.recipients}`
    case "deletion":
      return `deletion ${record.request}`
    case "support":
    case "labelling":
    case "ciphertext read":
    case "view repeated":
    case "request refused":
      return null
  }
}

export const encodeRecord = (record: LoggedRecord): Uint8Array => toJson(record)

/** @throws Fault "malformed", definite. */
export function decodeRecord(bytes: Uint8Array): LoggedRecord {
  return fromJson(bytes, loggedRecordShape, "access record", RECORD_BYTES_MAX)
}

/** What stands in the tree for a record. The salt has one length, so no other pair of salt and record gives the same bytes. */
export function commitmentOf(salt: Uint8Array, record: Uint8Array): Buffer {
  return sha256(Buffer.concat([salt, record]))
}
