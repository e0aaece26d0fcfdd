import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { startCloud } from "../cloud/broker.ts"
import { selfSigned } from "../cloud/certificate.ts"
import { openCloudKeys } from "../cloud/keys.ts"

/**
 * The broker's side: the embedded cloud as it is, with a bucket of its own that is removed afterwards. `tls`: with a
 * certificate for this run, whose key cameras pin.
 */
export async function begin({ tls = false }: { readonly tls?: boolean } = {}) {
  const directory = await mkdtemp(join(tmpdir(), "obscura-bench-"))
  const cloud = await startCloud({
    host: "127.0.0.1",
    port: 0,
    name: "bench.local",
    directory: join(directory, "bucket"),
    keys: await openCloudKeys(join(directory, "keys.json")),
    log: { write: () => undefined },
    ...(tls ? { tls: serverKey() } : {}),
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

function serverKey(): { readonly key: string; readonly cert: string } {
  const { key, certificate } = selfSigned({ names: ["localhost", "127.0.0.1"] })
  return { key, cert: certificate }
}
