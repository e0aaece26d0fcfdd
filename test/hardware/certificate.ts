import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto"

/**
 * Just enough X.509 to put any certificate before a TLS client: SEQUENCE { tbs, Ed25519, signature } (RFC 5280 §4.1).
 * Node reads certificates and makes none.
 */
export interface TestCertificate {
  readonly certificate: string
  readonly key: string
  /** SHA-256 (hex) of the SPKI. */
  readonly pin: string
}

export interface CertificateWishes {
  /** Dates as in GeneralizedTime: 20200101000000Z. */
  readonly notBefore?: string
  readonly notAfter?: string
  readonly dnsName?: string
}

/** A self-signed certificate for a new key. */
export function selfSigned({
  notBefore = "20200101000000Z",
  notAfter = "99991231235959Z",
  dnsName = "localhost",
}: CertificateWishes = {}): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519")
  const spki = publicKey.export({ type: "spki", format: "der" })
  const name = sequence(set(sequence(COMMON_NAME, der(0x0c, Buffer.from(dnsName)))))
  const subjectAltName = sequence(SUBJECT_ALT_NAME, octets(sequence(der(0x82, Buffer.from(dnsName)))))
  const body = sequence(
    der(0xa0, integer(2)),
    integer(1),
    ED25519,
    name,
    sequence(der(0x18, Buffer.from(notBefore)), der(0x18, Buffer.from(notAfter))),
    name,
    spki,
    der(0xa3, sequence(subjectAltName)),
  )
  return {
    certificate: pem(sequence(body, ED25519, bits(signed(body, privateKey)))),
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    pin: createHash("sha256").update(spki).digest("hex"),
  }
}

const ED25519 = sequence(Buffer.from("06032b6570", "hex"))
const COMMON_NAME = Buffer.from("0603550403", "hex")
const SUBJECT_ALT_NAME = Buffer.from("0603551d11", "hex")

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...contents: Buffer[]): Buffer {
  return der(0x30, ...contents)
}

function set(...contents: Buffer[]): Buffer {
  return der(0x31, ...contents)
}

function octets(content: Buffer): Buffer {
  return der(0x04, content)
}

function bits(content: Buffer): Buffer {
  return der(0x03, Buffer.from([0]), content)
}

function integer(value: number): Buffer {
  return der(0x02, Buffer.from([value]))
}

function signed(body: Buffer, key: KeyObject): Buffer {
  return sign(null, body, key)
}

function pem(certificate: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64")}\n-----END CERTIFICATE-----\n`
}
