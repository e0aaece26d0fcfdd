import { randomBytes } from "node:crypto"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { memoryDialler } from "../../simulator/dialler.ts"
import { Door } from "../cloud/broker.ts"
import type { CloudLog, CloudStats } from "../cloud/cloud-log.ts"
import { type CloudIdentity, identityOf } from "../cloud/keys.ts"
import { MemoryBucket, type MemoryBucketOptions } from "./memory-bucket.ts"

/** The cloud that ships with the harness, reached without a network and writing to no disk. */
export interface MemoryCloud {
  readonly identity: CloudIdentity
  readonly bucket: MemoryBucket
  readonly stats: CloudStats
  /** The seeds of its own keys: they open nothing, and a judge may try. */
  readonly seeds: readonly Uint8Array[]
  /** Connects to it. */
  readonly dialler: Dialler
  close(): Promise<void>
}

const NAME = "cloud.example"

export async function memoryCloud(
  log: CloudLog = { write: () => undefined },
  options: MemoryBucketOptions = {},
): Promise<MemoryCloud> {
  const seeds = [randomBytes(32), randomBytes(32)] as const
  const keys = { receipt: signingKeyOf(seeds[0]), log: signingKeyOf(seeds[1]) }
  const bucket = new MemoryBucket(options)
  const door = new Door({ name: NAME, directory: bucket, keys, log })
  await door.open()
  return {
    identity: identityOf(NAME, keys, null),
    bucket,
    stats: door.store.stats,
    seeds,
    dialler: memoryDialler({ accept: (stream) => door.admit(stream) }),
    close: () => door.close(),
  }
}
