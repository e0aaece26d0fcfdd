import { sha256Hex } from "../../../firmware/control/keys.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { type Bytes, MiB, type UnixMilliseconds } from "../../../firmware/units.ts"
import { type Recording, refusedRecord } from "../records.ts"
import { CONSENT_FOR_MAX, isOver, readConsent, readWithdrawal, type SignedConsent } from "./consent.ts"
import { expiredIn, type Item, itemOf, type Ledger, type Removal, withBarred, without } from "./ledger.ts"
import type { LabellingStore } from "./store.ts"

const FILE_BYTES_MAX: Bytes = 256 * MiB

export interface IntakeParts {
  readonly store: LabellingStore
  readonly record: Recording
  readonly now: () => UnixMilliseconds
}

/**
 * The one way in, and the way out. A clip comes in with its owner's consent to this very file, or not; whoever brings it,
 * staff too. It goes when the consent is withdrawn or over, and with it all that was made of it.
 */
export class LabellingIntake {
  readonly #parts: IntakeParts

  constructor(parts: IntakeParts) {
    this.#parts = parts
  }

  /**
   * @throws Fault "refused", definite, and recorded: expired, withdrawn, doubled, or for something else;
   *         Fault "tampered" or "malformed", definite, and noted: no consent, or a forged one.
   */
  async offer(envelope: Uint8Array, file: Uint8Array): Promise<void> {
    const { store, now } = this.#parts
    const consent = await this.#consentIn(envelope)
    try {
      await this.#take(consent, file)
    } catch (error) {
      if (!isFault(error, "refused")) throw error
      await store.note(`refused: ${error.message}`, now())
      await this.#recordRefusal(consent, error.message)
      throw error
    }
  }

  /**
   * null: there was nothing of it; nor will be, should the consent come after its withdrawal.
   * @throws Fault "tampered" or "malformed", definite, and noted; "refused", definite: by another key than the consent's.
   */
  async withdraw(envelope: Uint8Array): Promise<Removal | null> {
    const { store, record } = this.#parts
    const { object, key, hash } = readWithdrawal(envelope)
    const barred = await this.#withdrawalOf(object, key)
    const removed = await store.folder.inTurn(async () => {
      const ledger = await store.ledger()
      const item = itemOf(ledger, object)
      if (item === undefined) {
        await store.keep(withBarred(ledger, barred))
        return null
      }
      if (item.consent.key !== key) throw new Fault("refused", "only who consented withdraws it")
      return this.#remove(ledger, item)
    })
    if (removed === null) return null
    const { signer: device } = removed
    const by = { role: "owner", key: device } as const
    await record({
      kind: "consent",
      device,
      by,
      reason: "withdrawn by its owner",
      consent: hash,
      change: "withdrawn",
    })
    await this.#recordRemoval(removed, "its consent was withdrawn")
    return removed
  }

