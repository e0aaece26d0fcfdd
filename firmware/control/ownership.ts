import { createHmac, timingSafeEqual } from "node:crypto"
import { z } from "zod"
import { knownRecipient, parseRecipient, type Recipient } from "../delivery/recipient.ts"
import { Fault, isFault } from "../errors.ts"
import type { Disk } from "../ports.ts"
import { unverified, verify } from "./dsse.ts"
import type { Identity } from "./identity.ts"
import { fromJson, toJson } from "./json.ts"
import { type PublicKey, publicKeyFromHex, sha256Hex } from "./keys.ts"
import { type Recipients, recipientsShape, sha256 } from "./protocol.ts"

/**
 * Whom this camera obeys and for whom it seals: pinned once at pairing. Afterwards only the recipients change, by the
 * owner's signature and to a higher epoch; the rest changes by a physical reset.
 */
export interface Ownership {
  readonly owner: PublicKey
  readonly broker: { readonly name: string; readonly pin: string | null }
  /** The cloud's key for receipts. */
  readonly receiptKey: PublicKey
  readonly logKey: PublicKey
  readonly recipients: RecipientsNow
}

/** What sealing needs to know of the newest recipients. */
export interface RecipientsNow {
  readonly epoch: number
  /** SHA-256 of the signed envelope. */
  readonly hash: string
  readonly recipient: Recipient
}

export const pairingRecord = z.strictObject({
  owner: sha256,
  broker: z.strictObject({ name: z.string().min(1).max(120), pin: sha256.nullable() }),
  receiptKey: sha256,
  logKey: sha256,
  /** The first "recipients" envelope, base64. */
  recipients: z.string().max(8_000),
})
export type PairingRecord = z.infer<typeof pairingRecord>

const PAIRING = "pairing"
const RECIPIENTS = "recipients"
/** Of the pairing and the newest recipients: this camera has verified them. Without it a boot verifies again. */
const MARK = "verified"

export class OwnershipFile {
  readonly #disk: Disk
  readonly #device: string
  readonly #markKey: string

  constructor(disk: Disk, { device, markKey }: Pick<Identity, "device" | "markKey">) {
    this.#disk = disk
    this.#device = device
    this.#markKey = markKey
  }

  /** null: not paired. @throws Fault "malformed" or "tampered", definite: damaged files. */
  async read(): Promise<Ownership | null> {
    const stored = await this.#disk.private.get(PAIRING)
    if (!stored) return null
    const record = fromJson(stored, pairingRecord, "pairing", 16_384)
    const envelope = (await this.#disk.private.get(RECIPIENTS)) ?? Buffer.from(record.recipients, "base64")
    const found = await this.#disk.private.get(MARK)
    const mark = this.#markOf(stored, envelope)
    const isKnown = found?.length === mark.length && timingSafeEqual(found, mark)
    return ownershipOf(record, (owner) =>
      isKnown ? knownRecipients(envelope) : recipientsFrom(envelope, owner, this.#device),
    )
  }

  /** Durable when it resolves. The caller has authenticated `record`. @throws as `ownershipOf`. */
  async pair(record: PairingRecord): Promise<Ownership> {
    const envelope = Buffer.from(record.recipients, "base64")
    const ownership = ownershipOf(record, (owner) => recipientsFrom(envelope, owner, this.#device))
    const pairing = toJson(record)
    await this.#disk.private.remove(RECIPIENTS)
    await this.#disk.private.put(PAIRING, [pairing])
    await this.#mark(pairing, envelope)
    return ownership
  }

  /** A signed change of recipients. A refusal is a value; the new epoch is durable before it counts. */
  async change(
    now: Ownership,
    envelope: Uint8Array,
  ): Promise<{ ok: true; ownership: Ownership } | { ok: false; reason: string }> {
    try {
      const recipients = recipientsFrom(envelope, now.owner, this.#device)
      if (recipients.epoch <= now.recipients.epoch)
        return { ok: false, reason: `epoch ${recipients.epoch} is not above ${now.recipients.epoch}` }
      await this.#disk.private.put(RECIPIENTS, [envelope])
      const pairing = await this.#disk.private.get(PAIRING)
      if (pairing) await this.#mark(pairing, envelope)
      return { ok: true, ownership: { ...now, recipients } }
    } catch (error) {
      if (isFault(error) && error.definite && error.kind !== "broken")
        return { ok: false, reason: error.message }
      throw error
    }
  }

  /** What is marked is durable already. A mark of something else, or none for want of room: the next boot verifies. */
  async #mark(pairing: Uint8Array, envelope: Uint8Array): Promise<void> {
    try {
      await this.#disk.private.put(MARK, [this.#markOf(pairing, envelope)])
    } catch (error) {
      if (!isFault(error, "full")) throw error
    }
  }

  #markOf(pairing: Uint8Array, envelope: Uint8Array): Buffer {
    const of = `ownership ${sha256Hex(pairing)} ${sha256Hex(envelope)}`
    return createHmac("sha256", this.#markKey).update(of).digest()
  }
}

/** @throws Fault "malformed", "tampered" or "refused", definite. */
function ownershipOf(record: PairingRecord, recipientsOf: (owner: PublicKey) => RecipientsNow): Ownership {
  return {
    owner: publicKeyFromHex(record.owner),
    broker: record.broker,
    receiptKey: publicKeyFromHex(record.receiptKey),
    logKey: publicKeyFromHex(record.logKey),
    // By a key of its own, so that the one that is kept stays as light as it is until a command comes.
    recipients: recipientsOf(publicKeyFromHex(record.owner)),
  }
}

function recipientsFrom(envelope: Uint8Array, owner: PublicKey, device: string): RecipientsNow {
  const signed: Recipients = verify("recipients", envelope, owner, recipientsShape)
  if (signed.device !== device) throw new Fault("refused", "recipients: meant for another camera")
  return { epoch: signed.epoch, hash: sha256Hex(envelope), recipient: parseRecipient(signed.keys[0]) }
}

/** What an envelope says that `recipientsFrom` has taken before, as the camera's own mark tells. */
function knownRecipients(envelope: Uint8Array): RecipientsNow {
  const signed = unverified(envelope, recipientsShape)
  if (!signed) throw new Fault("broken", "marked recipients that are none")
  return { epoch: signed.epoch, hash: sha256Hex(envelope), recipient: knownRecipient(signed.keys[0]) }
}
