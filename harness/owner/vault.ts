import { z } from "zod"
import { fromJson } from "../../firmware/control/json.ts"
import { type PublicKey, sha256Hex } from "../../firmware/control/keys.ts"
import type { LiveEntry } from "../../firmware/control/protocol.ts"
import { unpadJson } from "../../firmware/delivery/padding.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { DepartureCause, Listed } from "../cloud/departures.ts"
import type { Identity } from "./age-identity.ts"
import {
  type ChainAlert,
  type ChainLink,
  type ChainView,
  type ListedObject,
  readChain,
  type SealedEpoch,
} from "./chain-view.ts"
import { type ClipNote, clipNoteShape, noteOf } from "./clip-note.ts"
import { type DeletedIds, NOTHING_DELETED } from "./deletion.ts"
import { openAge } from "./open-age.ts"

/** Where sealed objects and manifests can be had: a bucket on disk, or anything like it. Nothing it says is believed. */
export interface ObjectSource {
  manifests(device: string): Promise<readonly Uint8Array[]>
  has(id: string): Promise<boolean>
  /** The plain age file, or null. */
  object(id: string): Promise<Uint8Array | null>
  /** Hashes of the manifests for which the cloud signed a receipt. */
  receipted(device: string): Promise<ReadonlySet<string>>
  /** Why the cloud says that an object left it for good; absent, or null: it does not. */
  departure?(device: string, listed: Listed): Promise<DepartureCause | null>
}

/** What the vault can say of one object. */
export type Fate =
  | "received"
  | "dropped by the camera"
  /** By the owner's own record; what a cloud says of it counts for nothing. */
  | "deleted by the owner"
  /** It says so: for age, or for want of room. */
  | "let go by the cloud"
  | "lost by the cloud"
  | "not heard of"

export interface VaultObject extends ListedObject {
  readonly fate: Fate
}

export interface VaultClip {
  readonly clip: string
  /** By index. */
  readonly segments: readonly VaultObject[]
  readonly thumbnail: VaultObject | null
  readonly summary: VaultObject | null
  /** The power went while it was recorded; the camera said after how many segments. */
  readonly cut: boolean
  /** The last segment is known, or the camera said where it was cut. */
  readonly ended: boolean
  /** Every segment from 0 to the last is here. */
  readonly whole: boolean
}

export interface VaultView {
  readonly clips: readonly VaultClip[]
  readonly alerts: readonly ChainAlert[]
  readonly newest: number
  readonly links: readonly ChainLink[]
  readonly epochs: readonly SealedEpoch[]
  readonly looks: readonly LiveEntry[]
}

/** One camera as its owner sees it through a cloud that is not trusted. */
export class Vault {
  readonly #source: ObjectSource
  readonly #camera: PublicKey
  readonly #identity: Identity
  readonly #deleted: DeletedIds

  constructor(
    source: ObjectSource,
    camera: PublicKey,
    identity: Identity,
    deleted: DeletedIds = NOTHING_DELETED,
  ) {
    this.#deleted = deleted
    this.#source = source
    this.#camera = camera
    this.#identity = identity
  }

