import type { FileHandle } from "node:fs/promises"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"

const SECTOR = 512
/** MBR partition types that are FAT: 16 bit below and above 32 MiB, 16 bit LBA, 32 bit, 32 bit LBA. */
const FAT_TYPES: ReadonlySet<number> = new Set([0x04, 0x06, 0x0e, 0x0b, 0x0c])
const PROTECTIVE = 0xee
const GPT_ENTRIES_MAX = 1024
const GPT_ENTRY_MAX = 4096

/**
 * Where the first FAT partition of a disk image begins, by its MBR or its GPT (UEFI 2.10 §5). Any bytes may come: nothing
 * outside of the file is looked at.
 *
 * @throws Fault "usage", definite: there is none, or it reaches beyond the file.
 */
export async function findFatPartition(image: FileHandle, size: Bytes, name: string): Promise<Bytes> {
  const first = await sectorAt(image, 0)
  if (first === null || first.readUInt16LE(510) !== 0xaa55)
    throw new Fault(
      "usage",
      `${name}: no partition table: this is no disk image, or a packed one (unpack .xz with xz -dk)`,
    )
  const entries = [0, 1, 2, 3].map((index) => mbrEntry(first, index))
  const found = entries.some(({ type }) => type === PROTECTIVE) ? await gptPartitions(image) : entries
  for (const { type, start, sectors } of found) {
    if (start === 0 || sectors === 0 || !(type === null || FAT_TYPES.has(type))) continue
    if ((start + sectors) * SECTOR > size)
      throw new Fault(
        "usage",
        `${name}: ends before its boot partition does: the file is cut short; download it again`,
      )
    if (isFat(await sectorAt(image, start * SECTOR))) return start * SECTOR
  }
  throw new Fault("usage", `${name}: no boot partition (FAT) in it: take an image of Raspberry Pi OS`)
}

/** In sectors. `type` null: by GPT, where a FAT is known by its boot sector alone. */
interface Entry {
  readonly type: number | null
  readonly start: number
  readonly sectors: number
}

function mbrEntry(sector: Buffer, index: number): Entry {
  const at = 446 + 16 * index
  return {
    type: sector.readUInt8(at + 4),
    start: sector.readUInt32LE(at + 8),
    sectors: sector.readUInt32LE(at + 12),
  }
}

async function gptPartitions(image: FileHandle): Promise<readonly Entry[]> {
  const header = await sectorAt(image, SECTOR)
  if (header === null || header.toString("latin1", 0, 8) !== "EFI PART") return []
  const at = safeNumber(header.readBigUInt64LE(72))
  const count = header.readUInt32LE(80)
  const length = header.readUInt32LE(84)
  if (at === null || count > GPT_ENTRIES_MAX || length < 128 || length > GPT_ENTRY_MAX) return []
  const table = await bytesAt(image, at * SECTOR, count * length)
  return Array.from({ length: Math.floor(table.length / length) }, (_, index) => {
    const start = safeNumber(table.readBigUInt64LE(index * length + 32))
    const last = safeNumber(table.readBigUInt64LE(index * length + 40))
    return start === null || last === null || last < start
      ? { type: null, start: 0, sectors: 0 }
      : { type: null, start, sectors: last - start + 1 }
  })
}

/** A boot sector says FAT12, FAT16 or FAT32 of itself; a hint to other systems, but everybody writes it. */
function isFat(sector: Buffer | null): boolean {
  if (sector === null || sector.readUInt16LE(510) !== 0xaa55) return false
  return sector.toString("latin1", 54, 57) === "FAT" || sector.toString("latin1", 82, 85) === "FAT"
}

/** null: beyond what 2^40 sectors can be. */
function safeNumber(value: bigint): number | null {
  return value > 0xff_ffff_ffffn ? null : Number(value)
}

async function sectorAt(image: FileHandle, at: Bytes): Promise<Buffer | null> {
  const bytes = await bytesAt(image, at, SECTOR)
  return bytes.length < SECTOR ? null : bytes
}

async function bytesAt(image: FileHandle, at: Bytes, length: Bytes): Promise<Buffer> {
  const { buffer, bytesRead } = await image.read(Buffer.alloc(length), 0, length, at)
  return buffer.subarray(0, bytesRead)
}
