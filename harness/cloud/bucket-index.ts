import { isObjectEntry, MANIFEST_ENTRIES_MAX, type Manifest } from "../../firmware/control/protocol.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes, UnixMilliseconds } from "../../firmware/units.ts"
import { type Departure, Departures, type Listed, type RemovalOrder } from "./departures.ts"
import { RangeSet } from "./range-set.ts"

/** What the bucket holds and where. In memory; the volumes are the truth, and opening reads it from them. */

export interface StoredObject {
  readonly device: string
  readonly id: string
  readonly headerBytes: Bytes
  readonly payloadBytes: Bytes
  readonly headerHash: string
  readonly payloadHash: string
  /** When it became durable, by the cloud's clock; 0: not known. */
  readonly arrived: UnixMilliseconds
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
  readonly objects: readonly ListedObject[]
  readonly volume: number
  readonly at: Bytes
  readonly bytes: Bytes
}

export interface ListedObject extends Listed {
  /** Part of a film; else something about one. */
  readonly isSegment: boolean
}

/** What a bucket tells whoever keeps account of it. Told after the fact, in order; a listener must not throw. */
export type BucketChange =
  | { readonly kind: "manifest"; readonly manifest: StoredManifest }
  | { readonly kind: "departure"; readonly departure: Departure }
  /** Something that is no caller's business went wrong. */
  | { readonly kind: "fault"; readonly where: string; readonly error: unknown }

export function idTaken(device: string, id: string): Fault {
  return new Fault("refused", `object ${id} of ${device}: another camera's object has this id`)
}

export class BucketIndex {
  readonly damage: string[] = []
  readonly departures = new Departures()
  readonly #objects = new Map<string, StoredObject>()
  /** Of each camera. */
  readonly #mailboxes = new Map<string, Mailbox>()
  /** Further copies of an object, that a failed write or an interrupted move left behind. */
  readonly #copies = new Map<string, StoredObject[]>()
  readonly #manifests = new Map<string, StoredManifest[]>()
  readonly #byHash = new Map<string, StoredManifest>()
  /** Of each camera: sequences whose payloads it dropped. */
  readonly #drops = new Map<string, RangeSet>()
  readonly #listeners: ((change: BucketChange) => void)[] = []

  get objectCount(): number {
    return this.#objects.size
  }

  watch(listener: (change: BucketChange) => void): void {
    this.#listeners.push(listener)
  }

  object(id: string): StoredObject | null {
    return this.#objects.get(id) ?? null
  }

  /** Of one camera, in a manifest or not. */
  *objectsOf(device: string): Generator<StoredObject> {
    for (const id of this.#mailboxes.get(device)?.ids ?? []) {
      const object = this.#objects.get(id)
      if (object) yield object
    }
  }

  /** Bytes of the age files that are here. */
  bytesOf(device: string): Bytes {
    return this.#mailboxes.get(device)?.bytes ?? 0
  }

  objects(): Iterable<StoredObject> {
    return this.#objects.values()
  }

