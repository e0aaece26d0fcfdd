import { open, stat } from "node:fs/promises"
import { join } from "node:path"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import { type Extent, wipe } from "./bucket-erase.ts"
import type { BucketIndex, StoredManifest, StoredObject } from "./bucket-index.ts"
import { BLOCK_BYTES, bodyBytesOf, inBlocks } from "./bucket-record.ts"
import { type ScannedRecord, scanVolume } from "./bucket-scan.ts"
import { volumeName } from "./bucket-volume.ts"
import type { BucketWriter, NewRecord } from "./bucket-writer.ts"
import { decodeDeparture, encodeDeparture } from "./departures.ts"

/** Less is not worth the copying, however dead. */
const VOLUME_BYTES_MIN: Bytes = MiB
const BATCH_BYTES: Bytes = 16 * MiB

/** Bytes of holes by volume. */
export type Holes = Map<number, Bytes>

export function addTo(holes: Holes, { volume, bytes }: Pick<Extent, "volume" | "bytes">): void {
  holes.set(volume, (holes.get(volume) ?? 0) + BLOCK_BYTES + inBlocks(bytes))
}

/** Volumes of which more than half is holes. */
export async function mostlyDead(directory: string, holes: Holes): Promise<readonly number[]> {
  const dead: number[] = []
  for (const [volume, bytes] of holes) {
    const { size } = await stat(join(directory, volumeName(volume)))
    if (size >= VOLUME_BYTES_MIN && bytes > size / 2) dead.push(volume)
  }
  return dead
}

/**
 * Gives a volume's room back: what of it still counts is appended to the newest one, and when that is durable the file is wiped and
 * removed. A crash in between leaves second copies, which the index knows and a removal reaches.
 * Throws the file system's own errors.
 */
export async function compact(
  directory: string,
  number: number,
  index: BucketIndex,
  writer: BucketWriter,
): Promise<void> {
  if (number === writer.number) await writer.beginNext()
  const path = join(directory, volumeName(number))
  const file = await open(path, "r")
  try {
    let batch: Move[] = []
    let batched: Bytes = 0
    const flush = async (): Promise<void> => {
      const places = await writer.append(batch.map(({ record }) => record))
      for (const [position, place] of places.entries()) {
        const what = batch[position]?.what
        if (what) index.moved(what, place)
      }
      batch = []
      batched = 0
    }
    for (const scanned of scanVolume(path, false).records) {
      const what = countsFor(scanned, number, index)
      if (what === null) continue
      const record = "departure" in what ? what.departure : await readRecord(file, scanned)
      batch.push({ record, what: "departure" in what ? null : what })
      batched += bodyBytesOf(scanned.head)
      if (batched >= BATCH_BYTES) await flush()
    }
    await flush()
  } finally {
    await file.close()
  }
  await wipe(directory, number)
  index.volumeGone(number)
}

interface Move {
  readonly record: NewRecord
  readonly what: StoredObject | StoredManifest | null
}

/** null: a hole, or a copy of what lies elsewhere too. */
function countsFor(
  { head, at, body }: ScannedRecord,
  volume: number,
  index: BucketIndex,
): StoredObject | StoredManifest | { readonly departure: NewRecord } | null {
  if (head.kind === "hole") return null
  if (head.kind === "departure") return body && { departure: carriedOut(head.device, body) }
  const what = head.kind === "object" ? index.object(head.id) : index.manifest(head.hash)
  return what?.volume === volume && what.at === at ? what : null
}

async function readRecord(
  file: Awaited<ReturnType<typeof open>>,
  { head, at, body }: ScannedRecord,
): Promise<NewRecord> {
  if (body !== null) return { head, body: [body] }
  const bytes = Buffer.allocUnsafe(bodyBytesOf(head))
  await file.read(bytes, 0, bytes.length, at)
  return { head, body: [bytes] }
}

/**
 * As it need be kept once nothing of it is left to erase. What left by this cloud's rules may come back, when its camera
 * lists it anew: then a departure that now stands behind it must not name it.
 */
function carriedOut(device: string, body: Buffer): NewRecord {
  const departure = decodeDeparture(body)
  const kept = departure.cause === "deleted" ? body : encodeDeparture({ ...departure, objects: [] })
  const head = { kind: "departure", device, bodyBytes: kept.length, hash: sha256Hex(kept) } as const
  return { head, body: [kept] }
}
