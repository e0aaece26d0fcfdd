import { identityToRecipient } from "age-encryption"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { sealAge } from "../../firmware/delivery/age.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import { Fault } from "../../firmware/errors.ts"
import { type Identity, identityFromText } from "./age-identity.ts"
import { type Book, type BookCamera, keyInUse, type Member } from "./household-book.ts"
import { keyringOf } from "./keyring.ts"
import type { OwnerKeys } from "./keys.ts"

/** A household as its owner has it open: the root's keys and the book together. */
export class Household {
  readonly keys: OwnerKeys
  readonly book: Book
  /** Opens what was sealed for any key that the household ever had. */
  readonly identity: Identity
  /** For which cameras are to seal now. */
  readonly recipient: string
  readonly #recipients: readonly string[]
  readonly #secrets: readonly string[]

  private constructor(
    keys: OwnerKeys,
    book: Book,
    secrets: readonly string[],
    recipients: readonly string[],
  ) {
    this.keys = keys
    this.book = book
    this.#secrets = secrets
    this.#recipients = recipients
    const [newest = keys.identity, ...older] = secrets.map(identityFromText).reverse()
    this.identity = keyringOf([newest, ...older])
    this.recipient = this.recipientOf(keyInUse(book))
  }

  static async of(keys: OwnerKeys, book: Book): Promise<Household> {
    const secrets = [keys.householdSecret, ...book.keys.map(({ secret }) => secret)]
    return new Household(
      keys,
      book,
      secrets,
      await Promise.all(secrets.map((each) => identityToRecipient(each))),
    )
  }

  /** For whom anything was ever sealed here. */
  get recipients(): readonly string[] {
    return this.#recipients
  }

  /** @throws Fault "broken": there is no such key. */
  recipientOf(key: number): string {
    const recipient = this.#recipients[key]
    if (recipient === undefined) throw new Fault("broken", `no household key ${key}`)
    return recipient
  }

  camera(device: string): BookCamera | null {
    return this.book.cameras.find((camera) => camera.device === device) ?? null
  }

  /** The signed statement for one epoch of a camera, byte for byte as it was sent. */
  recipientsEnvelope(device: string, { epoch, key }: BookCamera["epochs"][number]): Uint8Array {
    return this.keys.recipientsFor(device, epoch, this.recipientOf(key))
  }

  /** Hashes of all recipients that this owner has signed for the camera, with the household key of each. */
  signedFor(device: string): ReadonlyMap<string, BookCamera["epochs"][number]> {
    const epochs = this.camera(device)?.epochs ?? []
    return new Map(epochs.map((epoch) => [sha256Hex(this.recipientsEnvelope(device, epoch)), epoch]))
  }

  /** `keysFor` a member, as an age file for them alone. */
  async sealKeysFor({
    recipient,
    ...member
  }: Pick<Member, "recipient" | "from" | "until">): Promise<Uint8Array> {
    const { header, payload } = await sealAge(Buffer.from(this.keysFor(member)), parseRecipient(recipient))
    return Buffer.concat([header, ...payload])
  }

  /**
   * What a member is given, secret: an identity file as `age -i` takes it (age(1), "Identity files"), of the keys from
   * the one in use when they came to the newest, or to the last before they went.
   */
  keysFor({ from, until }: Pick<Member, "from" | "until">): string {
    const secrets = this.#secrets.slice(from, (until ?? keyInUse(this.book)) + 1)
    return secrets.map((secret, position) => `# household key ${from + position}\n${secret}\n`).join("")
  }
}
