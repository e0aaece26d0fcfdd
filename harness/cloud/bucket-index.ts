import { isObjectEntry, MANIFEST_ENTRIES_MAX, type Manifest } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"
import { RangeSet } from "./range-set.ts"

/** What the bucket holds and where. In memory; the volumes are the truth, and opening reads it from them. */

export interface StoredObject {
  readonly device: string
  readonly id: string
  readonly headerBytes: Bytes
  readonly payloadBytes: Bytes
  readonly headerHash: string
  readonly payloadHash: string
  readonly volume: number
  /** Of the age file's first byte in its volume. */
  readonly at: Bytes
}

export interface StoredManifest {
  readonly device: string
  /** SHA-256 of the envelope bytes. */
  readonly hash: string
  readonly from: number
  readonly to: number
  readonly objects: readonly { readonly id: string; readonly sequence: number }[]
  readonly volume: number
  readonly at: Bytes
  readonly bytes: Bytes
}

export function idTaken(device: string, id: string): Fault {
  return new Fault("refused", `object ${id} of ${device}: another camera's object has this id`)
}

export class BucketIndex {
  readonly damage: string[] = []
  readonly #objects = new Map<string, StoredObject>()
  readonly #manifests = new Map<string, StoredManifest[]>()
  readonly #byHash = new Map<string, StoredManifest>()
  /** Of each camera: sequences whose payloads it dropped. */
  readonly #drops = new Map<string, RangeSet>()

  get objectCount(): number {
    return this.#objects.size
  }

  object(id: string): StoredObject | null {
    return this.#objects.get(id) ?? null
  }

  /** @throws Fault "refused", definite: another camera's object has this id. */
  has(device: string, id: string): boolean {
    const stored = this.object(id)
    if (stored !== null && stored.device !== device) throw idTaken(device, id)
    return stored !== null
  }

  manifests(device: string): readonly StoredManifest[] {
    return this.#manifests.get(device) ?? []
  }

  manifest(hash: string): StoredManifest | null {
    return this.#byHash.get(hash) ?? null
  }

  /** Another manifest of the same camera claims some of the same sequences. */
  isForked(manifest: StoredManifest): boolean {
    const chain = this.manifests(manifest.device)
    // No manifest is longer than MANIFEST_ENTRIES_MAX, so those further back cannot reach this one.
    for (let i = chain.length - 1; i >= 0; i--) {
      const other = chain[i]
      if (other === undefined || other.from <= manifest.from - MANIFEST_ENTRIES_MAX) return false
      if (other !== manifest && other.from <= manifest.to && other.to >= manifest.from) return true
    }
    return false
  }

  /** The camera has said, durably, that the payload of this sequence will never come. */
  isDropped(device: string, sequence: number): boolean {
    return this.#drops.get(device)?.has(sequence) ?? false
  }

  devices(): readonly string[] {
    return [...this.#manifests.keys()]
  }

  /** The first with an id stays: a scan may meet a second copy that a failed write left behind. */
  addObject({
    device,
    id,
    headerBytes,
    payloadBytes,
    headerHash,
    payloadHash,
    volume,
    at,
  }: StoredObject): void {
    if (this.#objects.has(id)) return
    this.#objects.set(id, { device, id, headerBytes, payloadBytes, headerHash, payloadHash, volume, at })
  }

  addManifest(
    body: Manifest,
    hash: string,
    place: { readonly volume: number; readonly at: Bytes; readonly bytes: Bytes },
  ): void {
    if (this.#byHash.has(hash)) return
    const stored: StoredManifest = {
      device: body.device,
      hash,
      from: body.sequence,
      to: body.sequence + body.entries.length - 1,
      objects: body.entries.flatMap((entry, position) =>
        isObjectEntry(entry) ? [{ id: entry.id, sequence: body.sequence + position }] : [],
      ),
      ...place,
    }
    for (const entry of body.entries) if (entry.kind === "drop") this.#dropsOf(body.device).add(entry)
    this.#byHash.set(hash, stored)
    const ofDevice = this.#manifests.get(body.device)
    if (ofDevice === undefined) {
      this.#manifests.set(body.device, [stored])
      return
    }
    // Chains grow at the end; only what was stored again after a loss, and forks, go elsewhere.
    let position = ofDevice.length
    while (position > 0 && (ofDevice[position - 1]?.from ?? 0) > stored.from) position--
    ofDevice.splice(position, 0, stored)
  }

  #dropsOf(device: string): RangeSet {
    const drops = this.#drops.get(device) ?? new RangeSet()
    this.#drops.set(device, drops)
    return drops
  }
}
