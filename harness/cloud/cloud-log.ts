import { type FaultKind, isFault, messageOf } from "../../firmware/errors.ts"

/** Why ingest did not take a message. */
export type Refusal =
  | "unknown key"
  | "oversize"
  | "malformed"
  | "bad signature"
  | "another device"
  | "not its owner"
  | "replayed"
  | "object id is taken"
  | "no such object"
  | "gap"
  | "beyond its object"
  | "wrong hash"
  | "no room in memory"
  | "more than the quota"
  | "no room for another camera"
  | "not logged"

/** Why the broker ended a connection, or did not let it begin. */
export type DoorRefusal =
  | "bad credentials"
  | "not a contentless will"
  | "foreign topic"
  | "retained"
  | "quality of service 2"
  | "oversize"
  | "not logged"

/** Every line the cloud writes: as closed as the camera's, for the same reason. */
export type CloudLine =
  | { readonly event: "listening"; readonly host: string; readonly port: number }
  | { readonly event: "closed" }
  | { readonly event: "connected"; readonly client: string; readonly role: string }
  | { readonly event: "disconnected"; readonly client: string }
  | { readonly event: "door refused"; readonly client: string; readonly reason: DoorRefusal }
  | {
      readonly event: "refused"
      readonly device: string
      readonly message: string
      readonly reason: Refusal
    }
  | { readonly event: "receipt"; readonly device: string; readonly from: number; readonly to: number }
  | { readonly event: "fork"; readonly device: string; readonly sequence: number }
  | { readonly event: "deleted"; readonly device: string; readonly objects: number }
  | {
      readonly event: "let go"
      readonly device: string
      readonly cause: "retention" | "quota"
      readonly objects: number
    }
  | { readonly event: "index away"; readonly reason: string }
  | { readonly event: "index back"; readonly waiting: number }
  | { readonly event: "bucket damaged"; readonly what: string }
  | {
      readonly event: "fault"
      readonly where: string
      readonly kind: FaultKind | "unknown"
      readonly reason: string
    }

export interface CloudLog {
  write(line: CloudLine): void
}

/** Counters since the start. `forks` and `wrongHashes` are alerts: neither happens to an honest, healthy camera. */
export interface CloudStats {
  /** Objects made durable, their bytes, and the receipts sent: repeats among them are counted in `repeats` too. */
  objects: number
  bytes: number
  receipts: number
  /** Manifests and chunks that were known already. */
  repeats: number
  refused: Partial<Record<Refusal | DoorRefusal, number>>
  forks: number
  wrongHashes: number
  storeFaults: number
  connects: number
  failedConnects: number
  /** Bytes of objects set aside for chunks to come, now. */
  pendingBytes: number
}

export function noStats(): CloudStats {
  return {
    objects: 0,
    bytes: 0,
    receipts: 0,
    repeats: 0,
    refused: {},
    forks: 0,
    wrongHashes: 0,
    storeFaults: 0,
    connects: 0,
    failedConnects: 0,
    pendingBytes: 0,
  }
}

export function countRefusal(stats: CloudStats, reason: Refusal | DoorRefusal): void {
  stats.refused[reason] = (stats.refused[reason] ?? 0) + 1
}

export function writeFault(log: CloudLog, where: string, error: unknown): void {
  const kind = isFault(error) ? error.kind : "unknown"
  log.write({ event: "fault", where, kind, reason: messageOf(error) })
}
