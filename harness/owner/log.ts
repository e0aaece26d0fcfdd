import { Fault } from "../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../firmware/units.ts"
import { type LogIdentity, openCheckpoint, type SignedCheckpoint } from "../cloud/log/checkpoint.ts"
import type { LogSource } from "../cloud/log/log-source.ts"
import { leafHash, provesConsistency, provesInclusion } from "../cloud/log/merkle.ts"
import { formatNote } from "../cloud/log/note.ts"
import { consistencyProof, inclusionProof } from "../cloud/log/proofs.ts"
import { type AccessRecord, traceOf } from "../cloud/log/records.ts"
import { TiledTree } from "../cloud/log/tiles.ts"
import { dateOf, type LogAlert, LogAlerts } from "./log-alerts.ts"
import type { SeenLog, SeenTip } from "./log-memory.ts"
import { type FoundRecord, readRecords } from "./log-records.ts"

/**
 * The access log as an owner sees it through a cloud that is not trusted: is it signed with the key pinned at pairing,
 * does it continue what this owner saw last, and are this owner's records in it, all of them and unchanged?
 *
 * What the cloud never wrote down is not in it. For the forced kinds the owner has the same facts from elsewhere
 * (`ForcedTrace`), and each must have its record; of the others the cloud's word is all there is.
 */
export interface LogView {
  readonly checkpoint: SignedCheckpoint
  /** Size of the tree that this owner saw before; null: never looked. */
  readonly continues: { readonly size: number; readonly at: UnixMilliseconds } | null
  /** By device, in the order of their numbers: what was proven to be in the log. */
  readonly records: ReadonlyMap<string, readonly AccessRecord[]>
  readonly alerts: readonly LogAlert[]
  /** Records that lie ready and that no checkpoint covers yet: within seconds one does. */
  readonly pending: number
  /**
   * To be remembered until the next look. After a rollback or a fork what was remembered before stays, and so does what
   * was known of a camera whose records are not in order: what is wrong is told again at each look.
   */
  readonly seen: SeenLog | null
}

/** A fact that must have left exactly one record: signed by the camera or by the owner, and known without the cloud. */
export interface ForcedTrace {
  readonly device: string
  /** As `traceOf` says it. */
  readonly trace: string
}

export interface LogLook {
  readonly log: LogIdentity
  readonly devices: readonly string[]
  /** null: never looked. */
  readonly before: SeenLog | null
  readonly traces: readonly ForcedTrace[]
  readonly now: UnixMilliseconds
}

/**
 * Rejects, definite, with Fault "tampered" or "malformed" where nothing can be believed: no checkpoint, or none that
 * the pinned key has signed. All else is an alert.
 */
export async function readLog(source: LogSource, look: LogLook): Promise<LogView> {
  const { log, devices, before, now } = look
  const bytes = await source.checkpoint()
  if (bytes === null)
    throw before
      ? new Fault("tampered", `rolled back: the log that was there on ${dateOf(before.at)} is gone`)
      : new Fault("tampered", "there is no log: the cloud keeps none, or withholds it")
  const checkpoint = openCheckpoint(bytes, log)
  const tree = new TiledTree(source.tile, checkpoint.size)
  const alerts = new LogAlerts()
  const earlier = before && openCheckpoint(Buffer.from(before.checkpoint), log)
  const goesOn = earlier === null || (await alerts.reading(null, () => continues(tree, earlier, checkpoint)))
  if (before && earlier && goesOn === false) alerts.add(headAlert(earlier, checkpoint, before.at))

  const records = new Map<string, readonly AccessRecord[]>()
  const tips: Record<string, SeenTip> = { ...before?.cameras }
  let pending = 0
  for (const device of devices) {
    const all = await source.mailbox(device)
    const covered = all.filter(({ index }) => index < checkpoint.size)
    pending += all.length - covered.length
    const found = readRecords(covered, device, before?.cameras[device] ?? null, alerts)
    const proven: FoundRecord[] = []
    for (const each of found) {
      const holds = await alerts.reading(device, () => isIncluded(tree, checkpoint, each))
      if (holds) proven.push(each)
      else if (holds === false) alerts.add({ kind: "changed", device, number: each.number })
    }
    records.set(
      device,
      proven.map(({ record }) => record),
    )
    const waiting = readRecords(all, device, null, new LogAlerts()).filter(
      ({ index }) => index >= checkpoint.size,
    )
    checkTraces(device, { proven, waiting }, look.traces, alerts)
    const last = found.at(-1)
    if (last && !alerts.concern(device))
      tips[device] = { count: last.number + 1, last: last.commitment.toString("hex") }
  }
  const note = Buffer.from(formatNote(checkpoint.note)).toString()
  return {
    checkpoint,
    continues: earlier && before && { size: earlier.size, at: before.at },
    records,
    alerts: alerts.all,
    pending,
    seen: goesOn !== true ? before : { checkpoint: note, at: now, cameras: tips },
  }
}

/** @throws Fault "malformed" or "unavailable", definite: tiles that are none, or missing. */
async function continues(
  tree: TiledTree,
  earlier: SignedCheckpoint,
  now: SignedCheckpoint,
): Promise<boolean> {
  if (earlier.size > now.size) return false
  return provesConsistency(earlier, now, await consistencyProof(tree, earlier.size, now.size))
}

async function isIncluded(
  tree: TiledTree,
  { size, root }: SignedCheckpoint,
  { index, commitment }: FoundRecord,
): Promise<boolean> {
  const proof = await inclusionProof(tree, index, size)
  return provesInclusion({ index, size }, leafHash(commitment), proof, root)
}

function headAlert(earlier: SignedCheckpoint, now: SignedCheckpoint, at: UnixMilliseconds): LogAlert {
  if (now.size < earlier.size) return { kind: "rolled back", size: now.size, before: earlier.size, at }
  return { kind: "forked", size: now.size, before: earlier.size, at }
}

/** Exactly one record for each trace, and none of a forced kind twice. One that waits for its checkpoint is not missing. */
function checkTraces(
  device: string,
  { proven, waiting }: Readonly<Record<"proven" | "waiting", readonly FoundRecord[]>>,
  traces: readonly ForcedTrace[],
  alerts: LogAlerts,
): void {
  const tracesIn = (found: readonly FoundRecord[]) => found.flatMap(({ record }) => traceOf(record) ?? [])
  const logged = tracesIn(proven)
  const known = new Set([...logged, ...tracesIn(waiting)])
  for (const trace of new Set(logged.filter((each, i) => logged.indexOf(each) !== i)))
    alerts.add({ kind: "twice", device, trace })
  for (const { trace } of traces.filter((each) => each.device === device))
    if (!known.has(trace)) alerts.add({ kind: "not logged", device, trace })
}
