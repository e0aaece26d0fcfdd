import { z } from "zod"
import { unverified } from "../../firmware/control/dsse.ts"
import { sha256Hex } from "../../firmware/control/keys.ts"
import {
  isObjectEntry,
  type Manifest,
  manifestShape,
  OBJECT_BYTES_MAX,
  type ObjectEntry,
  PAYLOAD_BYTES_MAX,
  sha256,
} from "../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import { type Bytes, MiB, type UnixMilliseconds } from "../../firmware/units.ts"
import { BucketIndex } from "./bucket-index.ts"
import { DEPARTURE_BYTES_MAX, type Departure, decodeDeparture } from "./departures.ts"
import { isObject } from "./indexed-bucket.ts"
import type { S3Door, S3Entry } from "./s3-door.ts"

/**
 * Keys behind the place's prefix. Device ids are hashes of keys and ids are random: no name says whose it is or when.
 *
 *   obscura-bucket                                   says that a bucket of this layout is here
 *   objects/<device>/<id>.age                        a plain age file; sizes and hashes ride along as metadata
 *   manifests/<device>/<sequence>-<hash>.json        the envelope as it was signed; the sequence has 16 digits
 *   departures/<device>/<hash>.json                  what is to leave, put before the first of it goes
 *   departures/<device>/<cause>.json                 where in the chain is what left by this cloud's rules, once it is gone
 */
export const MARKER = "obscura-bucket"

export function objectKey(device: string, id: string): string {
  return `objects/${device}/${id}.age`
}

export function manifestKey(device: string, sequence: number, hash: string): string {
  return `manifests/${device}/${String(sequence).padStart(16, "0")}-${hash}.json`
}

export function departureKey(device: string, name: string): string {
  return `departures/${device}/${name}.json`
}

const OBJECT = /^objects\/([0-9a-f]{40})\/([0-9a-f]{32})\.age$/
const MANIFEST = /^manifests\/([0-9a-f]{40})\/(\d{16})-([0-9a-f]{64})\.json$/
const DEPARTURE = /^departures\/([0-9a-f]{40})\/(?:[0-9a-f]{64}|retention|quota)\.json$/
/** A manifest came as one message, an object with its header. */
const MANIFEST_BYTES_MAX: Bytes = PAYLOAD_BYTES_MAX
const AGE_FILE_BYTES_MAX: Bytes = OBJECT_BYTES_MAX + MiB
/** Manifests are small; what bounds opening is how many are asked for at once. */
const AT_ONCE = 32
/** In the index of a bucket whose places are keys. */
export const NOWHERE = { volume: 0, at: 0 }

const byteCount = z
  .string()
  .regex(/^\d{1,9}$/)
  .transform(Number)
const factsShape = z.object({
  "header-bytes": byteCount,
  "payload-bytes": byteCount,
  "header-hash": sha256,
  "payload-hash": sha256,
})
type Facts = Pick<ObjectEntry, "headerBytes" | "payloadBytes" | "headerHash" | "payloadHash">

/** What S3 keeps beside an object, for a bucket whose manifest never came. */
export function factsOf({
  headerBytes,
  payloadBytes,
  headerHash,
  payloadHash,
}: Facts): Record<string, string> {
  return {
    "header-bytes": String(headerBytes),
    "payload-bytes": String(payloadBytes),
    "header-hash": headerHash,
    "payload-hash": payloadHash,
  }
}

/**
 * What lies there now. A manifest is read and checked against its hash; an object that one lists is known by that and by
 * its size, any other is read whole. What does not fit is reported and left as it is; what is nobody's of ours by name or
 * listed size is counted and never read.
 * Rejects as the door does.
 */
