import type { ClientAuthorityFiles } from "../cloud/client-authority.ts"
import type { S3Place } from "../cloud/s3-place.ts"

/** What a fleet runs against: an option of the run, not of the scenario. Child processes are told of it as it is. */
export interface Target {
  /** The embedded broker speaks TLS, with a certificate made for the run. */
  readonly tls: boolean
  /** null: the embedded one. */
  readonly broker: OutsideBroker | null
  /** null: a folder. */
  readonly bucket: S3Place | null
}

/** An MQTT 3.1.1 broker, or a cluster behind one address, that is not ours. */
export interface OutsideBroker {
  /** mqtts://host:port, or mqtt:// on this machine. */
  readonly url: string
  /** Who vouches for it, PEM; null: the platform's list. */
  readonly ca: string | null
  /** Of the ingest. */
  readonly user: string | null
  readonly password: string | null
  /** Who vouches for cameras, owners and the ingest, where the broker asks for client certificates. */
  readonly clients: ClientAuthorityFiles | null
  /** Connections of the ingest. More than one share one subscription. */
  readonly subscribers: number
}

export const EMBEDDED: Target = { tls: false, broker: null, bucket: null }

/** A target that was asked, and answered. */
export interface ReadyTarget {
  /** Of the embedded broker, PEM; null: plain TCP on loopback. */
  readonly tls: { readonly key: string; readonly cert: string } | null
  /** With its certificate, PEM, which cameras pin; null on plain TCP. */
  readonly outside: { readonly broker: OutsideBroker; readonly certificate: string | null } | null
  /** A place for this run alone. */
  readonly bucket: S3Place | null
}

/** Where the broker is, once the embedded one listens on `port`. */
export function brokerUrl({ tls, outside }: ReadyTarget, port: number): string {
  return outside?.broker.url ?? `${tls ? "mqtts" : "mqtt"}://127.0.0.1:${port}`
}
