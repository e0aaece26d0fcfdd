import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Milliseconds, Seconds } from "../../firmware/units.ts"
import { AccessLog, type AccessLogOptions } from "../cloud/log/access-log.ts"
import { openCheckpoint, type SignedCheckpoint } from "../cloud/log/checkpoint.ts"
import { folderSource } from "../cloud/log/log-source.ts"
import { leafHash, provesConsistency, provesInclusion } from "../cloud/log/merkle.ts"
import { consistencyProof, inclusionProof, rootOf } from "../cloud/log/proofs.ts"
import type { AccessRecord } from "../cloud/log/records.ts"
import { TiledTree } from "../cloud/log/tiles.ts"
import { readLog } from "../owner/log.ts"

const DEVICES = 10_000
const PROOFS = 1_000

/** An access log in a folder of its own, on a disk: a folder of temporary files that lies in memory syncs nothing. */
export async function begin() {
  const folder = await mkdtemp(join(tmpdir(), "obscura-bench-log-"))
  const key = signingKeyOf(Buffer.alloc(32, 1))
  const options: AccessLogOptions = { directory: join(folder, "log"), origin: "bench/access-log", key }
  const identity = { origin: options.origin, key }
  let log = await AccessLog.open(options)

  const head = async (): Promise<SignedCheckpoint> =>
    openCheckpoint((await folderSource(options.directory).checkpoint()) ?? new Uint8Array(0), identity)
  const tree = (size: number) => new TiledTree(folderSource(options.directory).tile, size)

  return {
    /** Appends `count` records, `atOnce` of them waiting at any time; the last checkpoint included. */
    async append({ count, atOnce }: { readonly count: number; readonly atOnce: number }): Promise<Seconds> {
      const from = log.size
      let next = from
      const began = performance.now()
      const one = async (): Promise<void> => {
        while (next < from + count) await log.append(accessOf(next++))
      }
      await Promise.all(Array.from({ length: atOnce }, one))
      await log.publish()
      return (performance.now() - began) / 1_000
    },

    async reopen(): Promise<Milliseconds> {
      await log.close()
      const began = performance.now()
      log = await AccessLog.open(options)
      return performance.now() - began
    },

    /** Proofs out of files, made and checked, each with no tile at hand: the mean of PROOFS. */
    async inclusion(): Promise<Milliseconds> {
      const now = await head()
      const { size, root } = now
      const leaves = await Promise.all(
        Array.from({ length: PROOFS }, async (_, i) => {
          const index = Math.floor(((i + 0.5) * size) / PROOFS)
          const entries = await tree(size).entries(Math.floor(index / 256))
          return { index, leaf: leafHash(entries[index % 256] ?? new Uint8Array(0)) }
        }),
      )
      const began = performance.now()
      for (const { index, leaf } of leaves)
        if (!provesInclusion({ index, size }, leaf, await inclusionProof(tree(size), index, size), root))
          throw new Fault("broken", `entry ${index} is not proven`)
      return (performance.now() - began) / PROOFS
    },

    async consistency(): Promise<Milliseconds> {
      const now = await head()
      const earlier = Math.floor(now.size / 3)
      const before = { size: earlier, root: await rootOf(tree(now.size), earlier) }
      const began = performance.now()
      for (let i = 0; i < PROOFS; i++)
        if (!provesConsistency(before, now, await consistencyProof(tree(now.size), earlier, now.size)))
          throw new Fault("broken", "the log does not continue itself")
      return (performance.now() - began) / PROOFS
    },

    /** All that an owner of one camera does to read its records. */
    async look(): Promise<{ readonly records: number; readonly took: Milliseconds }> {
      const device = accessOf(0).device
      const began = performance.now()
      const view = await readLog(folderSource(options.directory), {
        ...{ log: identity, devices: [device], before: null, traces: [], now: 0 },
      })
      if (view.alerts.length > 0) throw new Fault("broken", "an honest log alarms its owner")
      return { records: view.records.get(device)?.length ?? 0, took: performance.now() - began }
    },

    async close(): Promise<void> {
      await log.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Of as many cameras as a small maker has, in no order. */
function accessOf(n: number): AccessRecord {
  const device = Math.imul(n % DEVICES, 0x9e3779b1) >>> 0
  return {
    kind: "ciphertext read",
    device: device.toString(16).padStart(8, "0").padEnd(40, "0"),
    at: 1_700_000_000_000 + n,
    by: { role: "support", key: null },
    reason: "a picture that freezes",
    objects: [n.toString(16).padStart(32, "0")],
  }
}
