import { sign } from "../../firmware/control/dsse.ts"
import { sha256Hex } from "../../firmware/control/keys.ts"
import {
  type Chunk,
  decodeChunk,
  encodeHave,
  type Have,
  isObjectEntry,
  type Manifest,
  manifestShape,
  type Receipt,
} from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"
import { type Refusal, writeFault } from "./cloud-log.ts"
import type { Listed } from "./departures.ts"
import type { IngestOptions } from "./ingest.ts"
import { NOT_LOGGED } from "./log/live-sessions.ts"
import { hashesHold, type PendingManifest, type PendingObject, pendingManifest } from "./pending.ts"
import { PendingTable } from "./pending-table.ts"
import { verified } from "./verified.ts"

/** Chunks between two answers: rare enough to cost little, often enough to keep a camera's window open. */
const ANSWER_EVERY = 4

/**
 * From a manifest and its chunks to a receipt. That is signed only when the manifest's signature, the sizes and both
 * hashes of each of its objects hold and all of it is synced. A receipt says what is stored, so it is not itself
 * stored: the same manifest gives the same receipt again.
 *
 * There is no promise per chunk, and one for each object on its way to the disk.
 */
export class Uploads {
  readonly #options: IngestOptions
  readonly #table: PendingTable
  readonly #storing = new Set<Promise<void>>()

  constructor(options: IngestOptions) {
    this.#options = options
    this.#table = new PendingTable(options.stats, options.pendingBytesMax)
  }

  gone(device: string): void {
    this.#table.gone(device)
  }

  /** Resolves when all that is complete now is durable or has failed. */
  async drained(): Promise<void> {
    while (this.#storing.size > 0) await Promise.all(this.#storing)
  }

  /** Takes an announcement, or gives the receipt again. */
  manifest(device: string, payload: Buffer): Refusal | null {
    const hash = sha256Hex(payload)
    const waiting = this.#table.manifest(device, hash)
    if (waiting !== null) {
      this.#options.stats.repeats++
      this.#waive(waiting)
      return null
    }
    if (this.#isComplete(device, hash)) {
      this.#options.stats.repeats++
      this.#receipt(hash)
      return null
    }
    const { body, refused } = verified(
      "manifest",
      device,
      payload,
      manifestShape,
      this.#options.keyOf(device),
    )
    if (refused !== null || this.#clashes(body) || this.#isTooMuch(body)) {
      const reason = refused ?? (this.#isTooMuch(body) ? "more than the quota" : "object id is taken")
      this.#send(device, { manifest: hash, refused: reason })
      return reason
    }
    // A copy of the envelope: a view would hold the whole read of the network that it came with.
    const pending = pendingManifest(body, hash, Buffer.from(payload), ({ id, clip }, sequence) =>
      this.#isSettled(device, hash, { id, clip, sequence }),
    )
    if (!this.#table.add(pending)) return "no room in memory"
    if (pending.missing === 0) this.#store(pending, null)
    else this.#have(pending)
    return null
  }

  /** What was dropped or has left since it was announced is waited for no longer; the rest of it counts. */
  #waive(manifest: PendingManifest): void {
    for (const object of manifest.objects)
      if (
        object.state === "filling" &&
        this.#isSettled(manifest.device, manifest.hash, { ...object.entry, sequence: object.sequence })
      ) {
        this.#table.reset(object)
        object.state = "stored"
        object.held = object.size
        manifest.missing--
        manifest.unstored--
      }
    if (manifest.missing === 0 && manifest.unstored === 0) this.#store(manifest, null)
    else this.#have(manifest)
  }

  /**
   * An id that stands for something else already, here or with another camera. The same camera may list an object anew:
   * after a power cut it no longer knows of a manifest that it had announced. Then the older announcement is forgotten.
   */
  #clashes(body: Manifest): boolean {
    const ids = new Set<string>()
    for (const entry of body.entries) {
      if (!isObjectEntry(entry)) continue
      const stored = this.#options.bucket.object(entry.id)
      const taken =
        ids.has(entry.id) ||
        (stored !== null &&
          (stored.device !== body.device ||
            stored.headerHash !== entry.headerHash ||
            stored.payloadHash !== entry.payloadHash))
      if (taken) return true
      ids.add(entry.id)
      const earlier = this.#table.object(body.device, entry.id)?.manifest
      if (earlier) this.#table.forget(earlier)
    }
    return false
  }

  /** From where on the object's bytes are wanted; null: nobody has announced it, or it is done. */
  expects(device: string, id: string): Bytes | null {
    return this.#table.object(device, id)?.held ?? null
  }

  /** Takes the next bytes of an object; `payload` is copied. */
  chunk(device: string, payload: Buffer): Refusal | null {
    let chunk: Chunk
    try {
      chunk = decodeChunk(payload)
    } catch (error) {
      if (isFault(error, "malformed")) return "malformed"
      throw error
    }
    const object = this.#table.object(device, chunk.id)
    const manifest = object?.manifest
    if (!object || !manifest) {
      this.#send(device, { unknown: chunk.id })
      if (!this.#bucketHas(chunk.id)) return "no such object"
      this.#options.stats.repeats++
      return null
    }
    if (object.state !== "filling" || chunk.offset < object.held) {
      this.#options.stats.repeats++
      this.#have(manifest)
      return null
    }
    const reason = this.#misfit(object, chunk)
    if (reason !== null) {
      // Silence is the answer to a shortage: the camera waits out its time and comes again.
      if (reason !== "no room in memory") this.#have(manifest)
      return reason
    }
    this.#table.fill(object, chunk.data)
    manifest.touched = performance.now()
    manifest.unanswered++
    if (object.held === object.size) return this.#complete(object, manifest)
    if (manifest.unanswered >= ANSWER_EVERY) this.#have(manifest)
    return null
  }

  #misfit(object: PendingObject, { offset, data }: Chunk): Refusal | null {
    if (offset > object.held) return "gap"
    if (offset + data.length > object.size) return "beyond its object"
    return object.held > 0 || this.#table.begin(object) ? null : "no room in memory"
  }

  #complete(object: PendingObject, manifest: PendingManifest): Refusal | null {
    if (!hashesHold(object)) {
      this.#options.stats.wrongHashes++
      this.#table.reset(object)
      this.#have(manifest)
      return "wrong hash"
    }
    object.state = "storing"
    manifest.missing--
    this.#store(manifest, object)
    return null
  }

