import type { ObjectFacts } from "../clip.ts"
import { isObjectEntry } from "../control/protocol.ts"
import type { Bytes, Milliseconds } from "../units.ts"
import { type Link, lastSequence } from "./manifest.ts"

/** One sealed object in the spool, from held to gone. */
export interface Item {
  readonly facts: ObjectFacts
  readonly epoch: number
  readonly recipients: string
  /** Of its file on the disk. */
  readonly size: Bytes
  /** The age file as it was sealed, while the upload is likely to want it soon; else the disk has it. */
  parts: readonly Uint8Array[] | null
  /** The payload was dropped, or never kept: only its record will travel. */
  gone: boolean
}

/** One manifest with the objects that it lists: what travels, and is acknowledged, together. */
export interface Parcel {
  readonly link: Link
  readonly items: readonly Item[]
  /** The cloud has signed that it holds it. */
  received: boolean
  /** On its way just now. */
  sending: boolean
  /** All of its objects went out once already: if the cloud begins at zero again, something is wrong with one. */
  sentWhole: boolean
  /** The owner asked for it once more although it was received: how many tries are left. */
  again: number
  /** How often the cloud would not take it: what it takes goes first. */
  refusals: number
  /** When it was listed, or read at boot; on the monotonic clock. */
  readonly since: Milliseconds
}

export const objectName = (id: string): string => `object.${id}`
export const manifestName = (sequence: number): string => `manifest.${String(sequence).padStart(16, "0")}`
export const receivedName = (sequence: number): string => `received.${String(sequence).padStart(16, "0")}`

/** Sequence of the entry that lists `item`. */
export function sequenceOf(parcel: Parcel, item: Item): number {
  const position = parcel.link.manifest.entries.findIndex(
    (entry) => isObjectEntry(entry) && entry.id === item.facts.id,
  )
  return parcel.link.manifest.sequence + position
}

export function overlaps(parcel: Parcel, from: number, to: number): boolean {
  return parcel.link.manifest.sequence <= to && lastSequence(parcel.link.manifest) >= from
}

export function newParcel(link: Link, items: readonly Item[], since: Milliseconds): Parcel {
  return { link, items, received: false, sending: false, sentWhole: false, again: 0, refusals: 0, since }
}

/**
 * Does `parcel` travel before `other`? Records without payloads go first, then by age. What the cloud refused goes after
 * what it takes. What lists a payload that is gone goes last, and the newest of these first: the cloud waits for the
 * payload until it has the record of its drop, which is always in a later manifest.
 */
export function travelsBefore(parcel: Parcel, other: Parcel): boolean {
  const rank = (each: Parcel) => {
    const { items, received, refusals, link } = each
    const lacks = !received && items.some(({ gone }) => gone)
    const { sequence } = link.manifest
    return [Number(lacks), refusals, Number(items.length > 0), lacks ? -sequence : sequence]
  }
  const [a, b] = [rank(parcel), rank(other)]
  const differs = a.findIndex((each, i) => each !== b[i])
  return differs !== -1 && (a[differs] ?? 0) < (b[differs] ?? 0)
}
