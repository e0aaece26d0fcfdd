import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto"
import { isIP } from "node:net"

/**
 * Certificates for brokers, authorities and clients of a test's own making: X.509 v3 in DER (RFC 5280 §4.1), with keys
 * of ECDSA P-256, for every TLS library takes that. Node reads certificates and makes none.
 *
 *   Certificate ::= SEQUENCE { tbs, algorithm, signature }
 *   tbs         ::= SEQUENCE { [0] version, serial, algorithm, issuer, validity, subject, SPKI, [3] extensions }
 */
export interface Certificate {
  /** Subject's common name. */
  readonly name: string
  /** PEM. */
  readonly certificate: string
  /** PKCS #8, PEM. Secret. */
  readonly key: string
  /** SHA-256 (hex) of the SPKI: what a camera pins. */
  readonly pin: string
}

export interface CertificateWishes {
  /** Host names and addresses that it is for; the first is the subject's common name too. At least one. */
  readonly names: readonly [string, ...string[]]
  /** As YYYYMMDDhhmmssZ; default 2020-01-01 and, as RFC 5280 §4.1.2.5 spells "never", 9999-12-31. */
  readonly notBefore?: string
  readonly notAfter?: string
}

/** Who vouches for others. */
export interface Issuer {
  /** Its distinguished name as its own certificate spells it, in DER. */
  readonly subject: Buffer
  /** EC or RSA. */
  readonly key: KeyObject
  /** By which libraries find it among several; null: by its name alone. */
  readonly keyId: Buffer | null
}

/** Vouches for itself. */
export function selfSigned(wishes: CertificateWishes): Certificate {
  return make(wishes, null, [])
}

/** May vouch for others, and for nothing else. */
export function newAuthority(name: string): Certificate {
  return make({ names: [name] }, null, [BASIC_CONSTRAINTS_AUTHORITY, KEY_USAGE_AUTHORITY])
}

/** For a server or a client, vouched for by `authority`. */
export function issuedBy(authority: Certificate | Issuer, wishes: CertificateWishes): Certificate {
  return make(wishes, "subject" in authority ? authority : issuerOf(authority), [])
}

function issuerOf({ name, key }: Certificate): Issuer {
  const own = createPrivateKey(key)
  const spki = createPublicKey(own).export({ type: "spki", format: "der" })
  return { subject: commonName(name), key: own, keyId: keyIdOf(spki) }
}

function make(
  { names, notBefore = "20200101000000Z", notAfter = "99991231235959Z" }: CertificateWishes,
  authority: Issuer | null,
  extensions: readonly Buffer[],
): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" })
  const spki = publicKey.export({ type: "spki", format: "der" })
  const [name] = names
  const issuer = authority ?? { subject: commonName(name), key: privateKey, keyId: keyIdOf(spki) }
  const algorithm = issuer.key.asymmetricKeyType === "rsa" ? RSA_WITH_SHA256 : ECDSA_WITH_SHA256
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))),
    // Positive, and of no more than 20 bytes (RFC 5280 §4.1.2.2).
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)])),
    algorithm,
    issuer.subject,
    sequence(time(notBefore), time(notAfter)),
    commonName(name),
    spki,
    der(0xa3, sequence(alternativeNames(names), keyIds(spki, issuer.keyId), ...extensions)),
  )
  return {
    name,
    certificate: pem(sequence(body, algorithm, bits(signed(body, issuer.key)))),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    pin: createHash("sha256").update(spki).digest("hex"),
  }
}

// Object identifiers, in DER
const ECDSA_WITH_SHA256 = sequence(Buffer.from("06082a8648ce3d040302", "hex"))
const RSA_WITH_SHA256 = sequence(Buffer.from("06092a864886f70d01010b0500", "hex"))
const COMMON_NAME = Buffer.from("0603550403", "hex")
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex")
const BASIC_CONSTRAINTS = Buffer.from("0603551d13", "hex")
const KEY_USAGE = Buffer.from("0603551d0f", "hex")
const SUBJECT_KEY_ID = Buffer.from("0603551d0e", "hex")
const AUTHORITY_KEY_ID = Buffer.from("0603551d23", "hex")
const CRITICAL = Buffer.from("0101ff", "hex")

/** cA TRUE (RFC 5280 §4.2.1.9). */
const BASIC_CONSTRAINTS_AUTHORITY = sequence(
  BASIC_CONSTRAINTS,
  CRITICAL,
  octets(sequence(Buffer.from("0101ff", "hex"))),
)
/** keyCertSign and cRLSign (RFC 5280 §4.2.1.3). */
const KEY_USAGE_AUTHORITY = sequence(KEY_USAGE, CRITICAL, octets(Buffer.from("03020106", "hex")))

/** Which name or address it is for (RFC 5280 §4.2.1.6). */
function alternativeNames(names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    isIP(name) === 0 ? der(0x82, Buffer.from(name)) : der(0x87, addressBytes(name)),
  )
  return sequence(SUBJECT_ALT_NAME, octets(sequence(...entries)))
}

/** By which libraries find the issuer among several (RFC 5280 §4.2.1.1 and §4.2.1.2). */
function keyIds(spki: Uint8Array, issuer: Buffer | null): Buffer {
  const own = sequence(SUBJECT_KEY_ID, octets(octets(keyIdOf(spki))))
  if (issuer === null) return own
  return Buffer.concat([own, sequence(AUTHORITY_KEY_ID, octets(sequence(der(0x80, issuer))))])
}

function keyIdOf(spki: Uint8Array): Buffer {
  return createHash("sha256").update(spki).digest().subarray(0, 20)
}

/** Network order; of IPv6 every spelling but the one that ends in IPv4. */
function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split(".").map(Number))
  const [head = "", tail = ""] = address.split("::")
  const words = (text: string) =>
    text === "" ? [] : text.split(":").map((word) => Number.parseInt(word, 16))
  const [before, after] = [words(head), words(tail)]
  const zeros = new Array<number>(8 - before.length - after.length).fill(0)
  return Buffer.from([...before, ...zeros, ...after].flatMap((word) => [word >> 8, word & 255]))
}

/** Two digits of the year until 2049, four from then on (RFC 5280 §4.1.2.5). */
function time(text: string): Buffer {
  return Number(text.slice(0, 4)) < 2050
    ? der(0x17, Buffer.from(text.slice(2)))
    : der(0x18, Buffer.from(text))
}

function commonName(name: string): Buffer {
  return sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(name)))))
}

function signed(body: Buffer, key: KeyObject): Buffer {
  return sign("sha256", body, key)
}

function der(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...contents: readonly Buffer[]): Buffer {
  return der(0x30, ...contents)
}

function octets(content: Buffer): Buffer {
  return der(0x04, content)
}

function bits(content: Buffer): Buffer {
  return der(0x03, Buffer.of(0), content)
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`
}
