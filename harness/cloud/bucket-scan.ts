import { createHash } from "node:crypto"
import { closeSync, fstatSync, openSync, readSync } from "node:fs"
import { sha256Hex } from "../../firmware/control/keys.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import {
  BLOCK_BYTES,
  bodyBytesOf,
  decodeRecordHead,
  decodeVolumeHead,
  inBlocks,
  isRemovedHead,
  type RecordHead,
  type VolumeHead,
} from "./bucket-record.ts"

export interface Scan {
  /** null: the first block is damaged, so no record can be told from chance. */
  readonly head: VolumeHead | null
  readonly records: readonly ScannedRecord[]
  /** Where the last whole record ends. */
  readonly end: Bytes
  /** Bytes before `end` that are no whole record: something was here and is lost. */
  readonly damaged: readonly Damage[]
  /** Bytes behind `end` that are no whole record: a write that a crash cut short, which nobody was promised; or null. */
  readonly torn: Damage | null
  /** What it held is elsewhere: it was being wiped. */
  readonly isAbandoned: boolean
}

export interface ScannedRecord {
  readonly head: RecordHead
  /** Of the body. */
  readonly at: Bytes
  /** Of manifests and departures: what they say. */
  readonly body: Buffer | null
}

export interface Damage {
  readonly at: Bytes
  readonly bytes: Bytes
  /** Objects in it of which the record's block is whole and the body is not. */
  readonly broken: readonly BrokenObject[]
}

export interface BrokenObject {
  readonly id: string
  /** Of the body. */
  readonly at: Bytes
  readonly bytes: Bytes
}

/**
 * Finds every record of one volume; damage is skipped block by block to the next whole record.
 * Manifests and departures are always checked against their hash, objects when `checkObjects`: a crash can damage only
 * what was being written, so that the newest volume is enough.
 * Throws the file system's own errors.
 */
export function scanVolume(path: string, checkObjects: boolean): Scan {
  const file = openSync(path, "r")
  try {
    const size = fstatSync(file).size
    const first = readAt(file, 0, Math.min(BLOCK_BYTES, size))
    const head = decodeVolumeHead(first)
    if (head === null)
      return {
        ...{ head, records: [], end: 0, damaged: [], torn: { at: 0, bytes: size, broken: [] } },
        isAbandoned: isRemovedHead(first),
      }
    return scanRecords(file, size, head, checkObjects)
  } finally {
    closeSync(file)
  }
}

function scanRecords(file: number, size: Bytes, head: VolumeHead, checkObjects: boolean): Scan {
  const records: ScannedRecord[] = []
  const damaged: Damage[] = []
  let end = BLOCK_BYTES
  let badSince: Bytes | null = null
  let broken: BrokenObject[] = []
  const block = Buffer.allocUnsafe(BLOCK_BYTES)
  for (let at = BLOCK_BYTES; at + BLOCK_BYTES <= size; ) {
    readSync(file, block, 0, BLOCK_BYTES, at)
    const record = decodeRecordHead(block, head, at)
    const body = at + BLOCK_BYTES
    if (record === null || body + bodyBytesOf(record) > size) {
      if (!isZero(block)) badSince ??= at
      at = body
      continue
    }
    const scanned = readRecord(file, record, body, checkObjects)
    const next = body + inBlocks(bodyBytesOf(record))
    if (scanned === null) {
      badSince ??= at
      if (record.kind === "object") broken.push({ id: record.id, at: body, bytes: bodyBytesOf(record) })
    } else {
      if (badSince !== null) damaged.push({ at: badSince, bytes: at - badSince, broken })
      badSince = null
      broken = []
      records.push(scanned)
      end = next
    }
    at = next
  }
  const torn = badSince === null ? null : { at: badSince, bytes: size - badSince, broken }
  return { head, records, end, damaged, torn, isAbandoned: false }
}

/** null: the body is not what its hashes say. */
function readRecord(file: number, head: RecordHead, at: Bytes, checkObjects: boolean): ScannedRecord | null {
  if (head.kind === "hole") return { head, at, body: null }
  if (head.kind !== "object") {
    const body = readAt(file, at, head.bodyBytes)
    return sha256Hex(body) === head.hash ? { head, at, body } : null
  }
  if (
    checkObjects &&
    (hashAt(file, at, head.headerBytes) !== head.headerHash ||
      hashAt(file, at + head.headerBytes, head.payloadBytes) !== head.payloadHash)
  )
    return null
  return { head, at, body: null }
}

function hashAt(file: number, at: Bytes, length: Bytes): string {
  const hash = createHash("sha256")
  for (let done = 0; done < length; done += MiB)
    hash.update(readAt(file, at + done, Math.min(MiB, length - done)))
  return hash.digest("hex")
}

function readAt(file: number, at: Bytes, length: Bytes): Buffer {
  const buffer = Buffer.alloc(length)
  readSync(file, buffer, 0, length, at)
  return buffer
}

function isZero(block: Buffer): boolean {
  return block.equals(ZEROS)
}

const ZEROS = Buffer.alloc(BLOCK_BYTES)
