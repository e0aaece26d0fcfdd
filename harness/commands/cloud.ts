import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Command, Option } from "commander"
import { MiB } from "../../firmware/units.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { type Cloud, startCloud } from "../cloud/broker.ts"
import { openBrokerCertificate } from "../cloud/broker-certificate.ts"
import { type CloudLog, writeFault } from "../cloud/cloud-log.ts"
import { Indexer } from "../cloud/index/indexer.ts"
import { parseIndexPlace } from "../cloud/index/place.ts"
import { CLOUD_NAME, openCloudKeys } from "../cloud/keys.ts"
import { AccessLog } from "../cloud/log/access-log.ts"
import { originOf } from "../cloud/log/checkpoint.ts"
import { DAY } from "../cloud/retention.ts"
import type { StoreOptions } from "../cloud/store.ts"
import { cloudLog, makeLogger } from "./lines.ts"
import { homeOption, homePaths, indexOption, loopbackUrl, PORT, wholeNumber } from "./options.ts"
import { aborted, stopOnSignals } from "./stop.ts"

/** The registered port of MQTT over TLS. */
const TLS_PORT = 8_883

interface CloudCommandOptions {
  readonly home: string
  readonly host?: string
  readonly port?: number
  readonly index?: string
  readonly quotaGib: number
  readonly retentionDays: number
}

const HELP = `
The index follows the bucket and is made anew from it: a database may be lost, away, or changed for another. Its
accounts are not in the bucket: "obscura account" makes them.`

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
    .action(async ({ home, host, port, index, quotaGib, retentionDays }: CloudCommandOptions) => {
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
        ...(place === null ? {} : { follower: await Indexer.open(place, log) }),
      })
      const url = host === undefined ? loopbackUrl(cloud.port) : `mqtts://${host}:${cloud.port}`
      logger.info(`cameras connect to ${url}; Ctrl-C stops`)
      await aborted(signal)
      await cloud.close()
    })
}

/** Where it listens: on loopback, or for everybody by TLS, with a certificate for that name. */
export interface HomeDoor {
  /** 0: any free one. */
  readonly port: number
  readonly tlsFor?: string
}

/**
 * The cloud whose folder is `directory`. What an owner pins at pairing, all of it public, is left there as identity.json.
 * @throws Fault "usage", definite: port taken, folder not writable, bucket in use.
 */
export async function openHomeCloud(
  directory: string,
  { port, tlsFor }: HomeDoor,
  log: CloudLog,
  more: Pick<StoreOptions, "quotaBytes" | "retention" | "follower"> = {},
): Promise<Cloud> {
  await makeFolder(directory)
  const keys = await openCloudKeys(join(directory, "keys.json"))
  const bucket = join(directory, "bucket")
  const accessLog = await AccessLog.open({
    directory: join(directory, "log"),
    origin: originOf(CLOUD_NAME),
    key: keys.log,
    onFault: (error) => writeFault(log, "access log", error),
  })
  const parts = { name: CLOUD_NAME, directory: bucket, keys, log, accessLog }
  try {
    const where =
      tlsFor === undefined
        ? { host: "127.0.0.1", port }
        : { host: "::", port, tls: await openBrokerCertificate(join(directory, "broker.json"), tlsFor) }
    const cloud = await startCloud({ ...where, ...parts, ...more })
    await writeFile(join(directory, "identity.json"), `${JSON.stringify(cloud.identity)}\n`)
    return { ...cloud, close: () => cloud.close().finally(() => accessLog.close()) }
  } catch (error) {
    await more.follower?.close()
    await accessLog.close()
    throw error
  }
}
