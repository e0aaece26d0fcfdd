import { constants } from "node:fs"
import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import { z } from "zod"
import { Fault } from "../../../firmware/errors.ts"
import type { Bytes } from "../../../firmware/units.ts"
import { writeAll } from "./journal.ts"
import { readIfThere } from "./log-disk.ts"
import { commitmentOf, NO_RECORD, RECORD_BYTES_MAX, SALT_BYTES } from "./records.ts"

/**
 * What the log hands to the owner of a device: its records with salt and index. In 256 files by the first byte of the
 * device's id, each a row of frames:
 *
 *   frame := length u32 · device 20 · number u32 · index u64 · salt 32 · record, canonical JSON       all big-endian
 *
 * A file is long as the log's state says; what is behind was not finished, and comes again out of the journal.
 */
export interface MailboxEntry {
  readonly device: string
  /** Of the device's records, from 0. */
  readonly number: number
  /** Of the log's entries. */
  readonly index: number
  readonly salt: Uint8Array
  /** As it was hashed. */
  readonly record: Uint8Array
}

const HEAD_BYTES = 4 + 20 + 4 + 8 + SALT_BYTES

export function encodeMailboxEntry({ device, number, index, salt, record }: MailboxEntry): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + record.length)
  frame.writeUInt32BE(HEAD_BYTES - 4 + record.length, 0)
  frame.write(device, 4, "hex")
  frame.writeUInt32BE(number, 24)
  frame.writeBigUInt64BE(BigInt(index), 28)
  frame.set(salt, 36)
  frame.set(record, HEAD_BYTES)
  return frame
}

/** Frame by frame, up to one that is not whole. Returns where that one begins. */
export function* mailboxEntries(bytes: Buffer): Generator<MailboxEntry, Bytes> {
  let at: Bytes = 0
  while (at + HEAD_BYTES <= bytes.length) {
    const length = bytes.readUInt32BE(at)
    const end = at + 4 + length
    const index = bytes.readBigUInt64BE(at + 28)
    const isFrame = length >= HEAD_BYTES - 4 && length <= HEAD_BYTES - 4 + RECORD_BYTES_MAX
    if (!isFrame || end > bytes.length || index > BigInt(Number.MAX_SAFE_INTEGER)) return at
    yield {
      device: bytes.toString("hex", at + 4, at + 24),
      number: bytes.readUInt32BE(at + 24),
      index: Number(index),
      salt: bytes.subarray(at + 36, at + HEAD_BYTES),
      record: bytes.subarray(at + HEAD_BYTES, end),
    }
    at = end
  }
  return at
}

/** Where the records of a device stand: how many there are, and the commitment to the last. */
export interface Tip {
  readonly count: number
  readonly last: string
}

/** By shard, two hex digits. */
export const shardLengthsShape = z.record(z.string().regex(/^[0-9a-f]{2}$/), z.int().min(0))
export type ShardLengths = z.infer<typeof shardLengthsShape>

/** The mailboxes of a log that is being written. Tips are read with their shard when one of its devices is written to. */
export class Mailboxes {
  readonly #directory: string
  readonly #lengths: Map<string, Bytes>
  readonly #tips = new Map<string, Map<string, Tip>>()
  readonly #waiting = new Map<string, Buffer[]>()

  constructor(directory: string, lengths: ShardLengths) {
    this.#directory = directory
    this.#lengths = new Map(Object.entries(lengths))
  }

  get lengths(): ShardLengths {
    return Object.fromEntries([...this.#lengths].sort())
  }

  /** @throws Fault "tampered", definite: a shard is shorter than the state says, or holds no frames. */
  async load(device: string): Promise<void> {
    const shard = shardOf(device)
    if (this.#tips.has(shard)) return
    const length = this.#lengths.get(shard) ?? 0
    const bytes = (await readIfThere(join(this.#directory, shard))) ?? Buffer.alloc(0)
    const tips = new Map<string, Tip>()
    const entries = mailboxEntries(bytes.subarray(0, length))
    for (;;) {
      const next = entries.next()
      if (!next.done) {
        const { device: of, number, salt, record } = next.value
        tips.set(of, { count: number + 1, last: commitmentOf(salt, record).toString("hex") })
      } else if (next.value === length) break
      else throw new Fault("tampered", `access log: mailboxes ${shard} are damaged at byte ${next.value}`)
    }
    this.#tips.set(shard, tips)
  }

  /** After `load`. */
  tip(device: string): Tip {
    return this.#tips.get(shardOf(device))?.get(device) ?? { count: 0, last: NO_RECORD }
  }

  /** After `load`. Durable after the next `flush`. */
  add(device: string, frame: Buffer, tip: Tip): void {
    const shard = shardOf(device)
    this.#tips.get(shard)?.set(device, tip)
    const waiting = this.#waiting.get(shard)
    if (waiting) waiting.push(frame)
    else this.#waiting.set(shard, [frame])
  }

  /** Rejects with the file system's own error; what waits then goes on waiting. */
  async flush(): Promise<void> {
    for (const [shard, frames] of [...this.#waiting]) {
      const bytes = Buffer.concat(frames)
      const length = this.#lengths.get(shard) ?? 0
      await appendAt(join(this.#directory, shard), bytes, length)
      this.#lengths.set(shard, length + bytes.length)
      this.#waiting.delete(shard)
    }
  }
}

/** All that lies here for `device`, in the order of writing, also what no checkpoint covers yet. */
export async function readMailbox(directory: string, device: string): Promise<readonly MailboxEntry[]> {
  const bytes = (await readIfThere(join(directory, shardOf(device)))) ?? Buffer.alloc(0)
  return [...mailboxEntries(bytes)].filter((entry) => entry.device === device)
}

async function appendAt(path: string, bytes: Uint8Array, at: Bytes): Promise<void> {
  const file: FileHandle = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600)
  try {
    await file.truncate(at)
    await writeAll(file, bytes, at)
    await file.datasync()
  } finally {
    await file.close()
  }
}

function shardOf(device: string): string {
  return device.slice(0, 2)
}
