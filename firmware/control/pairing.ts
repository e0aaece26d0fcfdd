import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from "node:crypto"
import { z } from "zod"
import { Fault } from "../errors.ts"
import { minutes } from "../units.ts"
import { fromJson, toJson } from "./json.ts"
import { sha256Hex } from "./keys.ts"
import { type PairingRecord, pairingRecord } from "./ownership.ts"
import { deviceId, objectId, PAIRING_BYTES_MAX, sha256 } from "./protocol.ts"

/**
 * How a camera and its owner meet. The owner's app shows a QR text with 128 random bits; somebody presses the camera's
 * button and holds the text before its lens. From then on both know a secret that no cloud has seen:
 *
 *   camera -> owner   hello   {device, key, nonce}                                          MAC by the camera's half
 *   owner  -> camera  offer   {hello: hash, owner, broker, receipt and log key, recipients}  MAC by the owner's half
 *   camera -> owner   answer  {offer: hash}                                                  MAC by the camera's half
 *
 * Each message hashes the one before, so each MAC covers the whole transcript. The two halves are separate keys, so no
 * message can be reflected. With 128 random bits there is nothing to guess offline, and no need for a PAKE.
 * The secret is dead after success, after FAILURES_MAX wrong offers, and after PAIRING_WITHIN.
 */

export const PAIRING_WITHIN = minutes(15)
export const FAILURES_MAX = 5

export interface SetupCode {
  /** 16 random bytes. */
  readonly secret: Uint8Array
  readonly broker: { readonly name: string; readonly pin: string | null }
}

// OBSCURA:1:<secret, 32 hex>:<broker's SPKI hash, 64 hex, or ->:<broker name>. Upper case: QR's alphanumeric mode.
const SETUP = /^OBSCURA:1:([0-9A-F]{32}):([0-9A-F]{64}|-):([0-9A-Z.-]{1,120})$/

export function newSetupCode(broker: SetupCode["broker"]): SetupCode {
  return { secret: randomBytes(16), broker }
}

export function setupText(code: SetupCode): string {
  const secret = Buffer.from(code.secret).toString("hex")
  return `OBSCURA:1:${secret}:${code.broker.pin ?? "-"}:${code.broker.name}`.toUpperCase()
}

/** @throws Fault "usage", definite. The text itself never appears in the message: it is a secret. */
export function parseSetupText(text: string): SetupCode {
  const [, secret, pin, name] = SETUP.exec(text.trim()) ?? []
  if (!secret || !pin || !name)
    throw new Fault(
      "usage",
      "this is no obscura setup text: it looks like OBSCURA:1:…; show a fresh one on the owner's side",
    )
  return {
    secret: Buffer.from(secret, "hex"),
    broker: { name: name.toLowerCase(), pin: pin === "-" ? null : pin.toLowerCase() },
  }
}

const helloShape = z.strictObject({ device: deviceId, key: sha256, nonce: objectId })
const offerShape = z.strictObject({ hello: sha256, ...pairingRecord.shape })
const answerShape = z.strictObject({ offer: sha256 })
type Hello = z.infer<typeof helloShape>

/** One spelling only, as of every envelope: otherwise two sides could hash one message to two values. */
const base64 = z
  .string()
  .max(PAIRING_BYTES_MAX)
  .refine((text) => Buffer.from(text, "base64").toString("base64") === text, "not canonical base64")
const sealedShape = z.strictObject({ body: base64, mac: sha256 })

/** One side's view of one pairing. Both sides make it from the setup code alone. */
export class PairingTranscript {
  /** Where the two meet on the broker; to know it is to have seen the code. */
  readonly rendezvous: string
  readonly #cameraKey: Uint8Array
  readonly #ownerKey: Uint8Array

  constructor(code: SetupCode) {
    const derive = (info: string, length: number) =>
      Buffer.from(hkdfSync("sha256", code.secret, new Uint8Array(0), `obscura pairing v1 ${info}`, length))
    this.rendezvous = derive("rendezvous", 16).toString("hex")
    this.#cameraKey = derive("camera", 32)
    this.#ownerKey = derive("owner", 32)
  }

  hello(device: string, keyHex: string): Uint8Array {
    return wrap("hello", this.#cameraKey, { device, key: keyHex, nonce: randomBytes(16).toString("hex") })
  }

  /** @throws Fault "malformed" or "tampered", definite. */
  openHello(message: Uint8Array): Hello {
    return unwrap("hello", this.#cameraKey, message, helloShape)
  }

  offer(hello: Uint8Array, record: PairingRecord): Uint8Array {
    return wrap("offer", this.#ownerKey, { hello: sha256Hex(hello), ...record })
  }

  /** @throws Fault "malformed" or "tampered", definite: also when it answers another hello. */
  openOffer(message: Uint8Array, hello: Uint8Array): PairingRecord {
    const { hello: quoted, ...record } = unwrap("offer", this.#ownerKey, message, offerShape)
    if (quoted !== sha256Hex(hello))
      throw new Fault("tampered", "pairing offer: answers another camera's hello")
    return record
  }

  answer(offer: Uint8Array): Uint8Array {
    return wrap("answer", this.#cameraKey, { offer: sha256Hex(offer) })
  }

  /** @throws Fault "malformed" or "tampered", definite. */
  openAnswer(message: Uint8Array, offer: Uint8Array): void {
    const { offer: quoted } = unwrap("answer", this.#cameraKey, message, answerShape)
    if (quoted !== sha256Hex(offer)) throw new Fault("tampered", "pairing answer: confirms another offer")
  }
}

function wrap(step: string, key: Uint8Array, body: unknown): Uint8Array {
  const bytes = toJson(body)
  return toJson({ body: Buffer.from(bytes).toString("base64"), mac: mac(step, key, bytes).toString("hex") })
}

function unwrap<T>(step: string, key: Uint8Array, message: Uint8Array, shape: z.ZodType<T>): T {
  const sealed = fromJson(message, sealedShape, `pairing ${step}`, PAIRING_BYTES_MAX)
  if (!Buffer.from(toJson(sealed)).equals(message))
    throw new Fault("malformed", `pairing ${step}: fields in another order`)
  const bytes = Buffer.from(sealed.body, "base64")
  if (!timingSafeEqual(mac(step, key, bytes), Buffer.from(sealed.mac, "hex")))
    throw new Fault("tampered", `pairing ${step}: not made with this setup text`)
  return fromJson(bytes, shape, `pairing ${step}`, PAIRING_BYTES_MAX)
}

function mac(step: string, key: Uint8Array, bytes: Uint8Array): Buffer {
  return createHmac("sha256", key).update(`obscura pairing v1 ${step}\0`).update(bytes).digest()
}
