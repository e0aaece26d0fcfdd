import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { Command } from "commander"
import { makeFolder } from "../../hardware/make-folder.ts"
import { type Cloud, startCloud } from "../cloud/broker.ts"
import type { CloudLog } from "../cloud/cloud-log.ts"
import { CLOUD_NAME, openCloudKeys } from "../cloud/keys.ts"
import { cloudLog, makeLogger } from "./lines.ts"
import { homeOption, homePaths, loopbackUrl, PORT, wholeNumber } from "./options.ts"
import { aborted, stopOnSignals } from "./stop.ts"

export function cloudCommand(): Command {
  return new Command("cloud")
    .description("run the smallest cloud: a broker, its ingest, and a bucket of sealed objects")
    .addOption(homeOption())
    .option("--port <n>", "port on 127.0.0.1; 0 takes any free one", wholeNumber(0, 65_535), PORT)
    .action(async ({ home, port }: { home: string; port: number }) => {
      const { signal } = stopOnSignals()
      const logger = makeLogger()
      const cloud = await openHomeCloud(homePaths(home).cloud, port, cloudLog(logger))
      logger.info(`cameras connect to ${loopbackUrl(cloud.port)}; Ctrl-C stops`)
      await aborted(signal)
      await cloud.close()
    })
}

/**
 * The cloud whose folder is `directory`. What an owner pins at pairing, all of it public, is left there as identity.json.
 * @throws Fault "usage", definite: port taken, folder not writable, bucket in use.
 */
export async function openHomeCloud(directory: string, port: number, log: CloudLog): Promise<Cloud> {
  await makeFolder(directory)
  const keys = await openCloudKeys(join(directory, "keys.json"))
  const bucket = join(directory, "bucket")
  const cloud = await startCloud({ host: "127.0.0.1", port, name: CLOUD_NAME, directory: bucket, keys, log })
  await writeFile(join(directory, "identity.json"), `${JSON.stringify(cloud.identity)}\n`)
  return cloud
}
