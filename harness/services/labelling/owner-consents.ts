import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { type SigningKey, sha256Hex } from "../../../firmware/control/keys.ts"
import { objectId, sha256 } from "../../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../../firmware/units.ts"
import { FolderFiles } from "../../owner/folder-files.ts"
import type { OwnerKeys } from "../../owner/keys.ts"
import { LogMemory } from "../../owner/log-memory.ts"
import { newObject } from "../offering/new-object.ts"
import { type Consent, PURPOSES, type Purpose, serviceIdOf, signConsent, signWithdrawal } from "./consent.ts"
import type { LabellingIntake } from "./intake.ts"
import type { Removal } from "./ledger.ts"
import { Policies } from "./policy.ts"
import { KEYS_BYTES_MAX, type LabellingIdentity, labellingIdentityShape } from "./store.ts"

const keptShape = z.strictObject({
  object: objectId,
  /** That signs for it; its id is the mailbox in the access log. */
  key: sha256,
  purpose: z.enum(PURPOSES),
  expires: z.number(),
  withdrawn: z.boolean(),
})
export type KeptConsent = z.infer<typeof keptShape>

export interface Offer {
  readonly device: string
  /** A copy, prepared: `preparedFilm`. */
  readonly film: Uint8Array
  readonly changed: Consent["changed"]
  readonly purpose: Purpose
  readonly expires: UnixMilliseconds
}

/**
 * An owner's consents, `consents/<object>.json` in the owner's folder. They say nothing of the camera and the clip, so
 * whoever reads them learns no more than the service does.
 */
export class OwnerConsents {
  readonly #keys: OwnerKeys
  readonly #files: FolderFiles
  readonly #log: LogMemory
  readonly #policies: Policies

  constructor(directory: string, keys: OwnerKeys) {
    this.#keys = keys
    this.#files = new FolderFiles(directory)
    this.#log = new LogMemory(directory)
    this.#policies = new Policies(directory)
  }

  all(): Promise<readonly KeptConsent[]> {
    return keptConsents(this.#files)
  }

  /**
   * Seals a new object for the service, signs consent to it and hands both over. What is expected of the log is written
   * down before anything leaves. Gives the object's id.
   * @throws Fault "refused", definite: this camera's clips are never offered, or the service refuses.
   */
  async offer(
    { device, film, changed, purpose, expires }: Offer,
    service: LabellingIdentity,
    intake: Pick<LabellingIntake, "offer" | "withdraw">,
  ): Promise<string> {
    const { place } = await this.#policies.check(device)
    await this.#pin(service)
    const { id: object, file, hash } = await newObject(film, service.recipient)
    const key = this.#keys.signingKeyForOffer(object)
    const terms = {
      object,
      file: hash,
      service: serviceIdOf(service.recipient),
      purpose,
      place,
      changed,
      expires,
    }
    const envelope = signConsent(terms, key)
    await this.#keep({ object, key: key.hex, purpose, expires, withdrawn: false })
    await this.#log.expect(key.id, `consent ${sha256Hex(envelope)}`)
    try {
      await intake.offer(envelope, file)
    } catch (error) {
      if (isFault(error, "refused")) await this.#takeBack(object, key, intake)
      throw error
    }
    return object
  }

  /** A consent that was refused must not lie about, and no log will tell of it. */
  async #takeBack(object: string, key: SigningKey, intake: Pick<LabellingIntake, "withdraw">): Promise<void> {
    await this.withdraw(object, intake)
    await this.#log.expectNothing(key.id)
  }

  /** null: the service had nothing of it any more. The object's id is enough, for the key follows from it. */
  async withdraw(object: string, intake: Pick<LabellingIntake, "withdraw">): Promise<Removal | null> {
    const key = this.#keys.signingKeyForOffer(object)
    const envelope = signWithdrawal(object, key)
    const removal = await intake.withdraw(envelope)
    if (removal) await this.#log.expect(key.id, `consent ${sha256Hex(envelope)}`)
    const kept = (await this.all()).find((each) => each.object === object)
    if (kept) await this.#keep({ ...kept, withdrawn: true })
    return removal
  }

  /** The first service that anything was offered to is the one: another key would be somebody else. */
  async #pin(service: LabellingIdentity): Promise<void> {
    const kept = await this.#files.read(PIN)
    if (kept === null) return this.#files.replace(PIN, toJson(service))
    if (fromJson(kept, labellingIdentityShape, PIN, KEYS_BYTES_MAX).recipient !== service.recipient)
      throw new Fault(
        "refused",
        `the labelling service has another key than before; if that is right, remove ${PIN}`,
      )
  }

  #keep(kept: KeptConsent): Promise<void> {
    return this.#files.replace(join("consents", `${kept.object}.json`), toJson(kept))
  }
}

const PIN = "labelling-service.json"

/** Those of an owner's folder. @throws Fault "malformed", definite: a damaged record. */
export async function keptConsents(files: FolderFiles): Promise<readonly KeptConsent[]> {
  const names = (await files.names("consents")).filter((name) => name.endsWith(".json")).sort()
  return Promise.all(
    names.map(async (name) => {
      const bytes = (await files.read(join("consents", name))) ?? new Uint8Array()
      return fromJson(bytes, keptShape, `consents/${name}`, 2_000)
    }),
  )
}
