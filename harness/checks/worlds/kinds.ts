import { randomBytes } from "node:crypto"
import { bech32 } from "@scure/base"
import { SIGNED_KINDS, type SignedKind, sign } from "../../../firmware/control/dsse.ts"
import { toJson } from "../../../firmware/control/json.ts"
import { type SigningKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { OwnBeats } from "../../../firmware/control/own-beats.ts"
import { virtualClock } from "../../../simulator/clock.ts"
import { deleteRequest } from "../../owner/deletion.ts"
import { grantFor, privacyOn, renewalOf, revocationOf } from "../../owner/grants.ts"
import { OwnerKeys } from "../../owner/keys.ts"
import { LiveLook } from "../../owner/live-look.ts"
import { type Consent, signConsent, signWithdrawal } from "../../services/labelling/consent.ts"
import { signPost, signUnpost } from "../../services/neighbours/post.ts"
import { lookRequest } from "../../services/support/request.ts"
import { heartbeatOf, manifestOf, password, randomObject } from "./hand-camera.ts"

/**
 * A valid message of every kind, all signed by one key, which is camera, owner, viewer, cloud and staff at once: so
 * nothing but its kind keeps one message from passing for another.
 */
export interface Kinds {
  readonly key: SigningKey
  readonly keys: OwnerKeys
  readonly beats: OwnBeats
  /** Whose ask is answered with a refusal, and whose with a session. */
  readonly look: LiveLook
  readonly shown: LiveLook
  readonly messages: Readonly<Record<SignedKind, Buffer>>
}

/** `seed`: the same keys for the same seed. */
export async function everyKind(seed: Uint8Array = randomBytes(32)): Promise<Kinds> {
  const keys = await OwnerKeys.fromRecoveryKit(bech32.encode("obscura-root-", bech32.toWords(seed), false))
  const key = keys.bookKey
  const device = key.id
  const beats = new OwnBeats({ boot: "11".repeat(16), markKey: "22".repeat(32) }, virtualClock())
  const beat = beats.next()
  const grant = grantFor({ device, receiver: key, reason: "the gate", beat }, key)
  const [look, shown] = [new LiveLook(key, key, grant), new LiveLook(key, key, grant)]
  const [id, hash, nonce] = ["ab".repeat(16), "cd".repeat(32), "ef".repeat(16)]
  const ask = JSON.parse(
    Buffer.from(JSON.parse(Buffer.from(shown.ask).toString()).payload, "base64").toString(),
  )
  const request = deleteRequest({ device, what: { everything: true }, objects: [], clips: [] }, key)
  const live = {
    ...{ device, session: id, ask: sha256Hex(shown.ask), grant: sha256Hex(grant), viewer: key.hex },
    ...{ ephemeral: ask.ephemeral, answer: ask.ephemeral },
  }
  const code = { box: device, recipient: keys.householdRecipient }
  const asking = { name: "sam", staff: key, code, viewer: key, reason: "the picture freezes", seconds: 60 }
  const none = { person: 0, animal: 0, vehicle: 0 }
  const blind = { person: [], animal: [], vehicle: [] }
  const consent: Omit<Consent, "key"> = {
    ...{
      object: id,
      file: hash,
      service: device,
      purpose: "train recognition" as const,
      place: "outdoor" as const,
    },
    ...{ changed: [], expires: 9 },
  }
  const envelopes: Record<SignedKind, Uint8Array> = {
    connect: password(key, "camera", "here"),
    manifest: manifestOf(key, [randomObject(400)]).envelope,
    receipt: sign("receipt", { device, manifest: hash, from: 0, to: 0 }, key),
    heartbeat: heartbeatOf(key, { owner: device }),
    recipients: keys.recipientsFor(device, 5),
    resend: sign("resend", { device, nonce, from: 0, to: 0 }, key),
    answer: sign("answer", { device, command: sha256Hex(look.ask), result: "refused", reason: "no" }, key),
    grant,
    ask: look.ask,
    live: sign("live", live, key),
    renewal: renewalOf(grant, device, beat, key),
    revocation: revocationOf(grant, device, key),
    privacy: privacyOn(device, beat, key),
    tuning: sign("tuning", { device, number: 1, shift: none, blind }, key),
    household: sign("household", { version: 1, book: sha256Hex(toJson(BOOK)) }, key),
    checkpoint: sign("checkpoint", { to: keys.householdRecipient, message: "", at: 1 }, key),
    delete: request,
    deleted: sign(
      "deleted",
      { device, request: sha256Hex(request), at: 1, objects: 0, digest: hash, basis: "claim" },
      key,
    ),
    "staff-request": lookRequest(asking).envelope,
    consent: signConsent(consent, key),
    withdrawal: signWithdrawal(id, key),
    post: signPost({ object: id, file: hash, expires: 9 }, key),
    unpost: signUnpost(id, key),
  }
  // `recipientsFor` signs with the owner's key for that camera; here one key is all.
  const own = { device, epoch: 5, keys: [keys.householdRecipient] }
  const messages = Object.fromEntries(
    SIGNED_KINDS.map((kind) => [
      kind,
      Buffer.from(kind === "recipients" ? sign(kind, own, key) : envelopes[kind]),
    ]),
  ) as Record<SignedKind, Buffer>
  return { key, keys, beats, look, shown, messages }
}

/** The book of a household that has nothing in it. */
export const BOOK = { format: 1, version: 1, keys: [], cameras: [], members: [], shares: [] }
