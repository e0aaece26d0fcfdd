import type { PublicKey } from "../../firmware/control/keys.ts"
import type { ToCamera } from "../../firmware/control/protocol.ts"
import { type Bytes, minutes } from "../../firmware/units.ts"
import { type Beats, openBeats } from "./beats.ts"
import { openBucket, type WritableBucket } from "./bucket.ts"
import { type CloudLog, type CloudStats, noStats, writeFault } from "./cloud-log.ts"
import { Ingest } from "./ingest.ts"
import type { CloudKeys } from "./keys.ts"

/** Bucket, heartbeats and ingest, whatever carries the messages. */
export interface Store {
  readonly bucket: WritableBucket
  readonly beats: Beats
  readonly ingest: Ingest
  readonly stats: CloudStats
  /** Finishes what is complete, then closes the bucket. */
  close(): Promise<void>
}

export interface StoreOptions {
  /** The bucket's folder, made if it is missing; or a bucket that needs none, and then nothing is written to disk. */
  readonly directory: string | WritableBucket
  readonly keys: CloudKeys
  readonly log: CloudLog
  /** Instead of the one in `directory`, where the heartbeats stay. */
  readonly bucket?: WritableBucket
  readonly pendingBytesMax?: Bytes
}

const FLUSH_EVERY = minutes(1)

export async function openStore(
  { directory, keys, log, bucket: given, pendingBytesMax }: StoreOptions,
  keyOf: (device: string) => PublicKey | null,
  send: (device: string, name: ToCamera, payload: Uint8Array) => void,
): Promise<Store> {
  const folder = typeof directory === "string" ? directory : null
  const bucket = given ?? (typeof directory === "string" ? await openBucket(directory) : directory)
  for (const what of bucket.damage) log.write({ event: "bucket damaged", what })
  const stats = noStats()
  const beats = await openBeats(folder)
  const ingest = new Ingest({
    bucket,
    beats,
    receiptKey: keys.receipt,
    log,
    stats,
    keyOf,
    send,
    ...(pendingBytesMax === undefined ? {} : { pendingBytesMax }),
  })
  const flush = (): Promise<void> =>
    beats.flush().catch((error: unknown) => writeFault(log, "heartbeats", error))
  const flushing = setInterval(() => void flush(), FLUSH_EVERY)
  flushing.unref()
  return {
    bucket,
    beats,
    ingest,
    stats,
    async close() {
      clearInterval(flushing)
      await ingest.drained()
      await flush()
      await bucket.close()
    },
  }
}