export async function scanS3(door: S3Door): Promise<S3Scan> {
  const index = new BucketIndex()
  // Manifests first: their objects were there before them, so the later list has those even while somebody writes.
  const manifests = [...(await listed(door, index, "manifests/", MANIFEST, MANIFEST_BYTES_MAX)).keys()]
  const sizes = await listed(door, index, "objects/", OBJECT, AGE_FILE_BYTES_MAX)
  const unlisted = new Set(sizes.keys())
  await eachOf(manifests, async (key) => {
    const manifest = await addManifest(door, index, key)
    for (const entry of manifest?.entries ?? []) {
      if (!manifest || !isObjectEntry(entry)) continue
      const { device } = manifest
      const place = objectKey(device, entry.id)
      const found = sizes.get(place)
      if (found?.bytes !== entry.headerBytes + entry.payloadBytes) continue
      unlisted.delete(place)
      index.addObject({ ...entry, device, arrived: found.arrived, ...NOWHERE })
    }
  })
  await eachOf([...unlisted], (key) => addUnlisted(door, index, key, sizes.get(key)?.arrived ?? 0))
  return { index, unfinished: await departed(door, index) }
}

export interface S3Scan {
  readonly index: BucketIndex
  /** Departures of which objects may still be there: a crash came before those were deleted. */
  readonly unfinished: readonly Departure[]
}

async function departed(door: S3Door, index: BucketIndex): Promise<readonly Departure[]> {
  const unfinished: Departure[] = []
  const keys = [...(await listed(door, index, "departures/", DEPARTURE, DEPARTURE_BYTES_MAX)).keys()]
  await eachOf(keys, async (key) => {
    const found = await door.get(key)
    if (found === null) return
    try {
      const departure = decodeDeparture(found.bytes)
      if (key.split("/")[1] !== departure.device) throw new Fault("malformed", "another device's")
      const isLeft = index.depart(departure).length > 0
      if (isLeft || (departure.cause !== "deleted" && departure.objects.length > 0))
        unfinished.push(departure)
    } catch (error) {
      if (!isFault(error, "malformed")) throw error
      index.damage.push(`${key}: not a departure`)
    }
  })
  return unfinished
}

/** By key. Of foreign keys there is no more to say than how many: their names are somebody else's. */
async function listed(
  door: S3Door,
  index: BucketIndex,
  folder: string,
  name: RegExp,
  bytesMax: Bytes,
): Promise<ReadonlyMap<string, Omit<S3Entry, "key">>> {
  const sizes = new Map<string, Omit<S3Entry, "key">>()
  let foreign = 0
  for await (const { key, bytes, arrived } of door.list(folder))
    if (name.test(key) && bytes <= bytesMax) sizes.set(key, { bytes, arrived })
    else foreign++
  if (foreign > 0) index.damage.push(`${folder}: ${foreign} foreign by name or size, not read`)
  return sizes
}

/** null: it is none. */
async function addManifest(door: S3Door, index: BucketIndex, key: string): Promise<Manifest | null> {
  const [, device = "", sequence = "", hash = ""] = MANIFEST.exec(key) ?? []
  const found = await door.get(key)
  if (found === null) return null
  const { bytes } = found
  // The signature was verified before it was stored, and whoever reads it back for use verifies it again.
  const body = sha256Hex(bytes) === hash ? unverified(bytes, manifestShape) : null
  if (body === null || body.device !== device || body.sequence !== Number(sequence)) {
    index.damage.push(`${key}: not the manifest of its name`)
    return null
  }
  index.addManifest(body, hash, { ...NOWHERE, bytes: bytes.length })
  return body
}

async function addUnlisted(
  door: S3Door,
  index: BucketIndex,
  key: string,
  arrived: UnixMilliseconds,
): Promise<void> {
  const [, device, id] = OBJECT.exec(key) ?? []
  const found = await door.get(key)
  if (found === null) return
  const facts = factsShape.safeParse(found.facts)
  const hashes = facts.success ? hashesOf(facts.data) : null
  if (device === undefined || id === undefined || hashes === null || !isObject(found.bytes, hashes))
    index.damage.push(`${key}: not an object, or damaged`)
  else index.addObject({ device, id, ...hashes, arrived, ...NOWHERE })
}

function hashesOf(facts: z.infer<typeof factsShape>): Facts {
  return {
    headerBytes: facts["header-bytes"],
    payloadBytes: facts["payload-bytes"],
    headerHash: facts["header-hash"],
    payloadHash: facts["payload-hash"],
  }
}

async function eachOf(keys: readonly string[], look: (key: string) => Promise<unknown>): Promise<void> {
  let next = 0
  const lookAtNext = async () => {
    for (let key = keys[next++]; key !== undefined; key = keys[next++]) await look(key)
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, keys.length) }, lookAtNext))
}
