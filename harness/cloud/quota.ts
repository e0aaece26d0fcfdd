import type { Bytes } from "../../firmware/units.ts"
import type { WritableBucket } from "./bucket.ts"
import { type CloudLog, writeFault } from "./cloud-log.ts"
import { clipsOf } from "./mailbox-clips.ts"

/** So much more than needed is let go at once, for each time costs a look at the whole mailbox. */
const SLACK = 1 / 64

/**
 * One quota for every mailbox: one that differed would tell the plan, and so a little of who it is.
 *
 * At the quota the clips that came first leave. To refuse new ones instead would make a camera stop when its owner is away
 * for long, which is when it is wanted; and its spool would then drop the oldest all the same. What an owner wants to keep
 * is to be fetched in time. Only a manifest that alone has more than the quota is refused: the camera is told so, and keeps
 * it. What leaves is said in the log, and the bucket tells owners of it (`departureOf`).
 */
export class Quota {
  readonly #bucket: WritableBucket
  readonly #bytes: Bytes
  readonly #log: CloudLog
  readonly #working = new Map<string, Promise<void>>()

  constructor(bucket: WritableBucket, bytes: Bytes, log: CloudLog) {
    this.#bucket = bucket
    this.#bytes = bytes
    this.#log = log
  }

  /** To be called when more has become durable. */
  mind(device: string): void {
    if (this.#bucket.bytesOf(device) <= this.#bytes || this.#working.has(device)) return
    const working = this.#makeRoom(device)
      .catch((error: unknown) => writeFault(this.#log, "quota", error))
      .finally(() => this.#working.delete(device))
    this.#working.set(device, working)
  }

  async drained(): Promise<void> {
    while (this.#working.size > 0) await Promise.all(this.#working.values())
  }

  async #makeRoom(device: string): Promise<void> {
    while (this.#bucket.bytesOf(device) > this.#bytes) {
      const objects = this.#oldest(device)
      await this.#bucket.remove({ device, cause: "quota", request: null, select: { objects } })
      this.#log.write({ event: "let go", device, cause: "quota", objects: objects.length })
    }
  }

  #oldest(device: string): readonly string[] {
    const left: string[] = []
    let over = this.#bucket.bytesOf(device) - this.#bytes * (1 - SLACK)
    const clips = clipsOf(this.#bucket, device)
    const newest = clips.at(-1)
    for (const { objects, bytes } of clips.slice(0, -1)) {
      if (over <= 0) return left
      left.push(...objects)
      over -= bytes
    }
    // A single clip longer than the quota loses its beginning.
    for (const id of newest?.objects ?? []) {
      if (over <= 0) return left
      const object = this.#bucket.object(id)
      left.push(id)
      over -= object ? object.headerBytes + object.payloadBytes : 0
    }
    return left
  }
}