  /** What is over goes, and what a crash has left. Before anything is worked on, and as often as anybody likes. */
  async sweep(): Promise<readonly Removal[]> {
    const { store, now } = this.#parts
    if ((await store.folder.names(".")).length === 0) return []
    const removed = await store.folder.inTurn(async () => {
      const gone: Removal[] = []
      for (const item of expiredIn(await store.ledger(), now()))
        gone.push(await this.#remove(await store.ledger(), item))
      if (gone.length === 0) await store.tidy(await store.ledger())
      return gone
    })
    const told = await Promise.allSettled(
      removed.map((each) => this.#recordRemoval(each, "its consent has expired")),
    )
    for (const each of told) if (each.status === "rejected") throw each.reason
    return removed
  }

  async #consentIn(envelope: Uint8Array): Promise<SignedConsent> {
    try {
      return readConsent(envelope)
    } catch (error) {
      if (isFault(error)) await this.#parts.store.note(`refused: ${error.message}`, this.#parts.now())
      throw error
    }
  }

  async #take(consent: SignedConsent, file: Uint8Array): Promise<void> {
    const { store, record, now } = this.#parts
    const { id } = await store.keys()
    if (file.length > FILE_BYTES_MAX) throw new Fault("refused", "too large: choose a shorter stretch")
    if (consent.service !== id) throw new Fault("refused", "a consent for another service")
    if (consent.file !== sha256Hex(file)) throw new Fault("refused", "a consent for another file")
    if (isOver(consent, now())) throw new Fault("refused", "the consent has expired")
    if (consent.expires > now() + CONSENT_FOR_MAX)
      throw new Fault("refused", "a consent is for at most a year: nobody foresees more")
    const pictures = await this.#picturesIn(file)
    await store.folder.inTurn(async () => {
      const ledger = await store.ledger()
      await this.#checkNew(ledger, consent, pictures)
      const { object, hash, signer } = consent
      const by = { role: "owner", key: signer.id } as const
      const reason = `to ${consent.purpose}`
      await record({ kind: "consent", device: signer.id, by, reason, consent: hash, change: "given" })
      await store.put("clips", object, file)
      const { signer: _key, hash: _hash, ...body } = consent
      const item: Item = {
        object,
        consent: body,
        hash,
        signer: signer.id,
        pictures: [...pictures],
        labels: [],
      }
      await store.keep({ ...ledger, items: [...ledger.items, item] })
    })
  }

  /** The service reads what it is given: what it cannot read nobody labels. */
  async #picturesIn(file: Uint8Array): Promise<readonly string[]> {
    const { store } = this.#parts
    try {
      const pictures = await store.picturesIn(await store.opened(file))
      if (pictures.length > 0) return pictures
      throw new Fault("malformed", "no picture in it begins a group")
    } catch (cause) {
      if (!isFault(cause)) throw cause
      throw new Fault("refused", `not a film for this service: ${cause.message}`, { cause })
    }
  }

  async #checkNew(ledger: Ledger, consent: SignedConsent, pictures: readonly string[]): Promise<void> {
    const over = new Set(ledger.over)
    const barred = await this.#withdrawalOf(consent.object, consent.key)
    if (ledger.barred.includes(barred) || (await this.#namesOf(consent)).some((each) => over.has(each)))
      throw new Fault("refused", "this consent was withdrawn, or is over")
    if (pictures.some((picture) => over.has(picture)))
      throw new Fault("refused", "pictures whose consent was withdrawn, or is over, do not come back")
    if (itemOf(ledger, consent.object)) throw new Fault("refused", "doubled: this consent is here already")
    const there = new Set(ledger.items.flatMap((item) => item.pictures))
    // One is enough: with a picture more it would stay when the consent for the others ends.
    if (pictures.some((picture) => there.has(picture)))
      throw new Fault("refused", "doubled: these pictures are here under another consent")
  }

  async #remove(ledger: Ledger, item: Item): Promise<Removal> {
    const { store } = this.#parts
    const names = await this.#namesOf(item)
    const { next, removal } = without(ledger, item, [...names, ...item.pictures])
    try {
      await store.keep(next)
    } catch {
      // On a full disk what is to go makes room for the word that it has gone.
      await store.eraseFilesOf(item)
      await store.keep(next)
    }
    return removal
  }

  #withdrawalOf(object: string, key: string): Promise<string> {
    return this.#parts.store.digest("withdrawal", Buffer.from(`${object} ${key}`))
  }

  #namesOf({ hash, object }: Pick<Item, "hash" | "object">): Promise<readonly string[]> {
    const { store } = this.#parts
    return Promise.all([
      store.digest("consent", Buffer.from(hash)),
      store.digest("object", Buffer.from(object)),
    ])
  }

  #recordRefusal({ signer, purpose }: SignedConsent, refusal: string): Promise<void> {
    const said = `to ${purpose}`
    return this.#parts.record(refusedRecord("labelling", { device: signer.id, key: null, said, refusal }))
  }

  #recordRemoval({ signer: device, consent }: Removal, reason: string): Promise<void> {
    const by = { role: "labelling", key: null } as const
    return this.#parts.record({ kind: "labelling", device, by, reason, consent, step: "removed" })
  }
}
