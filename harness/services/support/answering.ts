import type { PublicKey } from "../../../firmware/control/keys.ts"
import type { Recording } from "../records.ts"
import type { SupportBoxes } from "./boxes.ts"
import { type Asked, type SupportInbox, viewerOf } from "./owner-inbox.ts"
import { type LookAnswer, sealAnswer } from "./request.ts"

export interface AnswerParts {
  readonly inbox: SupportInbox
  readonly boxes: SupportBoxes
  readonly record: Recording
}

/**
 * Sends a grant that the owner has signed, and keeps, to whoever asked: sealed under the code, so nobody else learns
 * from it which camera it is. The record of it lies in the code's mailbox. @throws Fault "refused": answered already.
 */
export function sendGrant(
  asked: Asked,
  camera: PublicKey,
  grant: Uint8Array,
  parts: AnswerParts,
): Promise<void> {
  const { request } = asked
  const body = {
    result: "granted",
    request,
    camera: camera.hex,
    grant: Buffer.from(grant).toString("base64"),
  }
  return send(asked, body as LookAnswer, "answered", parts)
}

/** Says no. @throws Fault "refused": answered already. */
export function sendRefusal(asked: Asked, parts: AnswerParts): Promise<void> {
  return send(asked, { result: "refused", request: asked.request }, "declined", parts)
}

/** The look is over: its time is up, or it was taken back. */
export function recordEnd(asked: Asked, parts: Pick<AnswerParts, "record">): Promise<void> {
  return recordStep(asked, "ended", parts)
}

async function send(
  asked: Asked,
  answer: LookAnswer,
  step: "answered" | "declined",
  parts: AnswerParts,
): Promise<void> {
  await parts.inbox.answering(asked)
  await recordStep(asked, step, parts)
  await parts.boxes.putAnswer(asked.box, asked.request, await sealAnswer(answer, asked.code))
}

async function recordStep(
  asked: Asked,
  step: "answered" | "declined" | "ended",
  { record }: Pick<AnswerParts, "record">,
): Promise<void> {
  const by = { role: "support", key: viewerOf(asked).id } as const
  await record({ kind: "support", device: asked.box, by, reason: asked.reason, request: asked.hash, step })
}
