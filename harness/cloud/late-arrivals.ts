import type { WritableBucket } from "./bucket.ts"
import type { StoredManifest } from "./bucket-index.ts"
import { type CloudLog, writeFault } from "./cloud-log.ts"

/**
 * Objects that came before their manifest: whose clip they are of, nobody here could know. If the manifest names one that
 * was deleted meanwhile, they leave as soon as it does, or, after a crash, when the cloud starts.
 */
export class LateArrivals {
  readonly #bucket: WritableBucket
  readonly #log: CloudLog
  readonly #working = new Set<Promise<void>>()

  constructor(bucket: WritableBucket, log: CloudLog) {
    this.#bucket = bucket
    this.#log = log
    for (const device of bucket.devices())
      for (const manifest of bucket.manifests(device)) this.look(manifest)
  }

  look({ device, objects: listed }: StoredManifest): void {
    const objects = listed
      .filter((each) => this.#bucket.object(each.id) && this.#bucket.isDeleted(device, each))
      .map(({ id }) => id)
    if (objects.length === 0) return
    const working = this.#bucket
      .remove({ device, cause: "deleted", request: null, select: { objects } })
      .then(() => this.#log.write({ event: "deleted", device, objects: objects.length }))
      .catch((error: unknown) => writeFault(this.#log, "deletion", error))
      .finally(() => this.#working.delete(working))
    this.#working.add(working)
  }

  async drained(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working)
  }
}
