import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { objectId } from "../../../firmware/control/protocol.ts"
import type { Bytes } from "../../../firmware/units.ts"
import { CHECKPOINT } from "./log-state.ts"

/**
 * What an owner asks of a cloud's access log over the broker, and what comes back; `obscura/1/<device>/log` and `…/logged`.
 * Neither is signed: the broker lets nobody but the owner of that camera say the one or hear the other, and of what comes
 * back nothing is believed that is not proven (`LogSource`).
 */

/** Of what one answer carries: in base64, with the rest, it fits one payload. */
export const ANSWER_BYTES_MAX: Bytes = 44_000
const QUESTION_BYTES_MAX: Bytes = 5_000
const MESSAGE_BYTES_MAX: Bytes = 65_000

const questionShape = z.strictObject({
  nonce: objectId,
  ask: z.discriminatedUnion("kind", [
    /** The checkpoint, or a tile; by its path within `public/`. */
    z.strictObject({
      kind: z.literal("file"),
      path: z
        .string()
        .max(80)
        .regex(/^(?:checkpoint|tile\/(?:entries|\d{1,2})(?:\/x\d{3})*\/\d{3}(?:\.p\/\d{1,3})?)$/),
    }),
    /** The camera's records from this number of them on, as many as fit. */
    z.strictObject({ kind: z.literal("mailbox"), from: z.int().min(0) }),
    /** To be recorded before it is released: the grant's envelope, base64. */
    z.strictObject({ kind: z.literal("grant"), grant: z.string().max(4_000) }),
  ]),
})
export type LogQuestion = z.infer<typeof questionShape>
export type LogAsk = LogQuestion["ask"]

const answerShape = z.strictObject({
  nonce: objectId,
  /** Base64; null: there is no such file, or it was no question for bytes. */
  bytes: z.string().max(60_000).nullable(),
  /** There are more records than these. */
  more: z.boolean(),
  /** Why not; null: done. */
  refused: z.string().max(200).nullable(),
})
export type LogAnswer = z.infer<typeof answerShape>

/** What an owner is told where there is none. */
export const NO_LOG = "this cloud keeps no access log"
export const CHECKPOINT_PATH = CHECKPOINT

export const encodeQuestion = (question: LogQuestion): Uint8Array => toJson(question)
export const encodeAnswer = (answer: LogAnswer): Uint8Array => toJson(answer)

/** @throws Fault "malformed", definite. */
export const decodeQuestion = (bytes: Uint8Array): LogQuestion =>
  fromJson(bytes, questionShape, "log question", QUESTION_BYTES_MAX)

/** @throws Fault "malformed", definite. */
export const decodeAnswer = (bytes: Uint8Array): LogAnswer =>
  fromJson(bytes, answerShape, "log answer", MESSAGE_BYTES_MAX)
