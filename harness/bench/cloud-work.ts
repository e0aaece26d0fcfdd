import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startCloud } from "../cloud/broker.ts"
import { openCloudKeys } from "../cloud/keys.ts"

/** The broker's side: the embedded cloud as it is, with a bucket of its own that is removed afterwards. */
export async function begin() {
  const directory = await mkdtemp(join(tmpdir(), "obscura-bench-"))
  const cloud = await startCloud({
    host: "127.0.0.1",
    port: 0,
    name: "bench.local",
    directory: join(directory, "bucket"),
    keys: await openCloudKeys(join(directory, "keys.json")),
    log: { write: () => undefined },
  })
  return {
    identity: () => ({ port: cloud.port, identity: cloud.identity }),
    stats: () => cloud.stats,
    async close() {
      await cloud.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
