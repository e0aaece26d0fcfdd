import { randomBytes } from "node:crypto"
import { constants, fdatasync, write } from "node:fs"
import { type FileHandle, open, unlink } from "node:fs/promises"
import { join } from "node:path"
import { Fault } from "../../firmware/errors.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import { BLOCK_BYTES, encodeVolumeHead, inBlocks, type VolumeHead } from "./bucket-record.ts"

/** O_DIRECT wants memory, position and length in multiples of this; so one write is padded to it with zero blocks. */
const PAGE_BYTES = 4096
const STAGING_BYTES = 16 * MiB
const NAME = /^volume-(\d{8})$/

export function volumeName(number: number): string {
  return `volume-${String(number).padStart(8, "0")}`
}

/** null: some other file. */
export function volumeNumber(name: string): number | null {
  const digits = NAME.exec(name)?.[1]
  return digits === undefined ? null : Number(digits)
}

/**
 * The volume that is being appended to. Bytes go round the page cache (O_DIRECT) through one aligned staging buffer:
 * a copy of ours costs less than the kernel's page for every 4 KiB of a file that nobody reads soon. Where the file
 * system knows no O_DIRECT the same writes go through the cache.
 */
export class OpenVolume {
  readonly head: VolumeHead
  /** Where the next record goes: everything before is durable. */
  end: Bytes
  readonly #file: FileHandle
  readonly #staging: Buffer

  private constructor(file: FileHandle, head: VolumeHead, end: Bytes, staging: Buffer) {
    this.#file = file
    this.head = head
    this.end = end
    this.#staging = staging
  }

  /** A new, durable, empty volume. */
  static async create(directory: string, number: number, staging: Buffer): Promise<OpenVolume> {
    const head: VolumeHead = { number, salt: randomBytes(32) }
    const path = join(directory, volumeName(number))
    const file = await openDirect(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL)
    try {
      const volume = new OpenVolume(file, head, 0, staging)
      await volume.append([encodeVolumeHead(head)])
      await syncDirectory(directory)
      return volume
    } catch (error) {
      await file.close()
      // Its number is wanted again, when there is room.
      await unlink(path).catch(() => undefined)
      throw error
    }
  }

  /** Goes on after `end`, the end of the last whole record. */
  static async resume(directory: string, head: VolumeHead, end: Bytes, staging: Buffer): Promise<OpenVolume> {
    const file = await openDirect(join(directory, volumeName(head.number)), constants.O_RDWR)
    return new OpenVolume(file, head, inPages(end), staging)
  }

  /**
   * Writes `pieces`, joined, from `end` on; resolves when they are synced. Together they are whole blocks.
   * Rejects with the file system's own error; `end` then stays, and what may have been written is cut off.
   */
  async append(pieces: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#append(pieces)
    } catch (error) {
      // Best effort: what cannot be cut off is written over by the next append, or found torn by the next opening.
      await this.#file.truncate(this.end).catch(() => undefined)
      throw error
    }
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #append(pieces: readonly Uint8Array[]): Promise<void> {
    const staging = this.#staging
    let at = this.end
    let staged = 0
    for (const piece of pieces) {
      for (let taken = 0; taken < piece.length; ) {
        const length = Math.min(piece.length - taken, staging.length - staged)
        staging.set(
          taken === 0 && length === piece.length ? piece : piece.subarray(taken, taken + length),
          staged,
        )
        taken += length
        staged += length
        if (staged === staging.length) {
          await this.#write(staged, at)
          at += staged
          staged = 0
        }
      }
    }
    const padded = inPages(staged)
    staging.fill(0, staged, padded)
    if (padded > 0) await this.#write(padded, at)
    await this.#sync()
    this.end = at + padded
  }

  #write(length: Bytes, at: Bytes): Promise<void> {
    const { fd } = this.#file
    const staging = this.#staging
    return new Promise((resolve, reject) => {
      const from = (done: Bytes): void => {
        write(fd, staging, done, length - done, at + done, (error, written) => {
          if (error) return reject(error)
          if (done + written === length) return resolve()
          // A short write may end off a page, where O_DIRECT cannot go on: begin again at the page's start.
          const whole = done + written - ((done + written) % PAGE_BYTES)
          return whole > done ? from(whole) : reject(new Fault("full", "less than a page fits"))
        })
      }
      from(0)
    })
  }

  #sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#file.fd, (error) => (error ? reject(error) : resolve()))
    })
  }
}

/** WebAssembly's memory begins at a page, which node's own buffers do not promise. */
export function alignedStaging(): Buffer {
  return Buffer.from(new PageMemory({ initial: STAGING_BYTES / 65_536 }).buffer)
}

// The library typings chosen for this project hold no WebAssembly.
const { Memory: PageMemory } = Reflect.get(globalThis, "WebAssembly") as {
  readonly Memory: new (pages: { initial: number }) => { readonly buffer: ArrayBuffer }
}

/** The zeros that fill up the last block of `bytes`. */
export function blockPadding(bytes: Bytes): Uint8Array {
  return ZEROS.subarray(0, inBlocks(bytes) - bytes)
}

export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const ZEROS = new Uint8Array(BLOCK_BYTES)

function inPages(bytes: Bytes): Bytes {
  return Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES
}

async function openDirect(path: string, flags: number): Promise<FileHandle> {
  const direct: number | undefined = constants.O_DIRECT
  if (direct !== undefined) {
    try {
      return await open(path, flags | direct, 0o600)
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EINVAL")) throw error
    }
  }
  return open(path, flags & ~constants.O_EXCL, 0o600)
}
