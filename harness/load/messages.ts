import type { ClipTally, SequenceRange } from "../../simulator/tally.ts"
import type { CloudStats } from "../cloud/cloud-log.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { FleetPlan } from "./plan.ts"

/** Everything that the processes of a load test say to each other. Any child may also say "failed", and is gone then. */

export interface Failed {
  readonly kind: "failed"
  readonly reason: string
}

/** Of a process, from "run" on. */
export interface Usage {
  readonly cpuSeconds: number
  /** The most it ever was. */
  readonly memoryMiB: number
}

export type ToCloud =
  | {
      readonly kind: "begin"
      readonly name: string
      readonly directory: string
      readonly keyFile: string
      readonly logFile: string
    }
  | { readonly kind: "run" }
  | { readonly kind: "close" }

export type FromCloud =
  | { readonly kind: "listening"; readonly port: number; readonly identity: CloudIdentity }
  | { readonly kind: "progress"; readonly bytes: number }
  | { readonly kind: "closed"; readonly usage: Usage; readonly stats: CloudStats }

export type ToCameras =
  | {
      readonly kind: "begin"
      readonly plan: FleetPlan
      /** Indexes of the fleet's cameras that are this process's: `from` included, `to` not. */
      readonly from: number
      readonly to: number
      readonly broker: string
      readonly logFile: string
    }
  | { readonly kind: "pair"; readonly index: number; readonly setupText: string }
  | { readonly kind: "run" }
  /** Nothing more happens before the cameras; they finish and the run ends. */
  | { readonly kind: "stop" }

export type FromCameras =
  | { readonly kind: "ready" }
  | { readonly kind: "paired"; readonly index: number; readonly ok: boolean }
  /** Pairings have ended and the first camera starts. */
  | { readonly kind: "running" }
  | ({ readonly kind: "progress" } & CameraProgress)
  | CamerasFinished

/** All that one process of cameras has to tell. */
export interface CamerasFinished {
  readonly kind: "finished"
  readonly cameras: readonly CameraResult[]
  readonly usage: Usage
  readonly lagP99Ms: number
  /** An HdrHistogram of microseconds, compressed, base64. */
  readonly latency: string
}

export interface CameraProgress {
  readonly connected: number
  readonly recorded: number
  readonly discarded: number
  readonly sealed: number
  readonly uploaded: number
  readonly received: number
  /** Since the last time. */
  readonly lagMs: number
}

/** What one camera says of itself when all is over. */
export interface CameraResult {
  readonly index: number
  readonly device: string | null
  readonly connects: number
  readonly settled: boolean
  /** Why its firmware ended too soon. */
  readonly fault: string | null
  readonly complaints: readonly string[]
  readonly clips: readonly ClipTally[]
  readonly received: readonly SequenceRange[]
  readonly dropped: readonly SequenceRange[]
}
