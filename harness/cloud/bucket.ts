import type { Manifest, ObjectEntry } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import { makeFolder } from "../../hardware/make-folder.ts"
import { diskFault } from "./bucket-disk.ts"
import { type BucketIndex, idTaken } from "./bucket-index.ts"
import { lockFolder, type Unlock } from "./bucket-lock.ts"
import { type Bucket, FolderBucket, scanFolder } from "./bucket-reader.ts"
import { BLOCK_BYTES, encodeRecordHead, inBlocks, type RecordHead } from "./bucket-record.ts"
import { alignedStaging, blockPadding, OpenVolume } from "./bucket-volume.ts"

export type { Bucket } from "./bucket-reader.ts"

/**
 * Sealed objects and signed manifests on disk, appended to volumes and synced in groups: everything that waits when a
 * write begins shares that write and its sync. Nothing is ever changed or removed.
 *
 * The bucket takes what it is given: signatures and hashes are the ingest's business, and a scan's after a crash.
 */
export interface WritableBucket extends Bucket {
  /**
   * Resolves only when everything in `record` survives a power cut; what is there already is not written again.
   * Rejects with Fault "full" or "usage", definite: none of it will be listed; "refused", definite: another camera's
   * object has one of its ids; "unavailable", indefinite.
   * The caller gives the bytes away and must not change them before that.
   */
  store(record: BucketRecord): Promise<void>
  /** Waits for what was stored, then lets the folder go. */
  close(): Promise<void>
}

export interface BucketRecord {
  readonly device: string
  /** The age files, each as the parts it came in. */
  readonly objects: readonly { readonly entry: ObjectEntry; readonly parts: readonly Uint8Array[] }[]
  readonly manifest: {
    readonly envelope: Uint8Array
    readonly hash: string
    readonly body: Manifest
  } | null
}

export interface BucketOptions {
  /** A volume that has grown past this is closed and a new one begun. */
  readonly volumeBytes?: Bytes
}

/**
 * @throws Fault "usage", definite: the folder cannot be made or written, or another process has it.
 */
export async function openBucket(directory: string, options: BucketOptions = {}): Promise<WritableBucket> {
  let unlock: Unlock | null = null
  try {
    await makeFolder(directory)
    unlock = await lockFolder(directory)
    const { index, newest, resume } = await scanFolder(directory)
    const staging = alignedStaging()
    const volume = resume
      ? await OpenVolume.resume(directory, resume.head, resume.end, staging)
      : await OpenVolume.create(directory, newest + 1, staging)
    return new VolumeBucket(directory, options.volumeBytes ?? 256 * MiB, index, volume, staging, unlock)
  } catch (error) {
    await unlock?.()
    throw diskFault(error, directory)
  }
}

/**
 * The bucket in `directory` as it is now, for reading alone; the process that writes it may go on.
 * @throws Fault "usage", definite: no such folder, or it cannot be read.
 */
export async function readBucket(directory: string): Promise<Bucket> {
  try {
    return new FolderBucket(directory, (await scanFolder(directory)).index)
  } catch (error) {
    throw diskFault(error, directory)
  }
}

interface Job {
  readonly record: BucketRecord
  readonly done: () => void
  readonly failed: (fault: Fault) => void
}

class VolumeBucket extends FolderBucket implements WritableBucket {
  readonly #volumeBytes: Bytes
  readonly #staging: Buffer
  readonly #unlock: Unlock
  #volume: OpenVolume
  #queue: Job[] = []
  #writing: Promise<void> | null = null
  #closed = false

  constructor(
    directory: string,
    volumeBytes: Bytes,
    index: BucketIndex,
    volume: OpenVolume,
    staging: Buffer,
    unlock: Unlock,
  ) {
    super(directory, index)
    this.#volumeBytes = volumeBytes
    this.#volume = volume
    this.#staging = staging
    this.#unlock = unlock
  }

  store(record: BucketRecord): Promise<void> {
    if (this.#closed) return Promise.reject(new Fault("unavailable", `bucket ${this.directory}: closed`))
    return new Promise((done, failed) => {
      this.#queue.push({ record, done, failed })
      this.#writing ??= this.#writeAll()
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#writing
    await this.#volume.close()
    await this.#unlock()
  }

  async #writeAll(): Promise<void> {
    // One turn later, so that all that came with one read of the network shares the first write too.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#queue.length > 0) {
      const jobs = this.#queue
      this.#queue = []
      try {
        await this.#write(jobs)
        for (const job of jobs) job.done()
      } catch (error) {
        const fault = diskFault(error, this.directory)
        for (const job of jobs) job.failed(fault)
      }
    }
    this.#writing = null
  }

  async #write(jobs: readonly Job[]): Promise<void> {
    if (this.#volume.end >= this.#volumeBytes) {
      const next = await OpenVolume.create(this.directory, this.#volume.head.number + 1, this.#staging)
      await this.#volume.close()
      this.#volume = next
    }
    const pieces: Uint8Array[] = []
    /** The camera of each object id and manifest hash. */
    const seen = new Map<string, string>()
    const additions: (() => void)[] = []
    const { head: volume } = this.#volume
    let at = this.#volume.end
    const place = (head: RecordHead, body: readonly Uint8Array[], bytes: Bytes): Bytes => {
      pieces.push(encodeRecordHead(head, volume, at), ...body, blockPadding(bytes))
      const bodyAt = at + BLOCK_BYTES
      at = bodyAt + inBlocks(bytes)
      return bodyAt
    }
    for (const { record, failed } of jobs) {
      const { device, objects, manifest } = record
      const ids = objects.map(({ entry }) => entry.id)
      const taken = ids.find((id) => (this.object(id)?.device ?? seen.get(id) ?? device) !== device)
      if (taken !== undefined) {
        failed(idTaken(device, taken)) // what comes for this job later is not heard
        continue
      }
      for (const { entry, parts } of objects) {
        if (this.index.object(entry.id) !== null || seen.has(entry.id)) continue
        seen.set(entry.id, device)
        const { id, headerBytes, payloadBytes, headerHash, payloadHash } = entry
        const facts = { device, id, headerBytes, payloadBytes, headerHash, payloadHash }
        const bodyAt = place({ kind: "object", ...facts }, parts, headerBytes + payloadBytes)
        additions.push(() => this.index.addObject({ ...facts, volume: volume.number, at: bodyAt }))
      }
      if (manifest === null || seen.has(manifest.hash) || this.manifest(manifest.hash) !== null) continue
      seen.set(manifest.hash, device)
      const { envelope, hash, body } = manifest
      const bytes = envelope.length
      const bodyAt = place({ kind: "manifest", device, bodyBytes: bytes, hash }, [envelope], bytes)
      additions.push(() => this.index.addManifest(body, hash, { volume: volume.number, at: bodyAt, bytes }))
    }
    if (pieces.length === 0) return
    await this.#volume.append(pieces)
    for (const add of additions) add()
  }
}
