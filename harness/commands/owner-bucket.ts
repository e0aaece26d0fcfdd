import { access } from "node:fs/promises"
import { join } from "node:path"
import { type Command, Option } from "commander"
import { Fault } from "../../firmware/errors.ts"
import { type Beats, openBeats } from "../cloud/beats.ts"
import { type Bucket, readBucket } from "../cloud/bucket.ts"
import { type Reader, recordedReads } from "../cloud/log/recorded-reads.ts"
import { parseS3Place } from "../cloud/s3-place.ts"
import { homePaths } from "./options.ts"

export interface BucketOptions {
  readonly home: string
  readonly bucket?: string
  readonly s3Endpoint?: string
}

export const s3EndpointOption = (): Option =>
  new Option("--s3-endpoint <url>", "any S3 service, https://host:9000 (default: AWS by AWS_REGION)")

export function withBucket(command: Command): Command {
  return command
    .option(
      "--bucket <place>",
      "the cloud's bucket, if it is not this household's own: a folder, or s3://bucket/prefix",
    )
    .addOption(s3EndpointOption())
}

export interface OpenedBucket {
  readonly bucket: Bucket
  readonly beats: Beats
}

/**
 * What the cloud holds, as it is now. `reader`: records what is read of this household's own cloud in its access log. The
 * heartbeats of a cloud whose bucket is in S3 lie with the cloud; elsewhere they are heard from its broker alone.
 * @throws Fault "usage" or "unavailable", definite.
 */
export async function openBucketOf(options: BucketOptions, reader?: Reader): Promise<OpenedBucket> {
  const { home, bucket: place, s3Endpoint } = options
  const own = join(homePaths(home).cloud, "bucket")
  if (place?.startsWith("s3://")) {
    const s3 = parseS3Place(place, s3Endpoint ?? null)
    const { readS3Bucket } = await import("../cloud/s3-bucket.ts")
    return { beats: await openBeats(own), bucket: await readS3Bucket(s3) }
  }
  if (s3Endpoint !== undefined)
    throw new Fault("usage", "--s3-endpoint goes with --bucket s3://bucket/prefix")
  // Heartbeats first: what they announce, a cloud that runs meanwhile may only have more of.
  const beats = await openBeats(place ?? own)
  const bucket = await readBucket(place ?? own)
  const log = join(homePaths(home).cloud, "log")
  const isRecorded = reader !== undefined && place === undefined && (await isThere(join(log, "private")))
  return { beats, bucket: isRecorded ? recordedReads(bucket, log, reader) : bucket }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch {
    return false
  }
}
