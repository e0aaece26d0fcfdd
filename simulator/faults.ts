import type { Milliseconds } from "../firmware/units.ts"

/**
 * What can be wrong with the parts of a virtual board, as states that hold until they are changed. Parts read their
 * faults when they act, so a scenario ends a storm by handing over `noFaults`. What happens at one moment, a cut or a
 * power failure, is a method of the part: `FaultyDialler.cut()`, `MemoryDisk.cutPower()`.
 */
export interface Faults {
  readonly link: LinkFaults
  readonly disk: DiskFaults
}

export interface LinkFaults {
  /** How likely a dial is refused, 0 to 1. */
  readonly refuse: number
  /** How long a byte is on its way, in each direction. */
  readonly latency: Milliseconds
  /** In each direction; `Infinity`: no limit. */
  readonly bytesPerSecond: number
  /** The connection stands, but nothing passes until this ends. */
  readonly stalled: boolean
  /** How often a connection is cut, on average, at random moments. */
  readonly cutsPerHour: number
  /** How long every dial is refused after a cut. */
  readonly cutDuration: Milliseconds
}

export interface DiskFaults {
  /** How long `put` and `remove` take at least. */
  readonly latency: Milliseconds
  /** How fast `put` writes; `Infinity`: at once. */
  readonly bytesPerSecond: number
  /** Every `put` finds the disk full. */
  readonly full: boolean
  /** How likely a `put` in flight at a power cut is there afterwards, whole, although nobody heard so; 0 to 1. */
  readonly keptByCut: number
}

export const noFaults: Faults = {
  link: {
    refuse: 0,
    latency: 0,
    bytesPerSecond: Infinity,
    stalled: false,
    cutsPerHour: 0,
    cutDuration: 0,
  },
  disk: { latency: 0, bytesPerSecond: Infinity, full: false, keptByCut: 0 },
}
