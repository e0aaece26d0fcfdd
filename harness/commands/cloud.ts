import { join } from "node:path"
import { Command, Option } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { MiB } from "../../firmware/units.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { type Cloud, startCloud } from "../cloud/broker.ts"
import { openBrokerCertificate } from "../cloud/broker-certificate.ts"
import type { WritableBucket } from "../cloud/bucket.ts"
import { type CloudLog, writeFault } from "../cloud/cloud-log.ts"
import { type IndexPlace, parseIndexPlace } from "../cloud/index/place.ts"
import { CLOUD_NAME, type CloudIdentity, openCloudKeys } from "../cloud/keys.ts"
import { readIfThere, replaceFile } from "../cloud/log/log-disk.ts"
import { openCloudLog } from "../cloud/log/open-log.ts"
import { DAY } from "../cloud/retention.ts"
import { parseS3Place, type S3Place } from "../cloud/s3-place.ts"
import type { StoreOptions } from "../cloud/store.ts"
import { keepSwept } from "../services/sweeping.ts"
import { leaveAddress, withdrawAddress } from "./cloud-address.ts"
import { cloudLog, makeLogger } from "./lines.ts"
import { homeOption, homePaths, indexOption, loopbackUrl, PORT, wholeNumber } from "./options.ts"
import { s3EndpointOption } from "./owner-bucket.ts"
import { aborted, stopOnSignals } from "./stop.ts"

/** The registered port of MQTT over TLS. */
const TLS_PORT = 8_883

interface CloudCommandOptions {
  readonly home: string
  readonly host?: string
  readonly port?: number
  readonly index?: string
  readonly bucket?: string
  readonly s3Endpoint?: string
  readonly quotaGib: number
  readonly retentionDays: number
}

const HELP = `
The index follows the bucket and is made anew from it: a database may be lost, away, or changed for another. Its
accounts are not in the bucket: "obscura account" makes them.

With a bucket in S3, deletion, quota and retention reach every version there. Heartbeats, keys and the access log stay in
the cloud's folder, for the log's journal has to be synced. Who may go to S3 the environment says (AWS_ACCESS_KEY_ID and
its secret).`

export function cloudCommand(): Command {
  return new Command("cloud")
    .description("run the smallest cloud: a broker, its ingest, and a bucket of sealed objects")
    .addOption(homeOption())
    .option(
      "--host <name>",
      "how cameras reach this machine, such as cloud.local or 192.168.1.10: listens for all, by TLS (default: this machine alone)",
    )
    .option(
      "--port <n>",
      `0 takes any free one (default: ${PORT}; with --host ${TLS_PORT})`,
      wholeNumber(0, 65_535),
    )
    .addOption(indexOption())
    .option(
      "--bucket <s3-url>",
      "keep sealed objects in S3, s3://bucket/prefix, instead of in the cloud's folder",
    )
    .addOption(s3EndpointOption())
    .addOption(
      new Option("--quota-gib <n>", "of every mailbox alike; at it the oldest clips leave")
        .argParser(wholeNumber(1, 100_000))
        .default(20),
    )
    .addOption(
      new Option("--retention-days <n>", "how long a clip is kept after it arrived")
        .argParser(wholeNumber(1, 3_650))
        .default(60),
    )
    .addHelpText("after", HELP)
    .action(async (options: CloudCommandOptions) => {
      const { home, host, port, index, quotaGib, retentionDays } = options
      const s3 = s3PlaceOf(options)
      if (host !== undefined) networkDialler(`mqtts://${host}`) // refuses what is no host
      const { signal } = stopOnSignals()
      const logger = makeLogger()
      const log = cloudLog(logger)
      const place = index === undefined ? null : parseIndexPlace(index)
      const directory = homePaths(home).cloud
      const door = host === undefined ? { port: port ?? PORT } : { port: port ?? TLS_PORT, tlsFor: host }
      const cloud = await openHomeCloud(directory, door, log, {
        quotaBytes: quotaGib * 1024 * MiB,
        retention: retentionDays * DAY,
        ...(place === null ? {} : { follower: await openIndex(place, log) }),
        ...(s3 === null ? {} : { s3 }),
      })
      const url = host === undefined ? loopbackUrl(cloud.port) : `mqtts://${host}:${cloud.port}`
      logger.info(`cameras connect to ${url}; Ctrl-C stops`)
      await aborted(signal)
      await cloud.close()
    })
}

