import { type Deleted, deleteShape } from "../../firmware/control/deletion-messages.ts"
import { ENVELOPE_BYTES_MAX, sign, verifySelfSigned } from "../../firmware/control/dsse.ts"
import { publicKeyFromHex, type SigningKey, sha256Hex } from "../../firmware/control/keys.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Beats } from "./beats.ts"
import type { WritableBucket } from "./bucket.ts"
import { type CloudLog, type CloudStats, countRefusal, type Refusal, writeFault } from "./cloud-log.ts"
import type { Departure } from "./departures.ts"

/** That an owner had sealed bytes deleted, for whoever keeps the access log. */
export interface Deletion {
  readonly device: string
  /** Id of the owner's key. */
  readonly by: string
  /** SHA-256 of what they signed. */
  readonly request: string
  /** How many. */
  readonly objects: number
}

export interface DeletionOptions {
  readonly bucket: WritableBucket
  readonly beats: Beats
  /** Signs the answer: the key that owners pinned at pairing. */
  readonly receiptKey: SigningKey
  readonly log: CloudLog
  readonly stats: CloudStats
  readonly send: (device: string, name: "deleted", payload: Uint8Array) => void
  /** Records it. A request whose record fails is not answered. */
  readonly record?: (deletion: Deletion) => Promise<void>
}

/**
 * Where owners' requests to delete arrive. One that its camera's owner signed is carried out, and answered when every copy
 * that this cloud knows of is gone: volumes or S3 and the versions there, interrupted writes, second copies, and, by the
 * bucket's word to it, the index. A request that failed is not answered: the owner asks again, and the same request goes on
 * where it stood.
 *
 * What is still on the camera is not here. If it comes, it is not taken in: what was deleted stays away, by its id and by
 * its clip's.
 */
export class DeletionDesk {
  readonly #options: DeletionOptions
  readonly #working = new Set<Promise<void>>()

  constructor(options: DeletionOptions) {
    this.#options = options
  }

  /** Takes one request; nothing that is sent makes it throw. A refusal is returned, logged and counted, and not answered. */
  take(device: string, payload: Buffer): Refusal | null {
    const reason = this.#take(device, payload)
    if (reason !== null) {
      countRefusal(this.#options.stats, reason)
      this.#options.log.write({ event: "refused", device, message: "delete", reason })
    }
    return reason
  }

  /** Resolves when all that was taken is done or has failed. */
  async drained(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working)
  }

  #take(device: string, payload: Buffer): Refusal | null {
    if (payload.length > ENVELOPE_BYTES_MAX) return "oversize"
    try {
      const { body, key } = verifySelfSigned("delete", payload, deleteShape, (named) =>
        publicKeyFromHex(named.key),
      )
      if (body.device !== device) return "another device"
      if (!this.#options.beats.owns(key.id, device)) return "not its owner"
      const order = { device, cause: "deleted", request: sha256Hex(payload), select: body.what } as const
      const working = this.#options.bucket
        .remove(order)
        .then((departure) => this.#answer(departure, order.request, key.id))
        .catch((error: unknown) => writeFault(this.#options.log, "deletion", error))
        .finally(() => this.#working.delete(working))
      this.#working.add(working)
      return null
    } catch (error) {
      if (!isFault(error)) throw error
      return isFault(error, "tampered") ? "bad signature" : "malformed"
    }
  }

  async #answer({ device, objects, at }: Departure, request: string, by: string): Promise<void> {
    const { receiptKey, log, send, record } = this.#options
    await record?.({ device, by, request, objects: objects.length })
    const statement: Deleted = {
      device,
      request,
      at,
      objects: objects.length,
      digest: digestOf(objects),
      basis: "claim",
    }
    log.write({ event: "deleted", device, objects: objects.length })
    send(device, "deleted", sign("deleted", statement, receiptKey))
  }
}

/** Of ids, in any order: what a "deleted" says of them. */
export function digestOf(ids: readonly string[]): string {
  return sha256Hex(Buffer.from([...ids].sort().join("\n")))
}