  // Storing and receipts

  /** The manifest goes along with the last of its objects, so it is never durable before them. */
  #store(manifest: PendingManifest, object: PendingObject | null): void {
    const { device, hash, envelope, body } = manifest
    const storing = this.#options.bucket
      .store({
        device,
        objects: object === null ? [] : [{ entry: object.entry, parts: object.blocks }],
        manifest: manifest.missing > 0 ? null : { envelope, hash, body },
      })
      .then(
        () => this.#stored(manifest, object),
        (error: unknown) => this.#notStored(manifest, object, error),
      )
      .finally(() => this.#storing.delete(storing))
    this.#storing.add(storing)
  }

  #stored(manifest: PendingManifest, object: PendingObject | null): void {
    const { stats, log, bucket } = this.#options
    if (object !== null) {
      stats.objects++
      stats.bytes += object.size
      manifest.unstored--
      this.#table.end(object)
    }
    const stored = bucket.manifest(manifest.hash)
    if (manifest.unstored > 0 || stored === null) return
    this.#table.forget(manifest)
    if (bucket.isForked(stored)) {
      stats.forks++
      log.write({ event: "fork", device: stored.device, sequence: stored.from })
    }
    this.#receipt(manifest.hash)
  }

  /** Nothing is acknowledged, so the camera keeps it and comes again: after its time-out, or last of all if refused. */
  #notStored(manifest: PendingManifest, object: PendingObject | null, error: unknown): void {
    if (isFault(error, "refused")) {
      if (object !== null) this.#table.reset(object)
      this.#table.forget(manifest)
      const isLogged = error.message !== NOT_LOGGED
      if (!isLogged) writeFault(this.#options.log, "access log", error.cause)
      const refused = isLogged ? "object id is taken" : NOT_LOGGED
      this.#send(manifest.device, { manifest: manifest.hash, refused })
      return
    }
    this.#options.stats.storeFaults++
    writeFault(this.#options.log, "bucket", error)
    if (object === null) this.#table.forget(manifest)
    else {
      manifest.missing++
      this.#table.reset(object)
    }
  }

  #receipt(hash: string): void {
    const stored = this.#options.bucket.manifest(hash)
    if (stored === null) return
    const { device, from, to } = stored
    const receipt: Receipt = { device, manifest: hash, from, to }
    this.#options.stats.receipts++
    this.#options.log.write({ event: "receipt", device, from, to })
    this.#options.send(device, "receipt", sign("receipt", receipt, this.#options.receiptKey))
  }

  #isComplete(device: string, hash: string): boolean {
    const stored = this.#options.bucket.manifest(hash)
    return (
      stored?.device === device && stored.objects.every((listed) => this.#isSettled(device, hash, listed))
    )
  }

  /**
   * Nothing of it need come: it is durable, its camera dropped it, or it has left for good. What left by a rule is known by
   * its number, so that counts for a manifest that was here before: a fork may give the number to something else.
   */
  #isSettled(device: string, manifest: string, listed: Listed): boolean {
    const { bucket } = this.#options
    return (
      this.#bucketHas(listed.id) ||
      bucket.isDropped(device, listed.sequence) ||
      bucket.isDeleted(device, listed) ||
      (bucket.manifest(manifest) !== null && bucket.departureOf(device, listed) !== null)
    )
  }

  #isTooMuch({ entries }: Manifest): boolean {
    const { quotaBytes } = this.#options
    if (quotaBytes === undefined) return false
    const sizes = entries.filter(isObjectEntry).map((entry) => entry.headerBytes + entry.payloadBytes)
    return sizes.reduce((sum, size) => sum + size, 0) > quotaBytes
  }

  #bucketHas(id: string): boolean {
    return this.#options.bucket.object(id) !== null
  }

  // Answers

  #have(manifest: PendingManifest): void {
    manifest.unanswered = 0
    this.#send(manifest.device, {
      manifest: manifest.hash,
      held: manifest.objects.map((object) => object.held),
    })
  }

  #send(device: string, have: Have): void {
    this.#options.send(device, "have", encodeHave(have))
  }
}
