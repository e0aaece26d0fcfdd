import { isIP } from "node:net"
import { Fault } from "../../firmware/errors.ts"

/** Where in an S3 service a bucket of ours lies. Who may go there is not part of it: the SDK finds the credentials. */
export interface S3Place {
  readonly bucket: string
  /** Of every key; "" or something that ends with "/". */
  readonly prefix: string
  /** null: AWS itself. */
  readonly endpoint: string | null
}

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/
/** What every S3 service and every shell takes as it is. */
const PREFIX = /^(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:\/|$))*$/

/**
 * @throws Fault "usage", definite: one line that says what is wrong with `bucket` (s3://bucket/prefix) or `endpoint`
 *         (https://host:port, or http:// on this machine).
 */
export function parseS3Place(bucket: string, endpoint: string | null): S3Place {
  const [, name = "", prefix = ""] = /^s3:\/\/([^/]*)\/?(.*)$/.exec(bucket) ?? []
  if (!BUCKET.test(name) || !PREFIX.test(prefix) || prefix.length > 200)
    throw new Fault(
      "usage",
      `--bucket ${bucket}: it looks like s3://bucket/prefix, in letters, digits, - _ .`,
    )
  const slash = prefix === "" || prefix.endsWith("/") ? "" : "/"
  return {
    bucket: name,
    prefix: prefix + slash,
    endpoint: endpoint === null ? null : parseEndpoint(endpoint),
  }
}

/** A part of it for one purpose alone. */
export function placeWithin(place: S3Place, name: string): S3Place {
  return { ...place, prefix: `${place.prefix}${name}/` }
}

export function placeName({ bucket, prefix }: S3Place): string {
  return `s3://${bucket}/${prefix}`.replace(/\/$/, "")
}

function parseEndpoint(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url?.hostname || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw new Fault("usage", "--s3-endpoint: it looks like https://host:9000")
  if (url.username || url.password)
    throw new Fault("usage", "--s3-endpoint: no user and password; set AWS_ACCESS_KEY_ID and its secret")
  if (url.pathname !== "/" || url.search || url.hash)
    throw new Fault("usage", "--s3-endpoint: host and port alone; bucket and prefix go into --bucket")
  if (url.protocol === "http:" && !isLoopback(url.hostname))
    throw new Fault(
      "usage",
      `--s3-endpoint: plain http:// is for this machine alone; use https://${url.host}`,
    )
  return url.origin
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "[::1]" || (isIP(host) === 4 && host.startsWith("127."))
}
