import { verify } from "../../firmware/control/dsse.ts"
import { type PublicKey, sha256Hex } from "../../firmware/control/keys.ts"
import {
  type CutEntry,
  type DropEntry,
  type Entry,
  isObjectEntry,
  type LiveEntry,
  type Manifest,
  manifestShape,
  NO_MANIFEST,
  type ObjectEntry,
} from "../../firmware/control/protocol.ts"
import { lastSequence } from "../../firmware/delivery/manifest.ts"
import { isFault } from "../../firmware/errors.ts"

/** One object as the chain tells of it. */
export interface ListedObject {
  readonly entry: ObjectEntry
  readonly sequence: number
  readonly manifest: string
  /** Of the recipients for which it is sealed, as its manifest says. */
  readonly epoch: number
}

/** Something an owner should know. */
export type ChainAlert =
  | { readonly kind: "not this camera's"; readonly reason: string }
  | { readonly kind: "fork"; readonly sequence: number }
  | { readonly kind: "gap"; readonly from: number; readonly to: number }

/** What a camera's manifests say, once each of them was verified. */
export interface ChainView {
  readonly objects: readonly ListedObject[]
  readonly drops: readonly DropEntry[]
  readonly cuts: readonly CutEntry[]
  readonly alerts: readonly ChainAlert[]
  /** Sequence of the newest entry, -1 if there is none. */
  readonly newest: number
  /** By rising sequence. */
  readonly links: readonly ChainLink[]
  /** Every recipients statement that a manifest with objects names, once, in order of appearance. */
  readonly epochs: readonly SealedEpoch[]
  /** Who began to look live, as the camera said before it showed anything. */
  readonly looks: readonly LiveEntry[]
}

export interface SealedEpoch {
  readonly epoch: number
  /** SHA-256 of the owner's envelope. */
  readonly recipients: string
}

/** A manifest that verified: its first and last sequence, and the hash of its envelope. */
export interface ChainLink {
  readonly from: number
  readonly to: number
  readonly hash: string
}

interface VerifiedLink {
  readonly manifest: Manifest
  readonly hash: string
}

/**
 * Reads a camera's chain from envelopes in any order, repeated or not. What does not verify is an alert, never used.
 * A gap is a stretch of sequences that no manifest here tells of and no drop record covers.
 */
export function readChain(envelopes: readonly Uint8Array[], camera: PublicKey): ChainView {
  const alerts: ChainAlert[] = []
  const links = new Map<string, VerifiedLink>()
  for (const envelope of envelopes) {
    try {
      const manifest = verify("manifest", envelope, camera, manifestShape)
      if (manifest.device === camera.id)
        links.set(sha256Hex(envelope), { manifest, hash: sha256Hex(envelope) })
      else alerts.push({ kind: "not this camera's", reason: "a manifest for another device" })
    } catch (error) {
      if (!isFault(error)) throw error
      alerts.push({ kind: "not this camera's", reason: error.message })
    }
  }
  const ordered = [...links.values()].sort((a, b) => a.manifest.sequence - b.manifest.sequence)
  const entries = ordered.flatMap(({ manifest, hash }) =>
    manifest.entries.map((entry, position) => ({
      entry,
      sequence: manifest.sequence + position,
      manifest: hash,
      epoch: manifest.epoch,
    })),
  )
  const drops = entries.map(({ entry }) => entry).filter((entry): entry is DropEntry => entry.kind === "drop")
  return {
    objects: entries.filter((each): each is ListedObject => isObjectEntry(each.entry as Entry)),
    drops,
    cuts: entries.map(({ entry }) => entry).filter((entry): entry is CutEntry => entry.kind === "cut"),
    alerts: [...alerts, ...forks(ordered), ...gaps(ordered, drops)],
    newest: entries.reduce((newest, { sequence }) => Math.max(newest, sequence), -1),
    links: ordered.map(({ manifest, hash }) => ({
      from: manifest.sequence,
      to: lastSequence(manifest),
      hash,
    })),
    epochs: epochsOf(ordered.map(({ manifest }) => manifest)),
    looks: entries.map(({ entry }) => entry).filter((entry): entry is LiveEntry => entry.kind === "live"),
  }
}

function epochsOf(manifests: readonly Manifest[]): readonly SealedEpoch[] {
  const named = new Map<string, SealedEpoch>()
  // A manifest of records alone seals nothing.
  for (const { epoch, recipients, entries } of manifests)
    if (entries.some(isObjectEntry)) named.set(`${epoch} ${recipients}`, { epoch, recipients })
  return [...named.values()]
}

/** Two links for one sequence, or a link that does not follow from the one before it. */
function forks(ordered: readonly VerifiedLink[]): readonly ChainAlert[] {
  const alerts: ChainAlert[] = []
  let before: VerifiedLink | null = null
  for (const link of ordered) {
    const end = before ? before.manifest.sequence + before.manifest.entries.length : 0
    const previous = before?.hash ?? NO_MANIFEST
    if (
      link.manifest.sequence < end ||
      (link.manifest.sequence === end && link.manifest.previous !== previous)
    )
      alerts.push({ kind: "fork", sequence: link.manifest.sequence })
    before = link
  }
  return alerts
}

function gaps(ordered: readonly VerifiedLink[], drops: readonly DropEntry[]): readonly ChainAlert[] {
  const alerts: ChainAlert[] = []
  let next = 0
  for (const { manifest } of ordered) {
    const from = skipDropped(next, drops)
    if (from < manifest.sequence) alerts.push({ kind: "gap", from, to: manifest.sequence - 1 })
    next = Math.max(next, manifest.sequence + manifest.entries.length)
  }
  return alerts
}

/** The first sequence from `next` on that no drop record covers. */
function skipDropped(next: number, drops: readonly DropEntry[]): number {
  let first = next
  for (;;) {
    const drop = drops.find(({ from, to }) => from <= first && first <= to)
    if (!drop) return first
    first = drop.to + 1
  }
}
