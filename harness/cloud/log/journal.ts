import { constants } from "node:fs"
import { type FileHandle, open, readdir, unlink } from "node:fs/promises"
import { join } from "node:path"
import { Fault } from "../../../firmware/errors.ts"
import type { Bytes } from "../../../firmware/units.ts"
import { syncDirectory } from "../bucket-volume.ts"
import { readIfThere } from "./log-disk.ts"
import { sha256 } from "./merkle.ts"

/**
 * Where appends become durable: groups, one after another, each written and synced before the next begins.
 *
 *   group := "OLG1" · length u32 big-endian · SHA-256(first index u64 · position u64 · body) · body
 *
 * The file's name is the index of its first entry. A crash may leave the last group torn, and no other: bytes that are
 * no group, with a whole group after them, are damage to what was durable, and are never skipped.
 */
const MAGIC = Buffer.from("OLG1")
const HEAD_BYTES = 4 + 4 + 32
const GROUP_BYTES_MAX: Bytes = 64 * 1024 * 1024
const NAME = /^journal-(\d{16})$/

export class Journal {
  readonly #file: FileHandle
  readonly #first: number
  #end: Bytes
  #failed: unknown = null

  private constructor(file: FileHandle, first: number, end: Bytes) {
    this.#file = file
    this.#first = first
    this.#end = end
  }

  /** A new one for the entries from `first` on, in place of whatever bore its name. */
  static async create(directory: string, first: number): Promise<Journal> {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC
    const file = await open(join(directory, journalName(first)), flags, 0o600)
    try {
      await syncDirectory(directory)
      return new Journal(file, first, 0)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /**
   * Resolves when `body` is durable. After a sync that failed nobody knows what is on the disk: then it takes no more.
   * Rejects with the file system's own error.
   */
  async append(body: Uint8Array): Promise<void> {
    if (this.#failed !== null) throw this.#failed
    const head = headOf(body, this.#first, this.#end)
    try {
      await writeAll(this.#file, Buffer.concat([head, body]), this.#end)
    } catch (error) {
      await this.#cutBack(error)
      throw error
    }
    try {
      await this.#file.datasync()
    } catch (error) {
      this.#failed = error
      throw error
    }
    this.#end += head.length + body.length
  }

  /** Whether what was appended last is on the disk is not known. */
  get failed(): boolean {
    return this.#failed !== null
  }

  async close(): Promise<void> {
    await this.#file.close()
  }

  async #cutBack(error: unknown): Promise<void> {
    try {
      await this.#file.truncate(this.#end)
      await this.#file.datasync()
    } catch {
      this.#failed = error
    }
  }
}

/** The journals in a folder, by their first index. */
export async function journalsIn(directory: string): Promise<readonly number[]> {
  const names = await readdir(directory)
  return names
    .flatMap((name) => NAME.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b)
}

export async function removeJournal(directory: string, first: number): Promise<void> {
  await unlink(join(directory, journalName(first)))
}

/**
 * The bodies of a journal's groups, in order. A torn last group is left out.
 * @throws Fault "tampered", definite: damage before a whole group.
 */
export async function readJournal(directory: string, first: number): Promise<readonly Uint8Array[]> {
  const bytes = (await readIfThere(join(directory, journalName(first)))) ?? Buffer.alloc(0)
  const bodies: Uint8Array[] = []
  let at: Bytes = 0
  for (let body = groupAt(bytes, at, first); body !== null; body = groupAt(bytes, at, first)) {
    bodies.push(body)
    at += HEAD_BYTES + body.length
  }
  for (let later = bytes.indexOf(MAGIC, at + 1); later >= 0; later = bytes.indexOf(MAGIC, later + 1))
    if (groupAt(bytes, later, first) !== null)
      throw new Fault(
        "tampered",
        `access log: ${journalName(first)} is damaged at byte ${at}, before entries that were durable; restore it, for the log may not go on without them`,
      )
  return bodies
}

/** null: no whole group begins there. */
function groupAt(bytes: Buffer, at: Bytes, first: number): Buffer | null {
  if (at + HEAD_BYTES > bytes.length || !bytes.subarray(at, at + 4).equals(MAGIC)) return null
  const length = bytes.readUInt32BE(at + 4)
  const end = at + HEAD_BYTES + length
  if (length > GROUP_BYTES_MAX || end > bytes.length) return null
  const body = bytes.subarray(at + HEAD_BYTES, end)
  return headOf(body, first, at).equals(bytes.subarray(at, at + HEAD_BYTES)) ? body : null
}

function headOf(body: Uint8Array, first: number, at: Bytes): Buffer {
  const place = Buffer.alloc(16)
  place.writeBigUInt64BE(BigInt(first), 0)
  place.writeBigUInt64BE(BigInt(at), 8)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  return Buffer.concat([MAGIC, length, sha256(Buffer.concat([place, body]))])
}

export async function writeAll(file: FileHandle, bytes: Uint8Array, at: Bytes): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done)
    done += bytesWritten
  }
}

function journalName(first: number): string {
  return `journal-${String(first).padStart(16, "0")}`
}