  /** Clips in the order in which they were recorded. */
  async view(): Promise<VaultView> {
    const chain = readChain(await this.#source.manifests(this.#camera.id), this.#camera)
    const receipted = await this.#source.receipted(this.#camera.id)
    const objects = new Map<string, VaultObject>()
    for (const listed of chain.objects) {
      const fate = await this.#fateOf(listed, chain, receipted)
      const twin = objects.get(listed.entry.id)
      if (twin?.fate !== "received") objects.set(listed.entry.id, { ...listed, fate })
    }
    const { alerts, newest, links, epochs, looks } = chain
    return { clips: clipsOf([...objects.values()], chain), alerts, newest, links, epochs, looks }
  }

  /**
   * Opens one object.
   * @throws Fault "unavailable": not there; "tampered": not what the camera signed; "refused": sealed for somebody else.
   */
  async open(listed: ListedObject): Promise<Uint8Array> {
    return openAge(await this.sealed(listed), this.#identity, { commit: listed.entry.commit })
  }

  /** The plain age file of one object, as the camera signed it. @throws Fault "unavailable" or "tampered", as `open`. */
  async sealed({ entry }: ListedObject): Promise<Uint8Array> {
    const bytes = await this.#source.object(entry.id)
    if (!bytes) throw new Fault("unavailable", `object ${entry.id} is not in the bucket`)
    const header = bytes.subarray(0, entry.headerBytes)
    const payload = bytes.subarray(entry.headerBytes)
    if (payload.length !== entry.payloadBytes || sha256Hex(payload) !== entry.payloadHash)
      throw new Fault(
        "tampered",
        `object ${entry.id} is not what its camera signed: its payload was changed or swapped`,
      )
    if (sha256Hex(header) !== entry.headerHash)
      throw new Fault("tampered", `object ${entry.id} is not what its camera signed: its header was changed`)
    return bytes
  }

  /**
   * The clip as one playable file: its segments, joined, as far as it has come.
   * @throws as `open`; Fault "unavailable" when a segment before the last known one is missing, or there twice.
   */
  async openClip(clip: VaultClip): Promise<Uint8Array> {
    this.checkWhole(clip)
    return Buffer.concat(await Promise.all(clip.segments.map((segment) => this.open(segment))))
  }

  /** @throws Fault "unavailable": a segment before the last known one is missing, or there twice. */
  checkWhole(clip: VaultClip): void {
    const missing = clip.segments.filter(({ fate }) => fate !== "received")
    if (clip.segments.length === 0 || missing.length > 0)
      throw new Fault(
        "unavailable",
        `clip ${clip.clip}: ${missing.length || "all"} segments are not in the bucket`,
      )
    const hole = clip.segments.findIndex(({ entry }, position) => entry.index !== position)
    if (hole !== -1)
      throw new Fault(
        "unavailable",
        `clip ${clip.clip}: segment ${hole} is missing from the chain, or claimed twice`,
      )
  }

  async #fateOf(listed: ListedObject, chain: ChainView, receipted: ReadonlySet<string>): Promise<Fate> {
    if (await this.#source.has(listed.entry.id)) return "received"
    if (chain.drops.some(({ from, to }) => from <= listed.sequence && listed.sequence <= to))
      return "dropped by the camera"
    const { id, clip } = listed.entry
    if (this.#deleted.objects.has(id) || this.#deleted.clips.has(clip)) return "deleted by the owner"
    const cause = await this.#source.departure?.(this.#camera.id, { id, clip, sequence: listed.sequence })
    if (cause === "retention" || cause === "quota") return "let go by the cloud"
    return receipted.has(listed.manifest) ? "lost by the cloud" : "not heard of"
  }
}

/** Nothing of it is to be had any more, and that is as it should be. */
export function hasLeft({ segments, thumbnail, summary }: VaultClip): boolean {
  const objects = [...segments, thumbnail, summary].filter((object) => object !== null)
  return (
    objects.some(isAway) && objects.every((each) => isAway(each) || each.fate === "dropped by the camera")
  )
}

/** Deleted, or let go. */
export function isAway({ fate }: VaultObject): boolean {
  return fate === "deleted by the owner" || fate === "let go by the cloud"
}

function clipsOf(objects: readonly VaultObject[], chain: ChainView): readonly VaultClip[] {
  const byClip = new Map<string, VaultObject[]>()
  for (const object of objects)
    byClip.set(object.entry.clip, [...(byClip.get(object.entry.clip) ?? []), object])
  return [...byClip].map(([clip, all]) => {
    const segments = all
      .filter(({ entry }) => entry.kind === "segment")
      .sort((a, b) => a.entry.index - b.entry.index)
    const cut = chain.cuts.find((each) => each.clip === clip)
    const last = segments.at(-1)
    const length = cut ? cut.segments : last?.entry.last ? last.entry.index + 1 : null
    return {
      clip,
      segments,
      thumbnail: all.find(({ entry }) => entry.kind === "thumbnail") ?? null,
      summary: all.find(({ entry }) => entry.kind === "summary") ?? null,
      cut: cut !== undefined,
      ended: length !== null,
      whole:
        length === segments.length &&
        segments.every(({ fate, entry }, position) => fate === "received" && entry.index === position),
    }
  })
}

/** A refusal to open that is as it should be, as against an error. */
export function isRefusalToOpen(error: unknown): boolean {
  return isFault(error, "refused") || isFault(error, "tampered") || isFault(error, "malformed")
}

const summaryShape = clipNoteShape.extend({
  /** Milliseconds. */
  duration: z.number().min(0),
  segments: z.int().min(1),
})
export type Summary = z.infer<typeof summaryShape>

/** What the camera says of the clip, to its owner alone. @throws as `Vault.open`; Fault "malformed", definite. */
export async function summaryOf(vault: Vault, object: ListedObject): Promise<Summary> {
  return fromJson(unpadJson(await vault.open(object)), summaryShape, "summary", 4_096)
}

/** What the camera says of a clip that may still be going on. @throws as `Vault.open`; Fault "malformed", definite. */
export async function noteFrom(
  vault: Vault,
  thumbnail: ListedObject,
): Promise<{ readonly note: ClipNote | null; readonly picture: Uint8Array }> {
  const picture = await vault.open(thumbnail)
  return { note: noteOf(picture), picture }
}
