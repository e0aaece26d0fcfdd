import { setTimeout as sleep } from "node:timers/promises"
import { Fault } from "../../firmware/errors.ts"
import type { Random } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import type { BucketRecord, WritableBucket } from "../cloud/bucket.ts"

/** What can be wrong with the cloud's disk, until it is changed. */
export interface BucketFaults {
  /** Each write takes so much longer. */
  readonly latency: Milliseconds
  /** How likely a write fails, 0 to 1. */
  readonly failing: number
  readonly full: boolean
}

export const noBucketFaults: BucketFaults = { latency: 0, failing: 0, full: false }

/** `bucket` on a disk that can be slow, fail, or be full. Reading is as it was. */
export function faultyBucket(
  bucket: WritableBucket,
  faults: () => BucketFaults,
  random: Random,
): WritableBucket {
  return {
    get directory() {
      return bucket.directory
    },
    get damage() {
      return bucket.damage
    },
    get objectCount() {
      return bucket.objectCount
    },
    object: (id) => bucket.object(id),
    objectBytes: (id) => bucket.objectBytes(id),
    manifests: (device) => bucket.manifests(device),
    manifest: (hash) => bucket.manifest(hash),
    isForked: (manifest) => bucket.isForked(manifest),
    isDropped: (device, sequence) => bucket.isDropped(device, sequence),
    departureOf: (device, listed) => bucket.departureOf(device, listed),
    isDeleted: (device, listed) => bucket.isDeleted(device, listed),
    objectsOf: (device) => bucket.objectsOf(device),
    mailboxes: () => bucket.mailboxes(),
    bytesOf: (device) => bucket.bytesOf(device),
    watch: (listener) => bucket.watch(listener),
    remove: (order) => bucket.remove(order),
    newest: (device) => bucket.newest(device),
    envelopeBytes: (manifest) => bucket.envelopeBytes(manifest),
    devices: () => bucket.devices(),
    extract: (id, path) => bucket.extract(id, path),
    close: () => bucket.close(),
    async store(record: BucketRecord) {
      const { latency, failing, full } = faults()
      if (latency > 0) await sleep(latency)
      if (full) throw new Fault("full", "bucket: no room")
      if (failing > 0 && random.next() < failing)
        throw new Fault("unavailable", "bucket: the write failed", { definite: false })
      return bucket.store(record)
    },
  }
}