  /** Of `id`, beside the one that `object` gives. */
  copies(id: string): readonly StoredObject[] {
    return this.#copies.get(id) ?? []
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

  /** Cameras of which there are objects, in a manifest or not. */
  mailboxes(): Iterable<string> {
    return this.#mailboxes.keys()
  }

  /** The first with an id stays: a scan may meet a second copy that a failed write left behind. */
  addObject(object: StoredObject): void {
    const { device, id, headerBytes, payloadBytes, headerHash, payloadHash, arrived, volume, at } = object
    const stored = { device, id, headerBytes, payloadBytes, headerHash, payloadHash, arrived, volume, at }
    const first = this.#objects.get(id)
    if (first !== undefined) {
      if (first.volume !== volume || first.at !== at)
        this.#copies.set(id, [...(this.#copies.get(id) ?? []), stored])
      return
    }
    this.#objects.set(id, stored)
    const mailbox = this.#mailboxes.get(device) ?? { ids: new Set(), bytes: 0 }
    this.#mailboxes.set(device, mailbox)
    mailbox.ids.add(id)
    mailbox.bytes += headerBytes + payloadBytes
  }

  /** It lies elsewhere now, as whoever has it at hand sees; where it was is a second copy until that volume is gone. */
  moved(what: StoredObject | StoredManifest, place: { readonly volume: number; readonly at: Bytes }): void {
    if ("id" in what) this.#copies.set(what.id, [...this.copies(what.id), { ...what }])
    Object.assign(what, place)
  }

  /** What lay in this volume is no copy any more. */
  volumeGone(gone: number): void {
    for (const [id, copies] of this.#copies) {
      const others = copies.filter(({ volume }) => volume !== gone)
      if (others.length === 0) this.#copies.delete(id)
      else if (others.length < copies.length) this.#copies.set(id, others)
    }
  }

  addManifest(
    body: Manifest,
    hash: string,
    place: { readonly volume: number; readonly at: Bytes; readonly bytes: Bytes },
  ): void {
    if (this.#byHash.has(hash)) return
    const manifest: StoredManifest = {
      device: body.device,
      hash,
      from: body.sequence,
      to: body.sequence + body.entries.length - 1,
      objects: listedIn(body),
      ...place,
    }
    for (const entry of body.entries) if (entry.kind === "drop") this.#dropsOf(body.device).add(entry)
    this.#byHash.set(hash, manifest)
    const ofDevice = this.#manifests.get(body.device) ?? []
    this.#manifests.set(body.device, ofDevice)
    // Chains grow at the end; only what was stored again after a loss, and forks, go elsewhere.
    let position = ofDevice.length
    while (position > 0 && (ofDevice[position - 1]?.from ?? 0) > manifest.from) position--
    ofDevice.splice(position, 0, manifest)
    for (const listener of this.#listeners) listener({ kind: "manifest", manifest })
  }

  /** What an order comes to now. Nothing has left yet. */
  departureOf({ device, cause, request, select }: RemovalOrder, at: UnixMilliseconds): Departure {
    const everything = "everything" in select
    const clips = new Set("clips" in select ? select.clips : [])
    const named = new Set("objects" in select ? select.objects : [])
    // Of what the owner deletes, that which is not here must not come either.
    const objects = new Set<string>(cause === "deleted" ? named : [])
    const places = new RangeSet()
    for (const manifest of this.manifests(device))
      for (const { id, clip, sequence } of manifest.objects) {
        if (!everything && !clips.has(clip) && !named.has(id)) continue
        places.add({ from: sequence, to: sequence })
        if (this.#objects.get(id)?.device === device) objects.add(id)
      }
    for (const { id } of this.objectsOf(device)) if (everything || named.has(id)) objects.add(id)
    // What was deleted is known by its ids: another object that ever claims its number is another object.
    const ranges = cause === "deleted" ? [] : [...places.all]
    return { device, cause, at, request, objects: [...objects], clips: [...clips], ranges }
  }

  /** Takes what it names out of the index; returns where each copy of it lies. */
  depart(departure: Departure): readonly StoredObject[] {
    this.departures.add(departure)
    const places: StoredObject[] = []
    for (const id of departure.objects) {
      const object = this.#objects.get(id)
      if (object?.device !== departure.device) continue
      places.push(object, ...this.copies(id))
      this.#objects.delete(id)
      this.#copies.delete(id)
      const mailbox = this.#mailboxes.get(departure.device)
      mailbox?.ids.delete(id)
      if (mailbox) mailbox.bytes -= object.headerBytes + object.payloadBytes
    }
    for (const listener of this.#listeners) listener({ kind: "departure", departure })
    return places
  }

  fault(where: string, error: unknown): void {
    for (const listener of this.#listeners) listener({ kind: "fault", where, error })
  }

  /** Tells of a manifest that was known: objects of it that were lost are here again. */
  announce(hash: string): void {
    const manifest = this.manifest(hash)
    if (manifest) for (const listener of this.#listeners) listener({ kind: "manifest", manifest })
  }

  #dropsOf(device: string): RangeSet {
    const drops = this.#drops.get(device) ?? new RangeSet()
    this.#drops.set(device, drops)
    return drops
  }
}

interface Mailbox {
  readonly ids: Set<string>
  bytes: Bytes
}

/** The objects of one clip share one text of its id: there are many. */
function listedIn({ sequence, entries }: Manifest): readonly ListedObject[] {
  const clips = new Map<string, string>()
  return entries.flatMap((entry, position) => {
    if (!isObjectEntry(entry)) return []
    const clip = clips.get(entry.clip) ?? entry.clip
    clips.set(clip, clip)
    return [{ id: entry.id, clip, sequence: sequence + position, isSegment: entry.kind === "segment" }]
  })
}
