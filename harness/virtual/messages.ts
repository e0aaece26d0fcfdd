import type { Bytes, Milliseconds } from "../../firmware/units.ts"
import type { VirtualJudgement } from "./judge-virtual.ts"
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
  readonly struck: { readonly power: number; readonly network: number }
  readonly sealedBytes: Bytes
  readonly memoryMiB: number
  readonly cpuSeconds: number
}
