import type { PublicKey } from "../../firmware/control/keys.ts"
import type { ToCamera, ToOwner } from "../../firmware/control/protocol.ts"
import { type Bytes, type Milliseconds, minutes } from "../../firmware/units.ts"
import { type Beats, openBeats } from "./beats.ts"
import { openBucket, type WritableBucket } from "./bucket.ts"
import { type CloudLog, type CloudStats, noStats, writeFault } from "./cloud-log.ts"
import { DeletionDesk } from "./deletion.ts"
import { Ingest } from "./ingest.ts"
import type { CloudKeys } from "./keys.ts"
import { LateArrivals } from "./late-arrivals.ts"
import type { DoorLog } from "./log/access-log.ts"
import { boundedLog } from "./log/bounded-log.ts"
import { DoorRecords } from "./log/door-records.ts"
import { LogDesk } from "./log/log-desk.ts"
import { folderSource } from "./log/log-source.ts"
import { loggedStore } from "./log/logged-store.ts"
import { Quota } from "./quota.ts"
import { Retention } from "./retention.ts"

/** Bucket, heartbeats and ingest, whatever carries the messages. */
export interface Store {
  readonly bucket: WritableBucket
  readonly beats: Beats
  readonly ingest: Ingest
  readonly deletions: DeletionDesk
  readonly logDesk: LogDesk
  /** null: this cloud keeps no access log. */
  readonly records: DoorRecords | null
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
  /** Of every mailbox. Absent: as much as there is room for. */
  readonly quotaBytes?: Bytes
  /** How long what has arrived is kept. Absent: until its owner deletes it. */
  readonly retention?: Milliseconds
  /** Keeps account of what is in the bucket, from its opening to its closing. */
  readonly follower?: BucketFollower
  /** Hears of what this cloud sees of accesses; its opener closes it, after the cloud. */
  readonly accessLog?: DoorLog
}

/** What the index is to a bucket. */
export interface BucketFollower {
  follow(bucket: WritableBucket): void
  /** After the last change. */
  close(): Promise<void>
}

const FLUSH_EVERY = minutes(1)

export async function openStore(
  options: StoreOptions,
  keyOf: (device: string) => PublicKey | null,
  send: (device: string, name: ToCamera | ToOwner, payload: Uint8Array) => void,
): Promise<Store> {
  const { directory, keys, log, bucket: given, pendingBytesMax, accessLog, quotaBytes } = options
  const folder = typeof directory === "string" ? directory : null
  const opened = given ?? (typeof directory === "string" ? await openBucket(directory) : directory)
  for (const what of opened.damage) log.write({ event: "bucket damaged", what })
  const stats = noStats()
  const heard = await openBeats(folder)
  const notLogged = (error: unknown) => writeFault(log, "access log", error)
  const bounded = accessLog && boundedLog(accessLog, Date.now)
  const { bucket, beats } = bounded
    ? loggedStore({ bucket: opened, beats: heard }, bounded, notLogged)
    : { bucket: opened, beats: heard }
  const records = bounded ? new DoorRecords(bounded, beats, Date.now, notLogged) : null
  const ingest = new Ingest({
    bucket,
    beats,
    receiptKey: keys.receipt,
    log,
    stats,
    keyOf,
    send,
    ...(pendingBytesMax === undefined ? {} : { pendingBytesMax }),
    ...(quotaBytes === undefined ? {} : { quotaBytes }),
  })
  const deletions = new DeletionDesk({
    ...{ bucket, beats, receiptKey: keys.receipt, log, stats, send },
    ...(records
      ? { record: ({ device, by, request, objects }) => records.deletion(device, by, request, objects) }
      : {}),
  })
  const logDesk = new LogDesk({
    keeps:
      accessLog && records
        ? {
            ...{ source: folderSource(accessLog.directory), records },
            publish: () => accessLog.publish(),
          }
        : null,
    ...{ owns: beats.owns, log, send },
  })
  const { follower, retention } = options
  follower?.follow(bucket)
  const late = new LateArrivals(bucket, log)
  const quota = quotaBytes === undefined ? null : new Quota(bucket, quotaBytes, log)
  const keeping = retention === undefined ? null : new Retention(bucket, retention, log)
  bucket.watch((change) => {
    if (change.kind === "fault") writeFault(log, change.where, change.error)
    if (change.kind !== "manifest") return
    late.look(change.manifest)
    quota?.mind(change.manifest.device)
  })
  for (const device of bucket.mailboxes()) quota?.mind(device)
  const flush = (): Promise<void> =>
    beats.flush().catch((error: unknown) => writeFault(log, "heartbeats", error))
  const flushing = setInterval(() => void flush(), FLUSH_EVERY)
  flushing.unref()
  return {
    bucket,
    beats,
    ingest,
    deletions,
    logDesk,
    records,
    stats,
    async close() {
      clearInterval(flushing)
      await ingest.drained()
      await deletions.drained()
      await logDesk.drained()
      await records?.drained()
      await keeping?.stop()
      await quota?.drained()
      await late.drained()
      await flush()
      await follower?.close()
      await bucket.close()
    },
  }
}
