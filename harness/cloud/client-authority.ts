import { createPrivateKey, X509Certificate } from "node:crypto"
import { Fault } from "../../firmware/errors.ts"
import { type Certificate, type Issuer, issuedBy } from "./certificate.ts"

/** PEM, both. By it a broker knows clients; the key is secret. */
export interface ClientAuthorityFiles {
  readonly certificate: string
  readonly key: string
}

/** Somebody's own authority, which vouches for virtual cameras: each is issued one certificate, the first time it asks. */
export class ClientAuthority {
  readonly #issuer: Issuer
  readonly #issued = new Map<string, Pick<Certificate, "certificate" | "key">>()

  /** @throws Fault "usage", definite: no certificate, no key (EC or RSA, without a passphrase), or not a pair. */
  constructor({ certificate, key }: ClientAuthorityFiles) {
    const own = attempt("--client-ca: no certificate in PEM", () => new X509Certificate(certificate))
    const secret = attempt("--client-ca-key: no private key in PEM without a passphrase", () =>
      createPrivateKey(key),
    )
    if (secret.asymmetricKeyType !== "ec" && secret.asymmetricKeyType !== "rsa")
      throw new Fault("usage", "--client-ca-key: an EC or RSA key is wanted")
    if (!own.ca) throw new Fault("usage", "--client-ca: this certificate may not vouch for others (no CA)")
    if (!own.checkPrivateKey(secret))
      throw new Fault("usage", "--client-ca-key: not the key of the certificate in --client-ca")
    this.#issuer = { subject: subjectOf(own.raw), key: secret, keyId: keyIdIn(own.raw) }
  }

  /** For the client whose common name is `name`. */
  issue(name: string): Pick<Certificate, "certificate" | "key"> {
    const issued = this.#issued.get(name) ?? issuedBy(this.#issuer, { names: [name] })
    this.#issued.set(name, issued)
    return issued
  }
}

function attempt<T>(advice: string, make: () => T): T {
  try {
    return make()
  } catch (cause) {
    throw new Fault("usage", advice, { cause })
  }
}

/** Fields before the subject in a certificate's body: serial, algorithm, issuer, validity; the version may be left out. */
const BEFORE_SUBJECT = 4
const VERSION_TAG = 0xa0

/** The subject's DER in a whole certificate's, which Node has parsed already (RFC 5280 §4.1). */
function subjectOf(certificate: Buffer): Buffer {
  let at = elementAt(certificate, elementAt(certificate, 0).start).start
  if (certificate[at] === VERSION_TAG) at = elementAt(certificate, at).end
  for (let field = 0; field < BEFORE_SUBJECT; field++) at = elementAt(certificate, at).end
  return Buffer.from(certificate.subarray(at, elementAt(certificate, at).end))
}

/** OID of the extension, then an OCTET STRING around an OCTET STRING. */
const SUBJECT_KEY_ID = Buffer.from("0603551d0e04", "hex")

/** What the certificate calls its own key (RFC 5280 §4.2.1.2); null: nothing. */
function keyIdIn(certificate: Buffer): Buffer | null {
  const at = certificate.indexOf(SUBJECT_KEY_ID)
  if (at < 0) return null
  const { start, end } = elementAt(certificate, elementAt(certificate, at + SUBJECT_KEY_ID.length - 1).start)
  return Buffer.from(certificate.subarray(start, end))
}

/** Where the content of the element at `at` begins and ends. */
function elementAt(bytes: Buffer, at: number): { readonly start: number; readonly end: number } {
  const first = bytes.readUInt8(at + 1)
  if (first < 0x80) return { start: at + 2, end: at + 2 + first }
  const digits = first & 0x7f
  const start = at + 2 + digits
  return { start, end: start + bytes.readUIntBE(at + 2, digits) }
}
