import { randomBytes } from "node:crypto"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { SigningKey } from "../../../firmware/control/keys.ts"
import { signCheckpoint } from "./checkpoint.ts"
import { privateFolder, publicFolder, replaceFile, writeTiles } from "./log-disk.ts"
import { CHECKPOINT, writeState } from "./log-state.ts"
import { encodeMailboxEntry, type Mailboxes, type Tip } from "./mailboxes.ts"
import { type AccessRecord, commitmentOf, encodeRecord, SALT_BYTES } from "./records.ts"
import type { TileFile, TreeEdge } from "./tree-edge.ts"

/** From records to frames of the journal, and from the growing tree to what is shown of it. */

export interface Framed {
  readonly frame: Buffer
  readonly device: string
  readonly tip: Tip
  /** As `AccessLog.append` tells it. */
  readonly appended: { readonly index: number; readonly commitment: Uint8Array }
}

/** `records` as the entries from `first` on. The mailboxes of their devices are loaded. */
export function framesOf(
  records: readonly AccessRecord[],
  mailboxes: Mailboxes,
  first: number,
): readonly Framed[] {
  const salts = randomBytes(SALT_BYTES * records.length)
  const tips = new Map<string, Tip>()
  return records.map((record, i) => {
    const { device } = record
    const { count: number, last: previous } = tips.get(device) ?? mailboxes.tip(device)
    const bytes = encodeRecord({ number, previous, record })
    const salt = salts.subarray(i * SALT_BYTES, (i + 1) * SALT_BYTES)
    const index = first + i
    const frame = encodeMailboxEntry({ device, number, index, salt, record: bytes })
    const commitment = commitmentOf(salt, bytes)
    const tip = { count: number + 1, last: commitment.toString("hex") }
    tips.set(device, tip)
    return { frame, device, tip, appended: { index, commitment } }
  })
}

/**
 * Tiles and mailboxes, then the state that counts on them, then the signature over it. Returns the tiles that are full
 * now. Rejects with the file system's own error.
 */
export async function publishTree(
  {
    directory,
    origin,
    key,
  }: { readonly directory: string; readonly origin: string; readonly key: SigningKey },
  edge: TreeEdge,
  mailboxes: Mailboxes,
): Promise<readonly TileFile[]> {
  const { size, root } = edge
  const { full, partial } = edge.files
  await writeTiles(publicFolder(directory), [...full, ...partial])
  await mailboxes.flush()
  const shards = mailboxes.lengths
  const state = { format: 1, size, root: Buffer.from(root).toString("hex"), shards } as const
  await writeState(privateFolder(directory), state)
  edge.saved()
  const checkpoint = signCheckpoint({ origin, size, root }, key)
  await replaceFile(join(publicFolder(directory), CHECKPOINT), checkpoint, 0o644)
  return full
}

/** What stood for tiles before they were full. */
export async function removePartials(directory: string, full: readonly TileFile[]): Promise<void> {
  for (const { path } of full)
    await rm(join(publicFolder(directory), `${path}.p`), { recursive: true, force: true })
}
