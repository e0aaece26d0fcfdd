import { Fault } from "../../firmware/errors.ts"
import {
  type Checkpoint,
  type LogIdentity,
  openCheckpoint,
  type SignedCheckpoint,
} from "../cloud/log/checkpoint.ts"
import { decodeCheckpointMessage, encodeCheckpointMessage } from "../cloud/log/checkpoint-message.ts"
import type { LogSource } from "../cloud/log/log-source.ts"
import { equal, provesConsistency } from "../cloud/log/merkle.ts"
import { formatNote } from "../cloud/log/note.ts"
import { consistencyProof, rootOf } from "../cloud/log/proofs.ts"
import { TiledTree } from "../cloud/log/tiles.ts"

/**
 * What another owner's checkpoint says beside ours. A log that shows two owners two histories has signed both; laid side
 * by side, the two notes convict it. The message travels sealed from owner to owner, for a cloud that carries it and
 * could change it would carry its own.
 *
 *   same     one tree
 *   older    ours continues theirs
 *   newer    theirs continues ours: the log shows them more; look again, and if it stays so, it withholds
 *   fork     neither continues the other; `notes` are the proof
 */
export type Compared =
  | { readonly outcome: "same" | "older" | "newer"; readonly theirs: Checkpoint }
  | { readonly outcome: "fork"; readonly theirs: Checkpoint; readonly notes: readonly [string, string] }

/**
 * `message`: as `exportCheckpoint` makes it, or a bare note.
 * Rejects, definite, with Fault "malformed"; "tampered": theirs is not signed by the log that we pinned, so it proves
 * nothing; "unavailable": the log does not show the tiles that would tell.
 */
export async function compareCheckpoints(
  message: Uint8Array,
  ours: SignedCheckpoint,
  log: LogIdentity,
  source: LogSource,
): Promise<Compared> {
  const { old, proof, note } = decodeCheckpointMessage(message)
  const theirs = openCheckpoint(note, log)
  const { origin, size, root } = theirs
  const head = { origin, size, root }
  const fork: Compared = { outcome: "fork", theirs: head, notes: [textOf(ours), textOf(theirs)] }
  if (size === ours.size) return equal(root, ours.root) ? { outcome: "same", theirs: head } : fork
  if (size < ours.size) {
    const tree = new TiledTree(source.tile, ours.size)
    const isOurs = provesConsistency(theirs, ours, await consistencyProof(tree, size, ours.size))
    if (isOurs) return { outcome: "older", theirs: head }
    // Tiles that do not even make our own root say nothing about theirs.
    if (equal(await rootOf(tree, ours.size), ours.root)) return fork
    throw new Fault(
      "unavailable",
      "the log's tiles do not make the root that it signed: nothing can be compared",
    )
  }
  if (old === ours.size && provesConsistency(ours, theirs, proof)) return { outcome: "newer", theirs: head }
  const tree = new TiledTree(source.tile, size)
  const isTheirs = provesConsistency(ours, theirs, await consistencyProof(tree, ours.size, size))
  if (isTheirs) return { outcome: "newer", theirs: head }
  if (equal(await rootOf(tree, ours.size), ours.root) || equal(await rootOf(tree, size), root)) return fork
  throw new Fault(
    "unavailable",
    "the log shows neither your tree nor theirs: ask them for an export --since your size, which brings the proof along",
  )
}

/** For another owner, or a witness, who has the tree of the first `since` entries. @throws Fault "usage": there are fewer. */
export async function exportCheckpoint(
  checkpoint: SignedCheckpoint,
  since: number | null,
  source: LogSource,
): Promise<Uint8Array> {
  const note = formatNote(checkpoint.note)
  if (since === null) return note
  if (since > checkpoint.size)
    throw new Fault("usage", `the log has ${checkpoint.size} entries, so it cannot continue ${since}`)
  const proof = await consistencyProof(new TiledTree(source.tile, checkpoint.size), since, checkpoint.size)
  return encodeCheckpointMessage({ old: since, proof, note })
}

function textOf({ note }: SignedCheckpoint): string {
  return Buffer.from(formatNote(note)).toString()
}
