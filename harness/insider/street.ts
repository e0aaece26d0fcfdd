import { setMaxListeners } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { networkDialler } from "../../hardware/dialler.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { type Cloud, startCloud } from "../cloud/broker.ts"
import { readBucket } from "../cloud/bucket.ts"
import { writeFault } from "../cloud/cloud-log.ts"
import { Accounts } from "../cloud/index/accounts.ts"
import { IndexDatabase } from "../cloud/index/database.ts"
import { Indexer } from "../cloud/index/indexer.ts"
import { parseIndexPlace } from "../cloud/index/place.ts"
import { CLOUD_NAME, openCloudKeys } from "../cloud/keys.ts"
import { AccessLog } from "../cloud/log/access-log.ts"
import { originOf } from "../cloud/log/checkpoint.ts"
import { accountLog, cloudLog } from "../commands/lines.ts"
import { openLogFile } from "../load/log-file.ts"
import { Home } from "./home.ts"
import type { World } from "./world.ts"

export interface Street {
  readonly world: World
  /** Everything of it, files too. */
  close(): Promise<void>
}

const HOMES = 4

/**
 * The smallest world in which all insiders can try: one cloud with bucket, index, accounts and access log, and four homes
 * that each have recorded a clip; all real, in this process, over loopback, and in a folder of its own that goes with it.
 */
export async function openStreet(seed: number, signal: AbortSignal): Promise<Street> {
  setMaxListeners(0, signal) // every home listens
  const folder = await mkdtemp(join(tmpdir(), "obscura-insider-"))
  const path = (name: string) => join(folder, name)
  const cloudFile = openLogFile(path("cloud.log"))
  const accountsFile = openLogFile(path("accounts.log"))
  const camerasFile = openLogFile(path("cameras.log"))
  const log = cloudLog(cloudFile.log)
  const keys = await openCloudKeys(path("cloud-keys.json"))
  await makeFolder(path("log"))
  const accessLog = await AccessLog.open({
    ...{ directory: path("log"), origin: originOf(CLOUD_NAME), key: keys.log },
    onFault: (error) => writeFault(log, "access log", error),
  })
  const place = parseIndexPlace(path("index.sqlite"))
  const indexer = await Indexer.open(place, log)
  const database = await IndexDatabase.open(place)
  const cloud: Cloud = await startCloud({
    ...{ host: "127.0.0.1", port: 0, name: CLOUD_NAME, directory: path("bucket"), keys, log },
    ...{ follower: indexer, accessLog },
  })
  const dialler = networkDialler(`mqtt://127.0.0.1:${cloud.port}`)
  const homes = await Promise.all(
    Array.from({ length: HOMES }, (_, index) => Home.open({ seed, index, cloud: cloud.identity, dialler })),
  )
  const accounts = new Accounts(database, accountLog(accountsFile.log))
  const created = []
  for (const { index } of homes) {
    const { email, inbox } = await accounts.create(`customer-${index}@example.org`, "basic")
    await accounts.leave(email, "Welcome! Your camera is on its way, order 20261126-17.")
    created.push({ email, inbox })
  }
  for (const home of homes) {
    home.onLine = (line) => camerasFile.log.info({ camera: home.index, ...line })
    home.start()
  }
  const flush = () => {
    for (const file of [cloudFile, accountsFile, camerasFile]) file.flush()
  }
  const close = async () => {
    await Promise.allSettled(homes.map((home) => home.stop()))
    await cloud.close()
    await accessLog.close()
    await database.close()
    flush()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await Promise.all(
      homes.map(async (home) => {
        await home.ready(signal)
        await home.recordClip(signal)
      }),
    )
  } catch (error) {
    await close()
    throw error
  }
  return {
    world: {
      ...{ seed, cloud: cloud.identity, dialler, homes, accounts: created, others: [] },
      ...{ ports: [cloud.port], processes: [process.pid] },
      holdings: {
        keyFile: path("cloud-keys.json"),
        accessLog: path("log"),
        bucketFolder: path("bucket"),
        logs: ["cloud.log", "accounts.log", "cameras.log"].map(path),
        places: [folder],
        async readBucket() {
          flush()
          return readBucket(path("bucket"))
        },
        async database() {
          await indexer.caughtUp()
          return database
        },
      },
    },
    close,
  }
}
