import type { PairingRecord } from "../../firmware/control/ownership.ts"
import type { Bytes } from "../../firmware/units.ts"
import type { ClipTally, SequenceRange } from "../../simulator/tally.ts"
import type { ClientAuthorityFiles } from "../cloud/client-authority.ts"
import type { CloudStats } from "../cloud/cloud-log.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { SecondSeen } from "./cpu-split.ts"
import type { BucketFaults } from "./faulty-bucket.ts"
import type { FleetPlan } from "./plan.ts"
import type { ReadyTarget } from "./target.ts"

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
  /** Which part of its busy time went into sealing, or into ingest; null until the process ends, or never busy. */
  readonly share: number | null
}

export type ToCloud =
  | {
      readonly kind: "begin"
      readonly name: string
      /** 0: any free one. */
      readonly port: number
      readonly directory: string
      readonly keyFile: string
      readonly logFile: string
      readonly seed: number
      readonly target: ReadyTarget
    }
  | { readonly kind: "run" }
  | { readonly kind: "faults"; readonly faults: BucketFaults }
  /** At a broker that is not ours: whose messages are this run's. Until then nobody's. */
  | { readonly kind: "admit"; readonly devices: readonly string[] }
  | { readonly kind: "close" }

export type FromCloud =
  | { readonly kind: "listening"; readonly port: number; readonly identity: CloudIdentity }
  | ({ readonly kind: "progress" } & CloudProgress)
  | {
      readonly kind: "closed"
      /** Of its ingest. */
      readonly seen: readonly SecondSeen[]
      readonly usage: Usage
      readonly stats: CloudStats
    }

export interface CloudProgress {
  /** Made durable since this process began. */
  readonly bytes: Bytes
  readonly usage: Usage
  /** Now. */
  readonly memoryMiB: number
}

export type ToCameras =
  | {
      readonly kind: "begin"
      readonly plan: FleetPlan
      /** Indexes of the fleet's cameras that are this process's: `from` included, `to` not. */
      readonly from: number
      readonly to: number
      readonly broker: string
      /** Who vouches for cameras at a broker that wants their certificates. */
      readonly clients: ClientAuthorityFiles | null
      readonly logFile: string
    }
  | { readonly kind: "identify" }
  | { readonly kind: "pair"; readonly index: number; readonly setupText: string }
  /** Instead of pairing: who owns which camera. */
  | { readonly kind: "own"; readonly records: readonly (readonly [index: number, record: PairingRecord])[] }
  /** `startAt`: milliseconds since 1970, the first camera's start; null: at once. */
  | { readonly kind: "run"; readonly startAt: number | null }
  /** Nothing more happens before the cameras; they finish and the run ends. */
  | { readonly kind: "stop" }

export type FromCameras =
  | { readonly kind: "ready" }
  /** Public keys of its cameras, for owners made beforehand. */
  | { readonly kind: "devices"; readonly keys: readonly (readonly [index: number, hex: string])[] }
  | { readonly kind: "owned" }
  | { readonly kind: "paired"; readonly index: number; readonly ok: boolean }
  /** Pairings have ended and the first camera starts. */
  /** `origin`: when its monotonic clock was 0, milliseconds since 1970: a viewer elsewhere can tell how old a picture is. */
  | { readonly kind: "running"; readonly origin: number }
  | ({ readonly kind: "progress" } & CameraProgress)
  /** Nothing more happens before the cameras: the final phase. */
  | { readonly kind: "quiet" }
  | CamerasFinished

/** All that one process of cameras has to tell. */
export interface CamerasFinished {
  readonly kind: "finished"
  readonly cameras: readonly CameraResult[]
  readonly usage: Usage
  /** Of its sealing. */
  readonly seen: readonly SecondSeen[]
  readonly strangersLetIn: number
  /** Seconds from quiet to every spool being empty, or to giving up. */
  readonly recoverySeconds: number
  /** Resident memory when all were connected and nothing had moved, less what it was before there were cameras; null: something had. */
  readonly idleMiB: number | null
  readonly times: TimesTold
}

/** HdrHistograms of microseconds, compressed, base64. */
export interface TimesTold {
  readonly receipt: string
  readonly alert: string
  readonly connect: string
  readonly backOff: string
  readonly lag: string
}

/** How a process of cameras stands. Counts are from the run's start. */
export interface CameraProgress {
  readonly connected: number
  readonly recorded: number
  readonly discarded: number
  readonly sealed: number
  readonly uploaded: number
  readonly received: number
  /** Objects on the cameras' disks, now. */
  readonly waiting: number
  readonly connects: number
  readonly dials: number
  readonly disconnects: number
  readonly usage: Usage
  /** Now. */
  readonly memoryMiB: number
  /** Since the last time. */
  readonly lagMs: number
  readonly receiptP50Ms: number | null
  readonly receiptP95Ms: number | null
  readonly alertP95Ms: number | null
  /** Of the whole run so far. */
  readonly times: TimesTold
}

/** What one camera says of itself when all is over. */
export interface CameraResult {
  readonly index: number
  readonly device: string | null
  readonly connects: number
  readonly connected: boolean
  readonly settled: boolean
  /** Why its firmware ended too soon. */
  readonly fault: string | null
  /** What it said that no fault explains, word for word, and how many such lines came after those. */
  readonly complaints: readonly string[]
  readonly moreComplaints: number
  readonly clips: readonly ClipTally[]
  readonly received: readonly SequenceRange[]
  readonly dropped: readonly SequenceRange[]
  readonly visits: number
  readonly missedVisits: number
  readonly disconnects: number
  readonly refusedUploads: number
  /** Groups of pictures that its lens did not give. */
  readonly missedGroups: readonly number[]
  /** Groups after which its lens died. */
  readonly tornGroups: readonly number[]
  /** Its longest and its typical way to a receipt. */
  readonly receiptP95Ms: number | null
}
