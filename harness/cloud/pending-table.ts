import { OBJECT_BYTES_MAX } from "../../firmware/control/protocol.ts"
import { type Bytes, MiB, type Milliseconds, seconds } from "../../firmware/units.ts"
import type { CloudStats } from "./cloud-log.ts"
import { type PendingManifest, type PendingObject, resetObject } from "./pending.ts"

/** A camera sends one manifest after another; of more at once the oldest is forgotten, and will be sent again. */
const MANIFESTS_MAX = 8
/** A manifest without news for this long gives its memory to others, when memory is short. */
const STALLED_AFTER = seconds(30)

interface Device {
  readonly manifests: Map<string, PendingManifest>
  readonly objects: Map<string, PendingObject>
}

/**
 * What cameras have announced and not yet brought, in bounded memory. An object gets its whole size at its first chunk
 * or not at all: so those that have begun can always end, and make room for others.
 */
export class PendingTable {
  readonly #bytesMax: Bytes
  readonly #stats: CloudStats
  readonly #devices = new Map<string, Device>()
  #lookedForStalled: Milliseconds = Number.NEGATIVE_INFINITY

  /** `bytesMax` is raised to what the largest object needs. */
  constructor(stats: CloudStats, bytesMax: Bytes = 256 * MiB) {
    this.#bytesMax = Math.max(bytesMax, OBJECT_BYTES_MAX + MiB)
    this.#stats = stats
  }

  manifest(device: string, hash: string): PendingManifest | null {
    return this.#devices.get(device)?.manifests.get(hash) ?? null
  }

  object(device: string, id: string): PendingObject | null {
    return this.#devices.get(device)?.objects.get(id) ?? null
  }

  /** false: no room. */
  add(manifest: PendingManifest): boolean {
    if (!this.#reserve(manifest.envelope.length)) return false
    const [oldest] = this.#devices.get(manifest.device)?.manifests.values() ?? []
    const waiting = this.#devices.get(manifest.device)?.manifests.size ?? 0
    if (oldest !== undefined && waiting >= MANIFESTS_MAX) this.forget(oldest)
    const device = this.#device(manifest.device)
    manifest.touched = performance.now()
    device.manifests.set(manifest.hash, manifest)
    for (const object of manifest.objects)
      if (object.state === "filling") device.objects.set(object.entry.id, object)
    return true
  }

  /** Before an object's first byte. false: no room now. */
  begin(object: PendingObject): boolean {
    return this.#reserve(object.size)
  }

  /** It is durable: its memory goes to others. */
  end(object: PendingObject): void {
    this.#stats.pendingBytes -= object.size
    object.state = "stored"
    object.parts = []
    if (object.manifest !== null) this.#drop(object.manifest.device, object)
  }

  /** The camera begins this object again. */
  reset(object: PendingObject): void {
    if (object.held > 0) this.#stats.pendingBytes -= object.size
    resetObject(object)
  }

  /** Objects on their way to the disk go on; their memory is given back when they arrive. Twice is harmless. */
  forget(manifest: PendingManifest): void {
    const device = this.#devices.get(manifest.device)
    if (device?.manifests.get(manifest.hash) !== manifest) return
    device.manifests.delete(manifest.hash)
    this.#stats.pendingBytes -= manifest.envelope.length
    for (const object of manifest.objects) {
      this.#drop(manifest.device, object)
      if (object.state === "filling") this.reset(object)
    }
    if (device.manifests.size === 0) this.#devices.delete(manifest.device)
  }

  /** What a camera that left had sent stays for when it comes back, but is the first to go when memory is short. */
  gone(device: string): void {
    for (const manifest of this.#devices.get(device)?.manifests.values() ?? [])
      manifest.touched = Number.NEGATIVE_INFINITY
  }

  #reserve(bytes: Bytes): boolean {
    const stats = this.#stats
    if (stats.pendingBytes + bytes > this.#bytesMax) this.#forgetStalled()
    if (stats.pendingBytes + bytes > this.#bytesMax) return false
    stats.pendingBytes += bytes
    return true
  }

  /** At most once a second, for it looks at everything. */
  #forgetStalled(): void {
    const now = performance.now()
    if (now - this.#lookedForStalled < seconds(1)) return
    this.#lookedForStalled = now
    for (const device of this.#devices.values())
      for (const manifest of device.manifests.values())
        if (now - manifest.touched > STALLED_AFTER) this.forget(manifest)
  }

  #drop(device: string, object: PendingObject): void {
    const objects = this.#devices.get(device)?.objects
    if (objects?.get(object.entry.id) === object) objects.delete(object.entry.id)
  }

  #device(id: string): Device {
    const known = this.#devices.get(id)
    if (known !== undefined) return known
    const device: Device = { manifests: new Map(), objects: new Map() }
    this.#devices.set(id, device)
    return device
  }
}
