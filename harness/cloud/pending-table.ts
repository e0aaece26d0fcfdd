import { OBJECT_BYTES_MAX } from "../../firmware/control/protocol.ts"
import { type Bytes, MiB, type Milliseconds, seconds } from "../../firmware/units.ts"
import { BlockPool } from "./block-pool.ts"
import type { CloudStats } from "./cloud-log.ts"
import { addBytes, type PendingManifest, type PendingObject, resetObject } from "./pending.ts"

/** A camera sends one manifest after another; of more at once the oldest is forgotten, and will be sent again. */
const MANIFESTS_MAX = 8
/** A manifest without news for this long gives its memory to others, when memory is short. */
const STALLED_AFTER = seconds(30)
/** How much of the memory one camera may have: a key costs nothing, but its objects must not hold up all others'. */
const SHARE = 1 / 8

interface Device {
  /** Set aside for it. */
  bytes: Bytes
  readonly manifests: Map<string, PendingManifest>
  readonly objects: Map<string, PendingObject>
}

/**
 * What cameras have announced and not yet brought, in bounded memory. An object gets its whole size at its first chunk
 * or not at all: so those that have begun can always end, and make room for others. A camera that wants more than its
 * share pays with its own: what has come least far is forgotten, and will be sent again.
 */
export class PendingTable {
  readonly #bytesMax: Bytes
  readonly #deviceBytesMax: Bytes
  readonly #stats: CloudStats
  readonly #pool = new BlockPool()
  readonly #devices = new Map<string, Device>()
  #lookedForStalled: Milliseconds = Number.NEGATIVE_INFINITY

  /** `bytesMax` and a camera's share of it are raised to what the largest object needs. */
  constructor(stats: CloudStats, bytesMax: Bytes = 256 * MiB) {
    this.#bytesMax = Math.max(bytesMax, OBJECT_BYTES_MAX + MiB)
    this.#deviceBytesMax = Math.max(bytesMax * SHARE, OBJECT_BYTES_MAX + MiB)
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
    if (!this.#reserve(manifest.device, manifest.envelope.length, null)) return false
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
    const { manifest } = object
    return manifest !== null && this.#reserve(manifest.device, object.size, manifest)
  }

  /** Adds a copy of an object's next bytes. */
  fill(object: PendingObject, data: Uint8Array): void {
    addBytes(object, data, this.#pool)
  }

  /** It is durable: its memory goes to others. */
  end(object: PendingObject): void {
    this.#giveBack(object.manifest?.device, object.size)
    object.state = "stored"
    this.#pool.giveBack(object.blocks)
    object.blocks = []
    if (object.manifest !== null) this.#drop(object.manifest.device, object)
  }

  /** The camera begins this object again. */
  reset(object: PendingObject): void {
    if (object.held > 0) this.#giveBack(object.manifest?.device, object.size)
    this.#pool.giveBack(object.blocks)
    resetObject(object)
  }

  /** Objects on their way to the disk go on; their memory is given back when they arrive. Twice is harmless. */
  forget(manifest: PendingManifest): void {
    const device = this.#devices.get(manifest.device)
    if (device?.manifests.get(manifest.hash) !== manifest) return
    device.manifests.delete(manifest.hash)
    for (const object of manifest.objects) {
      this.#drop(manifest.device, object)
      if (object.state === "filling") this.reset(object)
    }
    this.#giveBack(manifest.device, manifest.envelope.length)
  }

  /** What a camera that left had sent stays for when it comes back, but is the first to go when memory is short. */
  gone(device: string): void {
    for (const manifest of this.#devices.get(device)?.manifests.values() ?? [])
      manifest.touched = Number.NEGATIVE_INFINITY
  }

  /** `keep` is the manifest that the memory is for. */
  #reserve(id: string, bytes: Bytes, keep: PendingManifest | null): boolean {
    const stats = this.#stats
    if (stats.pendingBytes + bytes > this.#bytesMax) this.#forgetStalled()
    if (stats.pendingBytes + bytes > this.#bytesMax) return false
    while ((this.#devices.get(id)?.bytes ?? 0) + bytes > this.#deviceBytesMax)
      if (!this.#forgetLeastOf(id, keep)) return false
    stats.pendingBytes += bytes
    this.#device(id).bytes += bytes
    return true
  }

  #giveBack(id: string | undefined, bytes: Bytes): void {
    this.#stats.pendingBytes -= bytes
    const device = id === undefined ? undefined : this.#devices.get(id)
    if (id === undefined || device === undefined) return
    device.bytes -= bytes
    // One whose objects are on their way to the disk still has memory.
    if (device.manifests.size === 0 && device.bytes === 0) this.#devices.delete(id)
  }

  /** false: the camera has begun no object under another manifest. */
  #forgetLeastOf(id: string, keep: PendingManifest | null): boolean {
    const begun = [...(this.#devices.get(id)?.manifests.values() ?? [])].filter(
      (manifest) => manifest !== keep && bytesOf(manifest) > 0,
    )
    const [least] = begun.sort((a, b) => bytesOf(a) - bytesOf(b))
    if (least) this.forget(least)
    return least !== undefined
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
    const device: Device = { bytes: 0, manifests: new Map(), objects: new Map() }
    this.#devices.set(id, device)
    return device
  }
}

/** What has come of objects of which more is to come. */
function bytesOf(manifest: PendingManifest): Bytes {
  return manifest.objects.reduce((sum, { state, held }) => sum + (state === "filling" ? held : 0), 0)
}
