import type { SigningKey } from "../../../firmware/control/keys.ts"
import { decodeHave, type FromCamera, type Have } from "../../../firmware/control/protocol.ts"
import { openBeats } from "../../cloud/beats.ts"
import type { WritableBucket } from "../../cloud/bucket.ts"
import { type CloudLine, type CloudStats, noStats } from "../../cloud/cloud-log.ts"
import { Ingest, type IngestOptions } from "../../cloud/ingest.ts"
import { MemoryBucket } from "../../virtual/memory-bucket.ts"
import { chunksOf, newKey, type TestManifest } from "./hand-camera.ts"

/** The cloud's ingest on a bucket in memory, and one camera's hand at its door. */
export class CloudDoor {
  readonly camera: SigningKey
  readonly receiptKey = newKey()
  readonly bucket: WritableBucket & MemoryBucket
  readonly stats: CloudStats = noStats()
  readonly lines: CloudLine[] = []
  readonly said: { readonly name: string; readonly payload: Uint8Array }[] = []
  readonly ingest: Ingest

  private constructor(parts: Pick<IngestOptions, "beats">, bucket: MemoryBucket, camera: SigningKey) {
    this.camera = camera
    this.bucket = bucket
    this.ingest = new Ingest({
      ...parts,
      bucket,
      receiptKey: this.receiptKey,
      stats: this.stats,
      log: { write: (line) => void this.lines.push(line) },
      keyOf: (device) => (device === this.camera.id ? this.camera : null),
      send: (_device, name, payload) => void this.said.push({ name, payload }),
    })
  }

  static async open(
    bucket: MemoryBucket = new MemoryBucket({ writeTakes: 1 }),
    camera = newKey(),
  ): Promise<CloudDoor> {
    return new CloudDoor({ beats: await openBeats(null) }, bucket, camera)
  }

  take(name: FromCamera, payload: Buffer): string | null {
    return this.ingest.take(this.camera.id, name, payload)
  }

  /** Manifest and chunks, and what comes of them. */
  async upload({ envelope, objects }: TestManifest): Promise<void> {
    this.take("manifest", envelope)
    for (const object of objects) for (const chunk of chunksOf(object)) this.take("chunk", chunk)
    await this.ingest.drained()
  }

  count(name: string): number {
    return this.said.filter((each) => each.name === name).length
  }

  get haves(): readonly Have[] {
    return this.said.filter(({ name }) => name === "have").map(({ payload }) => decodeHave(payload))
  }
}
