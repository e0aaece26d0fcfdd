import { hkdfSync, randomBytes } from "node:crypto"
import { bech32 } from "@scure/base"
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption"
import { sign } from "../../firmware/control/dsse.ts"
import { type SigningKey, signingKeyOf } from "../../firmware/control/keys.ts"
import type { Recipients } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import { type Identity, type IdentityKind, identityFromText } from "./age-identity.ts"
import { needsFactor, openWithFactor, sealForFactor } from "./second-factor.ts"

/**
 * What an owner has: 32 random bytes, from which everything else is derived. A passphrase wraps them in a file that no
 * cloud gets; written down, they are the recovery kit.
 *
 *   root -> household key        an age identity: opens everything this household's cameras record
 *   root -> a key per camera     Ed25519: signs recipients and commands; no two cameras see the same owner
 *   root -> the book's keys      an age identity and an Ed25519 key: seal and sign the household's book, and name the
 *                                mailbox in which a cloud keeps it
 *   root -> a key for other owners   Ed25519: signs what this owner tells them of an access log; no cloud sees it
 */
export class OwnerKeys {
  readonly #root: Uint8Array
  readonly kind: IdentityKind
  /** AGE-SECRET-KEY-…: what stock `age -d -i` takes. Secret. */
  readonly householdSecret: string
  /** age1… */
  readonly householdRecipient: string
  readonly identity: Identity

  private constructor(root: Uint8Array, kind: IdentityKind, secret: string, recipient: string) {
    this.#root = root
    this.kind = kind
    this.householdSecret = secret
    this.householdRecipient = recipient
    this.identity = identityFromText(secret)
  }

  static create(kind: IdentityKind = "x25519"): Promise<OwnerKeys> {
    return OwnerKeys.#from(randomBytes(32), kind)
  }

  static async #from(root: Uint8Array, kind: IdentityKind): Promise<OwnerKeys> {
    const secret = ageSecret(kind, derive(root, `household ${kind}`))
    return new OwnerKeys(root, kind, secret, await identityToRecipient(secret))
  }

  /** The recovery kit: one line, OBSCURA-ROOT-1…, with a checksum. Secret. */
  get recoveryKit(): string {
    return bech32.encode(kitPrefix(this.kind), bech32.toWords(this.#root), false).toUpperCase()
  }

  /** @throws Fault "usage", definite: mistyped. The text is not repeated. */
  static fromRecoveryKit(text: string): Promise<OwnerKeys> {
    try {
      // A printed kit has its letters in groups.
      const { prefix, words } = bech32.decode(
        text.replace(/\s+/g, "").toLowerCase() as `${string}1${string}`,
        false,
      )
      const root = bech32.fromWords(words)
      const kind = (["x25519", "post-quantum"] as const).find((each) => kitPrefix(each) === prefix)
      if (kind && root.length === 32) return OwnerKeys.#from(root, kind)
    } catch {
      // No cause: the library's messages quote the text.
    }
    throw new Fault(
      "usage",
      "this is no recovery kit: it should begin with OBSCURA-ROOT-1, or a letter of it is wrong",
    )
  }

  /** An age identity of the household's kind, for its book. Secret. */
  get bookSecret(): string {
    return ageSecret(this.kind, derive(this.#root, `book ${this.kind}`))
  }

  /** Signs the book; its id is the mailbox in which a cloud keeps it. */
  get bookKey(): SigningKey {
    return signingKeyOf(derive(this.#root, "book"))
  }

  /** By which other owners know this one. */
  get peerKey(): SigningKey {
    return signingKeyOf(derive(this.#root, "peers"))
  }

  /** To the cloud an owner is one key per camera, so two cameras of one home have nothing in common. */
  signingKeyFor(device: string): SigningKey {
    return signingKeyOf(derive(this.#root, `camera ${device}`))
  }

  /** Signs consent to one object that leaves the household, and its end: nothing joins it with a camera's key. */
  signingKeyForOffer(object: string): SigningKey {
    return signingKeyOf(derive(this.#root, `offer ${object}`))
  }

  /** For whom `device` shall seal from now on. */
  recipientsFor(device: string, epoch: number, recipient = this.householdRecipient): Uint8Array {
    const body: Recipients = { device, epoch, keys: [recipient] }
    return sign("recipients", body, this.signingKeyFor(device))
  }

  /** The recovery kit as an age file under `passphrase` (scrypt); `factor`, a recipient: and sealed for that before. */
  async wrap(passphrase: string, factor: string | null = null): Promise<Uint8Array> {
    const encrypter = new Encrypter()
    encrypter.setPassphrase(passphrase)
    return encrypter.encrypt(
      factor === null ? this.recoveryKit : await sealForFactor(this.recoveryKit, factor),
    )
  }

  /**
   * `readFactor` gives the second factor's text, and is asked only where one is needed.
   * @throws Fault "refused", definite: the wrong passphrase or second factor, or no such file.
   */
  static async unwrap(
    file: Uint8Array,
    passphrase: string,
    readFactor: () => Promise<string>,
  ): Promise<OwnerKeys> {
    const opened = await openWithPassphrase(file, passphrase)
    return OwnerKeys.fromRecoveryKit(
      needsFactor(opened) ? await openWithFactor(opened, await readFactor()) : Buffer.from(opened).toString(),
    )
  }
}

async function openWithPassphrase(file: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase)
  try {
    return await decrypter.decrypt(file)
  } catch (cause) {
    throw new Fault("refused", "the owner's key file does not open: wrong passphrase, or a damaged file", {
      cause,
    })
  }
}

function kitPrefix(kind: IdentityKind): string {
  return kind === "x25519" ? "obscura-root-" : "obscura-root-pq-"
}

function ageSecret(kind: IdentityKind, secret: Uint8Array): string {
  const prefix = kind === "x25519" ? "age-secret-key-" : "age-secret-key-pq-"
  return bech32.encode(prefix, bech32.toWords(secret), false).toUpperCase()
}

function derive(root: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", root, new Uint8Array(0), `obscura owner v1 ${purpose}`, 32))
}
