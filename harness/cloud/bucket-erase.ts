import { constants } from "node:fs"
import { type FileHandle, open, unlink } from "node:fs/promises"
import { join } from "node:path"
import { Fault } from "../../firmware/errors.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import {
  BLOCK_BYTES,
  decodeVolumeHead,
  encodeRecordHead,
  encodeRemovedHead,
  inBlocks,
  type VolumeHead,
} from "./bucket-record.ts"
import { syncDirectory, volumeName } from "./bucket-volume.ts"

/** Bytes of a volume that are to go. */
export interface Extent {
  readonly volume: number
  readonly at: Bytes
  readonly bytes: Bytes
  /** A record's body, whose block stands before it; otherwise bytes that are no record's. */
  readonly isBody: boolean
}

/**
 * Writes zeros over `extents`, where they lie: a hole punched or a file removed would leave the bytes on the disk until
 * somebody else needs the place. When the zeros are durable, and not before, each record's block becomes a hole's; so a
 * crash leaves either a record that its departure names, which the next opening goes on with, or nothing of it.
 *
 * What this cannot reach: a disk that keeps old pages behind its own back (flash until it is trimmed, a file system that
 * copies on write, a snapshot, a backup).
 *
 * Throws the file system's own errors; what is zero then stays zero, and all of it may be asked for again.
 */
export async function erase(directory: string, extents: readonly Extent[]): Promise<void> {
  const volumes = new Map<number, Extent[]>()
  for (const extent of extents) volumes.set(extent.volume, [...(volumes.get(extent.volume) ?? []), extent])
  for (const [volume, ofVolume] of volumes) {
    const file = await openVolume(join(directory, volumeName(volume)))
    if (file === null) continue
    try {
      for (const { at, bytes } of ofVolume) await writeZeros(file, at, inBlocks(bytes))
      await file.datasync()
      const head = await headOf(file)
      if (head === null) continue
      for (const extent of ofVolume) if (extent.isBody) await makeHole(file, head, extent)
      await file.datasync()
    } finally {
      await file.close()
    }
  }
}

/** null: the volume is gone, and with it what was in it. */
async function openVolume(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDWR)
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null
    throw error
  }
}

async function writeZeros(file: FileHandle, at: Bytes, bytes: Bytes): Promise<void> {
  for (let done = 0; done < bytes; ) {
    const { bytesWritten } = await file.write(ZEROS, 0, Math.min(ZEROS.length, bytes - done), at + done)
    if (bytesWritten === 0) throw new Fault("unavailable", "nothing more can be written", { definite: false })
    done += bytesWritten
  }
}

async function headOf(file: FileHandle): Promise<VolumeHead | null> {
  const block = Buffer.alloc(BLOCK_BYTES)
  await file.read(block, 0, BLOCK_BYTES, 0)
  return decodeVolumeHead(block)
}

/** One block of a disk is written whole or not at all; one that is torn all the same is skipped like any damage. */
async function makeHole(file: FileHandle, head: VolumeHead, { at, bytes }: Extent): Promise<void> {
  const position = at - BLOCK_BYTES
  await file.write(
    encodeRecordHead({ kind: "hole", bodyBytes: bytes }, head, position),
    0,
    BLOCK_BYTES,
    position,
  )
}

const ZEROS = Buffer.alloc(MiB)

/**
 * Zeros over a whole volume, then removes it. Its first block says so first: from then on nothing in it is a record, so a
 * crash halfway leaves no object whose bytes are gone, and the next opening wipes the rest.
 * Throws the file system's own errors.
 */
export async function wipe(directory: string, volume: number): Promise<void> {
  const path = join(directory, volumeName(volume))
  const file = await open(path, constants.O_RDWR)
  try {
    const { size } = await file.stat()
    await file.write(encodeRemovedHead(), 0, BLOCK_BYTES, 0)
    await file.datasync()
    await writeZeros(file, BLOCK_BYTES, size - BLOCK_BYTES)
    await file.datasync()
  } finally {
    await file.close()
  }
  await unlink(path)
  await syncDirectory(directory)
}
