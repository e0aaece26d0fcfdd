import { randomBytes } from "node:crypto"
import { Fault, isFault } from "../../firmware/errors.ts"
import { seconds } from "../../firmware/units.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { type Cloud, type CloudOptions, startCloud } from "../cloud/broker.ts"
import { type Bucket, openBucket, readBucket, type WritableBucket } from "../cloud/bucket.ts"
import { issuedBy, newAuthority } from "../cloud/certificate.ts"
import { identityOf } from "../cloud/keys.ts"
import { placeName, placeWithin, type S3Place } from "../cloud/s3-place.ts"
import { startSubscriber } from "../cloud/subscriber.ts"
import type { Scenario } from "../scenario/scenario.ts"
import { ingestAt, meetBroker } from "./outside-broker.ts"
import type { ReadyTarget, Target } from "./target.ts"

/** Asked once, and not again: whoever waits at the keyboard wants to hear why. */
const AT_START = { within: seconds(10), attempts: 1 }
/** What only the embedded broker can suffer. */
const OF_OUR_BROKER = new Set(["broker-kill", "broker-restart"])

/**
 * Asks everything outside of what a run needs of it, before anything is done.
 * @throws Fault "usage", definite: one line for whoever gave the options.
 */
export async function readyTarget(target: Target, scenario: Scenario, seed: number): Promise<ReadyTarget> {
  const { tls, broker, bucket } = target
  const impossible = scenario.faults.find(({ kind }) => OF_OUR_BROKER.has(kind))
  if (broker && impossible)
    throw new Fault(
      "usage",
      `--broker: "${impossible.kind}" in this scenario strikes the embedded broker alone`,
    )
  return {
    tls: tls ? runCertificate() : null,
    outside: broker && { broker, certificate: await meetBroker(broker) },
    bucket: bucket && (await readyBucket(bucket, seed)),
  }
}

/** By an authority that vouches for nobody else and whose key is forgotten at once. */
function runCertificate(): { readonly key: string; readonly cert: string } {
  const authority = newAuthority("obscura fleet")
  const { key, certificate } = issuedBy(authority, { names: ["localhost", "127.0.0.1"] })
  return { key, cert: certificate + authority.certificate }
}

async function readyBucket(place: S3Place, seed: number): Promise<S3Place> {
  const own = placeWithin(place, `run-${seed}-${randomBytes(4).toString("hex")}`)
  try {
    const { openS3Bucket } = await import("../cloud/s3-bucket.ts")
    await (await openS3Bucket(own, AT_START)).close()
    return own
  } catch (cause) {
    if (!isFault(cause)) throw cause
    const why = cause.message.replace(`bucket ${placeName(own)}: `, "")
    throw new Fault("usage", `--bucket ${placeName(place)}: ${why}`, { cause })
  }
}

/** The SDK is loaded only where there is S3: it is a fifth of what the process weighs. */
export async function openRunBucket(directory: string, place: S3Place | null): Promise<WritableBucket> {
  if (place === null) return openBucket(directory)
  await makeFolder(directory) // the heartbeats stay here
  const { openS3Bucket } = await import("../cloud/s3-bucket.ts")
  return openS3Bucket(place)
}

export interface RunReader {
  readonly bucket: Bucket
  /** What lies in S3, as it is; a folder can be looked at by its files. */
  readonly everything: AsyncIterable<{ readonly name: string; readonly bytes: Buffer }> | null
  close(): Promise<void>
}

/** @throws as `readBucket` and `readS3Bucket`. */
export async function readRunBucket(directory: string, place: S3Place | null): Promise<RunReader> {
  if (place === null)
    return { bucket: await readBucket(directory), everything: null, close: async () => undefined }
  const { readS3Bucket } = await import("../cloud/s3-bucket.ts")
  const bucket = await readS3Bucket(place)
  return { bucket, everything: bucket.everything(), close: () => bucket.close() }
}

/** The embedded broker; or the ingest at one that is not ours, where it takes what cameras that it `admits` say. */
export async function startRunCloud(
  options: Omit<CloudOptions, "host" | "tls">,
  { tls, outside }: ReadyTarget,
  admits: (device: string) => boolean,
): Promise<Cloud> {
  if (outside === null) return startCloud({ ...options, host: "127.0.0.1", ...(tls ? { tls } : {}) })
  const { broker, certificate } = outside
  const subscriber = await startSubscriber({ ...options, ...ingestAt(broker), admits })
  return { ...subscriber, port: 0, identity: identityOf(options.name, options.keys, certificate) }
}
