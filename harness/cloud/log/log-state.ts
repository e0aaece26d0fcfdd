import { join } from "node:path"
import { z } from "zod"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { sha256 } from "../../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { type LogIdentity, openCheckpoint, type SignedCheckpoint } from "./checkpoint.ts"
import { readIfThere, replaceFile } from "./log-disk.ts"
import { encodeMailboxEntry, type Mailboxes, mailboxEntries, shardLengthsShape } from "./mailboxes.ts"
import { EMPTY_ROOT, equal } from "./merkle.ts"
import { rootOf } from "./proofs.ts"
import { commitmentOf } from "./records.ts"
import { decodeEntries, decodeHashes, TILE_WIDTH, TiledTree, tilePath, tileWidth } from "./tiles.ts"
import { TreeEdge } from "./tree-edge.ts"

/** How far everything but the journal is durable. Replaced as a whole; a checkpoint is signed only after it. */
const stateShape = z.strictObject({
  format: z.literal(1),
  size: z.int().min(0),
  root: sha256,
  shards: shardLengthsShape,
})
export type LogState = z.infer<typeof stateShape>

export const CHECKPOINT = "checkpoint"
const STATE = "state"
const STATE_BYTES_MAX = 20_000

/** null: there is no log yet. @throws Fault "malformed", definite. */
export async function readState(directory: string): Promise<LogState | null> {
  const bytes = await readIfThere(join(directory, STATE))
  return bytes && fromJson(bytes, stateShape, "access log state", STATE_BYTES_MAX)
}

export async function writeState(directory: string, state: LogState): Promise<void> {
  await replaceFile(join(directory, STATE), toJson(state), 0o600)
}

export const NO_STATE: LogState = { format: 1, size: 0, root: EMPTY_ROOT.toString("hex"), shards: {} }

/** The right edge of the tree as its tiles show it. @throws Fault "tampered", definite: not the tree of `state`. */
export async function readEdge(root: string, { size, root: expected }: LogState): Promise<TreeEdge> {
  const partial = async (level: number | "entries"): Promise<Uint8Array | null> => {
    const depth = level === "entries" ? 0 : level
    const number = Math.floor(size / TILE_WIDTH ** (depth + 1))
    const width = tileWidth(depth, number, size)
    if (width === 0) return null
    const bytes = await readIfThere(join(root, tilePath(level, number, width)))
    if (bytes) return bytes
    throw new Fault("tampered", `access log: ${tilePath(level, number, width)} is missing; restore it`)
  }
  try {
    const tiles: (readonly Uint8Array[])[] = []
    for (let level = 0; TILE_WIDTH ** level <= size; level++) {
      const bytes = await partial(level)
      tiles.push(
        bytes
          ? decodeHashes(bytes, tileWidth(level, Math.floor(size / TILE_WIDTH ** (level + 1)), size))
          : [],
      )
    }
    const bundle = await partial("entries")
    const entries = bundle ? decodeEntries(bundle, size % TILE_WIDTH) : []
    const edge = new TreeEdge(size, tiles, entries)
    if (Buffer.from(edge.root).toString("hex") === expected) return edge
  } catch (cause) {
    if (!isFault(cause, "malformed")) throw cause
  }
  throw new Fault("tampered", "access log: its tiles are not those it was closed with; restore them")
}

/**
 * The checkpoint that was published last; null where there is none.
 * @throws Fault "tampered" or "malformed", definite: not ours, or the log is no longer what it was signed for.
 */
export async function readPublished(
  root: string,
  state: LogState,
  identity: LogIdentity,
): Promise<SignedCheckpoint | null> {
  const bytes = await readIfThere(join(root, CHECKPOINT))
  if (bytes === null) return null
  const checkpoint = openCheckpoint(bytes, identity)
  if (checkpoint.size > state.size)
    throw new Fault(
      "tampered",
      `access log: ${checkpoint.size} entries were signed for, and ${state.size} are here; restore the others`,
    )
  const tree = new TiledTree((path) => readIfThere(join(root, path)), state.size)
  if (!equal(await rootOf(tree, checkpoint.size), checkpoint.root))
    throw new Fault("tampered", "access log: its tiles are not those that were signed; restore them")
  return checkpoint
}

/** What the journal holds beyond the state goes on at the edge. */
export async function replay(body: Uint8Array, edge: TreeEdge, mailboxes: Mailboxes): Promise<void> {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length)
  for (const entry of mailboxEntries(bytes)) {
    const { device, number, index, salt, record } = entry
    if (index < edge.size) continue
    await mailboxes.load(device)
    if (index !== edge.size || number !== mailboxes.tip(device).count)
      throw new Fault("tampered", `access log: the journal has entry ${index} where ${edge.size} belongs`)
    const commitment = commitmentOf(salt, record)
    edge.append(commitment)
    const tip = { count: number + 1, last: commitment.toString("hex") }
    mailboxes.add(device, encodeMailboxEntry(entry), tip)
  }
}
