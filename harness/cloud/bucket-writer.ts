import type { Bytes } from "../../firmware/units.ts"
import { BLOCK_BYTES, bodyBytesOf, encodeRecordHead, inBlocks, type RecordHead } from "./bucket-record.ts"
import { blockPadding, OpenVolume } from "./bucket-volume.ts"

/** A record to be written: its body in the parts it came in. */
export interface NewRecord {
  readonly head: RecordHead
  readonly body: readonly Uint8Array[]
}

export interface Place {
  readonly volume: number
  /** Of the body. */
  readonly at: Bytes
}

/** Appends records to the newest volume, and begins the next when that is long enough. One call at a time. */
export class BucketWriter {
  readonly #directory: string
  readonly #volumeBytes: Bytes
  readonly #staging: Buffer
  #volume: OpenVolume

  constructor(directory: string, volumeBytes: Bytes, volume: OpenVolume, staging: Buffer) {
    this.#directory = directory
    this.#volumeBytes = volumeBytes
    this.#volume = volume
    this.#staging = staging
  }

  /** Of the volume that is being written. */
  get number(): number {
    return this.#volume.head.number
  }

  /** Resolves with where each record's body lies, when all are durable. Rejects with the file system's own error. */
  async append(records: readonly NewRecord[]): Promise<readonly Place[]> {
    if (this.#volume.end >= this.#volumeBytes) await this.beginNext()
    const { head: volume } = this.#volume
    const pieces: Uint8Array[] = []
    let at = this.#volume.end
    const places = records.map(({ head, body }) => {
      const bytes = bodyBytesOf(head)
      pieces.push(encodeRecordHead(head, volume, at), ...body, blockPadding(bytes))
      const place = { volume: volume.number, at: at + BLOCK_BYTES }
      at = place.at + inBlocks(bytes)
      return place
    })
    if (pieces.length > 0) await this.#volume.append(pieces)
    return places
  }

  async beginNext(): Promise<void> {
    const next = await OpenVolume.create(this.#directory, this.number + 1, this.#staging)
    await this.#volume.close()
    this.#volume = next
  }

  close(): Promise<void> {
    return this.#volume.close()
  }
}
