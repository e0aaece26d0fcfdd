import { hkdfSync, randomBytes } from "node:crypto"
import { bech32 } from "@scure/base"
import { Decrypter, Encrypter, identityToRecipient } from "age-encryption"
import { sign } from "../../firmware/control/dsse.ts"
import { type SigningKey, signingKeyOf } from "../../firmware/control/keys.ts"
import type { Recipients } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import { type Identity, type IdentityKind, identityFromText } from "./age-identity.ts"

/**
 * What an owner has: 32 random bytes, from which everything else is derived. A passphrase wraps them in a file that no
 * cloud gets; written down, they are the recovery kit.
 *
 *   root -> household key        an age identity: opens everything this household's cameras record
 *   root -> a key per camera     Ed25519: signs recipients and commands; no two cameras see the same owner
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
    const prefix = kind === "x25519" ? "age-secret-key-" : "age-secret-key-pq-"
    const secret = bech32
      .encode(prefix, bech32.toWords(derive(root, `household ${kind}`)), false)
      .toUpperCase()
    return new OwnerKeys(root, kind, secret, await identityToRecipient(secret))
  }

  /** The recovery kit: one line, OBSCURA-ROOT-1…, with a checksum. Secret. */
  get recoveryKit(): string {
    return bech32.encode(kitPrefix(this.kind), bech32.toWords(this.#root), false).toUpperCase()
  }

  /** @throws Fault "usage", definite: mistyped. The text is not repeated. */
  static fromRecoveryKit(text: string): Promise<OwnerKeys> {
    try {
      const { prefix, words } = bech32.decode(text.trim().toLowerCase() as `${string}1${string}`, false)
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

  /** To the cloud an owner is one key per camera, so two cameras of one home have nothing in common. */
  signingKeyFor(device: string): SigningKey {
    return signingKeyOf(derive(this.#root, `camera ${device}`))
  }

  /** For whom `device` shall seal from now on. */
  recipientsFor(device: string, epoch: number, recipient = this.householdRecipient): Uint8Array {
    const body: Recipients = { device, epoch, keys: [recipient] }
    return sign("recipients", body, this.signingKeyFor(device))
  }

  /** The recovery kit as an age file under `passphrase` (scrypt). */
  async wrap(passphrase: string): Promise<Uint8Array> {
    const encrypter = new Encrypter()
    encrypter.setPassphrase(passphrase)
    return encrypter.encrypt(this.recoveryKit)
  }

  /** @throws Fault "refused", definite: the wrong passphrase, or no such file. */
  static async unwrap(file: Uint8Array, passphrase: string): Promise<OwnerKeys> {
    const decrypter = new Decrypter()
    decrypter.addPassphrase(passphrase)
    try {
      return await OwnerKeys.fromRecoveryKit(await decrypter.decrypt(file, "text"))
    } catch (cause) {
      throw new Fault("refused", "the owner's key file does not open: wrong passphrase, or a damaged file", {
        cause,
      })
    }
  }
}

function kitPrefix(kind: IdentityKind): string {
  return kind === "x25519" ? "obscura-root-" : "obscura-root-pq-"
}

function derive(root: Uint8Array, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync("sha256", root, new Uint8Array(0), `obscura owner v1 ${purpose}`, 32))
}
