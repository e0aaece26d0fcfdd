import type { Bytes, UnixMilliseconds } from "../../firmware/units.ts"
import type { Bucket } from "./bucket.ts"
import type { ListedObject } from "./bucket-index.ts"

/** What of one clip is here. */
export interface HeldClip {
  readonly objects: string[]
  /** false: a household's book, say; nothing that was filmed. An object in no manifest counts as filmed. */
  isFilm: boolean
  bytes: Bytes
  /** When the first and the last of it came; 0: not known. */
  first: UnixMilliseconds
  last: UnixMilliseconds
}

/**
 * The clips of one mailbox, the one that came first in front. An object that no manifest lists yet is a clip of its own. A
 * clip leaves as a whole: without its first segment nothing of it can be played.
 */
export function clipsOf(bucket: Bucket, device: string): readonly HeldClip[] {
  const listed = new Map<string, ListedObject>()
  for (const { objects } of bucket.manifests(device)) for (const each of objects) listed.set(each.id, each)
  const clips = new Map<string, HeldClip>()
  for (const { id, headerBytes, payloadBytes, arrived } of bucket.objectsOf(device)) {
    const { clip = id, isSegment = true } = listed.get(id) ?? {}
    const held = clips.get(clip) ?? { objects: [], isFilm: false, bytes: 0, first: arrived, last: arrived }
    clips.set(clip, held)
    held.objects.push(id)
    held.isFilm ||= isSegment
    held.bytes += headerBytes + payloadBytes
    held.first = Math.min(held.first, arrived)
    held.last = Math.max(held.last, arrived)
  }
  return [...clips.values()].sort((a, b) => a.first - b.first)
}
