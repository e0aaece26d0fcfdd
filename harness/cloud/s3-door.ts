import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3"
import { Fault, isFault } from "../../firmware/errors.ts"
import { type Bytes, type Milliseconds, seconds, type UnixMilliseconds } from "../../firmware/units.ts"
import { Line } from "./s3-line.ts"
import { placeName, type S3Place } from "./s3-place.ts"

/** The SDK warns of Node 20 in every process; package.json pins a version that runs on it. */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true"

export interface S3Patience {
  /** From when a request goes out until its answer begins; then how long that may be silent before it is whole. */
  readonly within: Milliseconds
  /** The first one counts too. */
  readonly attempts: number
}

const PATIENCE: S3Patience = { within: seconds(10), attempts: 3 }
const CONNECT_WITHIN = seconds(5)
/** More wait in line here: the SDK counts a request's time from when it gets it, also while that waits for a socket. */
const REQUESTS_AT_ONCE = 64

export interface S3Entry {
  /** Behind the place's prefix. */
  readonly key: string
  readonly bytes: Bytes
  /** When the service took it, by its clock; 0: it does not say. */
  readonly arrived: UnixMilliseconds
}

/**
 * One place in an S3 service, by the few requests that every such service has: PutObject, GetObject, ListObjects,
 * DeleteObject; and ListObjectVersions where the service's answer shows that it keeps versions. Keys
 * are without the place's prefix. Nothing here needs conditional or multipart writes: objects are of at most 32 MiB, never
 * change, and a PUT is seen whole or not at all.
 *
 * Every method rejects with Fault "usage" (definite: no such bucket, no rights, no credentials), "full" (definite), or
 * "unavailable" (indefinite: away, slow, failing, silent halfway through an answer).
 */
export class S3Door {
  readonly place: S3Place
  readonly #client: S3Client
  readonly #name: string
  readonly #line = new Line(REQUESTS_AT_ONCE)

  constructor(place: S3Place, patience: S3Patience = PATIENCE) {
    const { endpoint } = place
    this.place = place
    this.#name = placeName(place)
    this.#client = new S3Client({
      // Signed into every request; services other than AWS take any.
      region: process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION ?? "us-east-1",
      ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
      // The signature covers the body's SHA-256 already; not every service knows the SDK's newer checksums.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      maxAttempts: patience.attempts,
      requestHandler: {
        connectionTimeout: CONNECT_WITHIN,
        requestTimeout: patience.within,
        throwOnRequestTimeout: true,
        // The request's time is over when the answer begins; what follows may be silent for this long, and the SDK may
        // begin to count that 3 s late.
        socketTimeout: patience.within,
        httpAgent: { keepAlive: true, maxSockets: REQUESTS_AT_ONCE },
        httpsAgent: { keepAlive: true, maxSockets: REQUESTS_AT_ONCE },
      },
    })
  }

  /** Resolves when the service has answered for it. */
  async put(key: string, body: Uint8Array, facts: Readonly<Record<string, string>> = {}): Promise<void> {
    const command = new PutObjectCommand({
      ...this.#at(key),
      Body: body,
      ContentLength: body.length,
      Metadata: facts,
    })
    await this.#door(() => this.#client.send(command))
  }

  /** null: there is no such key. */
  async get(
    key: string,
  ): Promise<{ readonly bytes: Buffer; readonly facts: Readonly<Record<string, string>> } | null> {
    try {
      return await this.#door(async () => {
        const { Body, Metadata = {} } = await this.#client.send(new GetObjectCommand(this.#at(key)))
        const bytes = (await Body?.transformToByteArray().catch(cutShort)) ?? new Uint8Array()
        return { bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), facts: Metadata }
      })
    } catch (error) {
      if (isFault(error) && error.cause instanceof NoSuchKey) return null
      throw error
    }
  }

  /** By rising key. */
  async *list(prefix: string): AsyncGenerator<S3Entry> {
    const { bucket, prefix: own } = this.place
    let marker: string | undefined
    do {
      const command = new ListObjectsCommand({
        Bucket: bucket,
        Prefix: own + prefix,
        ...(marker === undefined ? {} : { Marker: marker }),
      })
      const { Contents = [], IsTruncated } = await this.#door(() => this.#client.send(command))
      for (const { Key = "", Size = 0, LastModified } of Contents)
        yield { key: Key.slice(own.length), bytes: Size, arrived: LastModified?.getTime() ?? 0 }
      marker = IsTruncated ? Contents.at(-1)?.Key : undefined
    } while (marker !== undefined)
  }

  /** With every version of it, where the service keeps them. What is not there is deleted already. */
  async delete(key: string): Promise<void> {
    const { DeleteMarker, VersionId } = await this.#door(() =>
      this.#client.send(new DeleteObjectCommand(this.#at(key))),
    )
    if (DeleteMarker === true || VersionId !== undefined) await this.#deleteVersions(key)
  }

  async #deleteVersions(key: string): Promise<void> {
    const { Bucket, Key } = this.#at(key)
    let from: { KeyMarker?: string; VersionIdMarker?: string } | null = {}
    while (from !== null) {
      const listing: ListObjectVersionsCommand = new ListObjectVersionsCommand({
        Bucket,
        Prefix: Key,
        ...from,
      })
      const page: ListObjectVersionsCommandOutput = await this.#door(() => this.#client.send(listing))
      for (const each of [...(page.Versions ?? []), ...(page.DeleteMarkers ?? [])]) {
        if (each.Key !== Key || each.VersionId === undefined) continue
        const command = new DeleteObjectCommand({ Bucket, Key, VersionId: each.VersionId })
        await this.#door(() => this.#client.send(command))
      }
      const { IsTruncated, NextKeyMarker, NextVersionIdMarker } = page
      from =
        IsTruncated && NextKeyMarker !== undefined
          ? {
              KeyMarker: NextKeyMarker,
              ...(NextVersionIdMarker === undefined ? {} : { VersionIdMarker: NextVersionIdMarker }),
            }
          : null
    }
  }

  close(): void {
    this.#client.destroy()
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.place.bucket, Key: this.place.prefix + key }
  }

  async #door<T>(request: () => Promise<T>): Promise<T> {
    try {
      return await this.#line.run(request)
    } catch (cause) {
      throw s3Fault(cause, this.#name)
    }
  }
}