/** null: in the cloud's folder. @throws Fault "usage", definite. */
function s3PlaceOf({
  bucket,
  s3Endpoint,
}: Pick<CloudCommandOptions, "bucket" | "s3Endpoint">): S3Place | null {
  if (bucket !== undefined) return parseS3Place(bucket, s3Endpoint ?? null)
  if (s3Endpoint === undefined) return null
  throw new Fault("usage", "--s3-endpoint goes with --bucket s3://bucket/prefix")
}

/** Where it listens: on loopback, or for everybody by TLS, with a certificate for that name. */
export interface HomeDoor {
  /** 0: any free one. */
  readonly port: number
  readonly tlsFor?: string
}

/** Loaded when it is wanted: a query builder is half of all that a cloud would read as it starts. */
async function openIndex(place: IndexPlace, log: CloudLog) {
  const { Indexer } = await import("../cloud/index/indexer.ts")
  return Indexer.open(place, log)
}

export type HomeCloudOptions = Pick<StoreOptions, "quotaBytes" | "retention" | "follower"> & {
  /** Where sealed objects lie, instead of in the folder. */
  readonly s3?: S3Place
}

/**
 * The cloud whose folder is `directory`. What an owner pins at pairing, all of it public, is left there as identity.json,
 * and while it runs where it listens (`cloud-address.ts`).
 * @throws Fault "usage", definite: port taken, folder not writable, bucket in use.
 */
export async function openHomeCloud(
  directory: string,
  { port, tlsFor }: HomeDoor,
  log: CloudLog,
  { s3, ...more }: HomeCloudOptions = {},
): Promise<Cloud> {
  await makeFolder(directory)
  const keys = await openCloudKeys(join(directory, "keys.json"))
  const bucket = join(directory, "bucket")
  const accessLog = await openCloudLog(join(directory, "log"), CLOUD_NAME, keys.log, log)
  const parts = { name: CLOUD_NAME, directory: bucket, keys, log, accessLog: accessLog.log }
  let opened: Cloud | null = null
  try {
    const inS3 = s3 && (await openInS3(bucket, s3))
    const where =
      tlsFor === undefined
        ? { host: "127.0.0.1", port }
        : { host: "::", port, tls: await openBrokerCertificate(join(directory, "broker.json"), tlsFor) }
    const cloud = await startCloud({ ...where, ...parts, ...more, ...(inS3 ? { bucket: inS3 } : {}) })
    opened = cloud
    // By TLS any name of this machine will do: who answers there has to have the pinned key.
    const here = tlsFor === undefined ? loopbackUrl(cloud.port) : `mqtts://localhost:${cloud.port}`
    await introduce(directory, cloud.identity)
    // Owners can say --broker, and a full disk is no reason to have no cloud.
    await leaveAddress(directory, here).catch((error: unknown) => writeFault(log, "address", error))
    const swept = keepSwept(directory, accessLog.log, (error) => writeFault(log, "services", error))
    const close = () =>
      withdrawAddress(directory)
        .finally(() => cloud.close())
        .finally(() => swept())
        .finally(() => accessLog.close())
    return { ...cloud, close }
  } catch (error) {
    // One that listens already would keep the process alive; it closes its follower.
    await (opened ?? more.follower)?.close()
    await accessLog.close()
    throw error
  }
}

/** @throws Fault "usage", definite: the folder cannot be written. */
async function introduce(directory: string, identity: CloudIdentity): Promise<void> {
  const file = join(directory, "identity.json")
  const text = Buffer.from(`${JSON.stringify(identity)}\n`)
  try {
    if (!(await readIfThere(file))?.equals(text)) await replaceFile(file, text, 0o644)
  } catch (cause) {
    throw new Fault("usage", `${file}: cannot be written (${messageOf(cause)})`, { cause })
  }
}

/** The SDK is loaded only where there is S3. The heartbeats stay in `directory`. */
async function openInS3(directory: string, place: S3Place): Promise<WritableBucket> {
  await makeFolder(directory)
  const { openS3Bucket } = await import("../cloud/s3-bucket.ts")
  return openS3Bucket(place)
}
