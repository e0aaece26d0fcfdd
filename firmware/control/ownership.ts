import { z } from "zod"
import { parseRecipient, type Recipient } from "../delivery/recipient.ts"
import { Fault, isFault } from "../errors.ts"
import type { Disk } from "../ports.ts"
import { verify } from "./dsse.ts"
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

export class OwnershipFile {
  readonly #disk: Disk
  readonly #device: string

  constructor(disk: Disk, device: string) {
    this.#disk = disk
    this.#device = device
  }

  /** null: not paired. @throws Fault "malformed" or "tampered", definite: damaged files. */
  async read(): Promise<Ownership | null> {
    const stored = await this.#disk.private.get(PAIRING)
    if (!stored) return null
    const record = fromJson(stored, pairingRecord, "pairing", 16_384)
    const newer = await this.#disk.private.get(RECIPIENTS)
    return ownershipOf(record, this.#device, newer ?? Buffer.from(record.recipients, "base64"))
  }

  /** Durable when it resolves. The caller has authenticated `record`. @throws as `ownershipOf`. */
  async pair(record: PairingRecord): Promise<Ownership> {
    const ownership = ownershipOf(record, this.#device, Buffer.from(record.recipients, "base64"))
    await this.#disk.private.remove(RECIPIENTS)
    await this.#disk.private.put(PAIRING, [toJson(record)])
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
      return { ok: true, ownership: { ...now, recipients } }
    } catch (error) {
      if (isFault(error) && error.definite && error.kind !== "broken")
        return { ok: false, reason: error.message }
      throw error
    }
  }
}

/** @throws Fault "malformed", "tampered" or "refused", definite. */
function ownershipOf(record: PairingRecord, device: string, envelope: Uint8Array): Ownership {
  const owner = publicKeyFromHex(record.owner)
  return {
    owner,
    broker: record.broker,
    receiptKey: publicKeyFromHex(record.receiptKey),
    logKey: publicKeyFromHex(record.logKey),
    // By a key of its own, so that the one that is kept stays as light as it is until a command comes.
    recipients: recipientsFrom(envelope, publicKeyFromHex(record.owner), device),
  }
}

function recipientsFrom(envelope: Uint8Array, owner: PublicKey, device: string): RecipientsNow {
  const signed: Recipients = verify("recipients", envelope, owner, recipientsShape)
  if (signed.device !== device) throw new Fault("refused", "recipients: meant for another camera")
  return { epoch: signed.epoch, hash: sha256Hex(envelope), recipient: parseRecipient(signed.keys[0]) }
}