/** What to do, by what the service or the SDK calls it. */
const NOT_ALLOWED: Readonly<Record<string, string>> = {
  NoSuchBucket: "no such bucket; make it, or check its name and --s3-endpoint",
  AccessDenied: "these credentials may not do that; they need to put, get, list and delete there",
  InvalidAccessKeyId: "nobody has this access key; check AWS_ACCESS_KEY_ID",
  SignatureDoesNotMatch: "the secret does not fit the access key; check AWS_SECRET_ACCESS_KEY",
  CredentialsProviderError: "no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
  ExpiredToken: "the credentials have expired",
  PermanentRedirect: "the bucket is in another region; set AWS_REGION",
  AuthorizationHeaderMalformed: "the bucket is in another region; set AWS_REGION",
  RequestTimeTooSkewed: "this machine's clock is wrong",
}
const NO_ROOM = new Set(["QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "StorageFull"])
const FORBIDDEN = 403
const INSUFFICIENT_STORAGE = 507

const AWAY: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused: is it running?",
  ENOTFOUND: "no such host; check --s3-endpoint",
  EAI_AGAIN: "the name server does not answer",
  ECONNRESET: "it hung up",
  TimeoutError: "no answer in time",
  CutShort: "its answer stopped halfway",
  SlowDown: "it asks for less at once",
}
const CERTIFICATE = /CERT|ISSUER|LEAF_SIGNATURE|HOSTNAME|ALTNAME/

/** Of an answer that had begun. */
function cutShort(cause: unknown): never {
  throw Object.assign(new Error("an answer without its end", { cause }), { name: "CutShort" })
}

/** The service's own words may name accounts, so they stay in `cause`. */
function s3Fault(cause: unknown, name: string): Fault {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const code = "code" in error && typeof error.code === "string" ? error.code : error.name
  const status = cause instanceof S3ServiceException ? (cause.$metadata.httpStatusCode ?? 0) : 0
  const fault = (kind: "usage" | "full" | "unavailable", why: string) =>
    new Fault(kind, `bucket ${name}: ${why}`, { definite: kind !== "unavailable", cause })
  if (NO_ROOM.has(error.name) || status === INSUFFICIENT_STORAGE) return fault("full", "no room")
  const notAllowed = NOT_ALLOWED[error.name] ?? (status === FORBIDDEN ? NOT_ALLOWED.AccessDenied : undefined)
  if (notAllowed !== undefined) return fault("usage", notAllowed)
  if (CERTIFICATE.test(code))
    return fault("usage", "the endpoint's certificate does not hold; name its CA with NODE_EXTRA_CA_CERTS")
  const said = status === 0 && code === "Error" ? error.message.split("\n")[0] : code
  const why = AWAY[code] ?? AWAY[error.name] ?? `it does not answer as S3 does (${said})`
  return fault("unavailable", why)
}
