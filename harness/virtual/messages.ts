import type { Bytes, Milliseconds } from "../../firmware/units.ts"
import type { VirtualJudgement } from "./judge-virtual.ts"
import type { RecognitionCounts } from "./recognition-tally.ts"
import type { VirtualFleetOptions } from "./virtual-fleet.ts"

/** What `run-virtual.ts` and its processes say to each other. */

/** The part of a fleet's options that can be sent. */
export type FleetPart = Omit<VirtualFleetOptions, "onEvents" | "onProgress">

export type ToVirtual = { readonly kind: "run"; readonly options: FleetPart }

export type FromVirtual =
  | { readonly kind: "progress"; readonly at: Milliseconds }
  /** Lines of the event log, in order. */
  | { readonly kind: "events"; readonly lines: string }
  | PartFinished

export interface PartFinished {
  readonly kind: "finished"
  readonly judgement: VirtualJudgement
  readonly passed: Milliseconds
  /** null: nothing in it says how well anything was recognised. */
  readonly recognition: RecognitionCounts | null
  /** Clips in which cameras saw nobody. */
  readonly discarded: number
  readonly struck: { readonly power: number; readonly network: number }
  readonly sealedBytes: Bytes
  readonly memoryMiB: number
  readonly cpuSeconds: number
}
