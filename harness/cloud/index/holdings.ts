import { unverified } from "../../../firmware/control/dsse.ts"
import { heartbeatShape, manifestShape } from "../../../firmware/control/protocol.ts"
import type { Beats } from "../beats.ts"
import type { Bucket } from "../bucket.ts"
import type { StoredObject } from "../bucket-index.ts"
import type { IndexDatabase } from "./database.ts"
import { type Holding, JoinGraph, type Path } from "./join-graph.ts"

/** What a cloud has after a run. */
export interface CloudDump {
  readonly database: IndexDatabase
  readonly bucket: Bucket
  readonly beats: Beats
  /** Lines by the log's name, each as it was written. */
  readonly logs: Readonly<Record<string, readonly string[]>>
  /** What was kept of each connection: credentials as they were presented, and who they made the client. */
  readonly sessions: readonly unknown[]
}

/** Every row, manifest, heartbeat, stored object, log line and session. */
export async function holdingsOf({
  database,
  bucket,
  beats,
  logs,
  sessions,
}: CloudDump): Promise<readonly Holding[]> {
  const holdings: Holding[] = []
  for (const { name, rows } of await database.tables())
    for (const record of rows) holdings.push({ source: `table ${name}`, record })
  for (const device of new Set([...bucket.devices(), ...bucket.mailboxes()])) {
    for (const manifest of bucket.manifests(device)) {
      const envelope = await bucket.envelopeBytes(manifest)
      holdings.push({ source: "manifest", record: unverified(envelope, manifestShape) })
      holdings.push({ source: "manifest", record: envelope })
    }
    for (const object of bucket.objectsOf(device)) holdings.push({ source: "bucket", record: facts(object) })
    const beat = beats.envelope(device)
    if (beat) holdings.push({ source: "heartbeat", record: unverified(beat, heartbeatShape) })
  }
  for (const [log, lines] of Object.entries(logs))
    for (const line of lines) holdings.push({ source: log, record: line })
  for (const record of sessions) holdings.push({ source: "session", record })
  return holdings
}

/** Where an object lies is the disk's business: a count of bytes. */
function facts({ device, id, headerHash, payloadHash }: StoredObject) {
  return { device, id, headerHash, payloadHash }
}

/** What the holdings name: everybody who has an account, and everything that was recorded. */
export function endsOf(holdings: readonly Holding[]): {
  readonly emails: readonly string[]
  readonly recordings: readonly string[]
} {
  const of = (source: string, ...columns: readonly string[]) =>
    holdings.flatMap((holding) => {
      const row = holding.record as Readonly<Record<string, unknown>>
      return holding.source === source ? columns.map((column) => String(row[column])) : []
    })
  return {
    emails: of("table accounts", "email"),
    recordings: [...of("table clip_objects", "device", "clip", "object"), ...of("bucket", "device", "id")],
  }
}

/** A way from an e-mail to a camera, a clip or an object (C3); null: there is none. */
export function pathFromAccountToClip(
  holdings: readonly Holding[],
  own: readonly string[] = [],
): Path | null {
  const { emails, recordings } = endsOf(holdings)
  return new JoinGraph(holdings, own).path(emails, recordings)
}
