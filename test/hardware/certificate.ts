import { type Certificate, selfSigned as make } from "../../harness/cloud/certificate.ts"

export interface CertificateWishes {
  /** Dates as YYYYMMDDhhmmssZ. */
  readonly notBefore?: string
  readonly notAfter?: string
  readonly dnsName?: string
}

/** A self-signed certificate for a new key, for this machine unless told otherwise. */
export function selfSigned({ dnsName = "localhost", ...dates }: CertificateWishes = {}): Certificate {
  return make({ names: [dnsName], ...dates })
}
