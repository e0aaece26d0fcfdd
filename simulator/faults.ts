import type { Milliseconds } from "../firmware/units.ts"

/**
 * What can be wrong with the parts of a virtual board, as states that hold until they are changed. Parts read their
 * faults when they act, so a scenario ends a storm by handing over `noFaults`. What happens at one moment, a cut or a
 * power failure, is a method of the part: `FaultyDialler.cut()`, `MemoryDisk.cutPower()`.
 */
export interface Faults {
  readonly link: LinkFaults
  readonly disk: DiskFaults
  readonly lens: LensFaults
  readonly clock: ClockFaults
}

export interface LinkFaults {
  /** How likely a dial is refused, 0 to 1. */
  readonly refuse: number
  /** How long a byte is on its way, in each direction. */
  readonly latency: Milliseconds
  /** Added to the latency: anything up to it. Nothing overtakes. */
  readonly jitter: Milliseconds
  /** How likely a packet of 1,400 bytes is lost, 0 to 1. What TCP shows of it: all behind it waits for `lossStall`. */
  readonly loss: number
  readonly lossStall: Milliseconds
  /** How likely a loss ends the connection, 0 to 1. */
  readonly lossResets: number
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

export interface LensFaults {
  /** Pictures go by and nobody gets them. */
  readonly stalled: boolean
  /** Every call of `pieces` ends with a Fault "unavailable". */
  readonly dead: boolean
  /** The same bytes come in small pieces cut anywhere, as a pipe's reads may. */
  readonly split: boolean
}

export interface ClockFaults {
  /** How far real time is ahead of the truth; negative: behind. */
  readonly skew: Milliseconds
  /** What the camera believes of its own error. `Infinity`: no NTP answer yet. */
  readonly uncertainty: Milliseconds
}

export const noFaults: Faults = {
  link: {
    refuse: 0,
    latency: 0,
    jitter: 0,
    loss: 0,
    lossStall: 0,
    lossResets: 0,
    bytesPerSecond: Infinity,
    stalled: false,
    cutsPerHour: 0,
    cutDuration: 0,
  },
  disk: { latency: 0, bytesPerSecond: Infinity, full: false, keptByCut: 0 },
  lens: { stalled: false, dead: false, split: false },
  clock: { skew: 0, uncertainty: 0 },
}

/** Some of what can be wrong, part by part. */
export type SomeFaults = { readonly [Part in keyof Faults]?: Partial<Faults[Part]> }

/** All of them at once: what delays adds up, the slowest limits, the most likely counts. */
export function together(all: Iterable<SomeFaults>): Faults {
  let { link, disk, lens, clock } = noFaults
  for (const some of all) {
    const more = {
      link: { ...noFaults.link, ...some.link },
      disk: { ...noFaults.disk, ...some.disk },
      lens: { ...noFaults.lens, ...some.lens },
      clock: { ...noFaults.clock, ...some.clock },
    }
    link = {
      refuse: Math.max(link.refuse, more.link.refuse),
      latency: link.latency + more.link.latency,
      jitter: link.jitter + more.link.jitter,
      loss: Math.max(link.loss, more.link.loss),
      lossStall: Math.max(link.lossStall, more.link.lossStall),
      lossResets: Math.max(link.lossResets, more.link.lossResets),
      bytesPerSecond: Math.min(link.bytesPerSecond, more.link.bytesPerSecond),
      stalled: link.stalled || more.link.stalled,
      cutsPerHour: link.cutsPerHour + more.link.cutsPerHour,
      cutDuration: Math.max(link.cutDuration, more.link.cutDuration),
    }
    disk = {
      latency: disk.latency + more.disk.latency,
      bytesPerSecond: Math.min(disk.bytesPerSecond, more.disk.bytesPerSecond),
      full: disk.full || more.disk.full,
      keptByCut: Math.max(disk.keptByCut, more.disk.keptByCut),
    }
    lens = {
      stalled: lens.stalled || more.lens.stalled,
      dead: lens.dead || more.lens.dead,
      split: lens.split || more.lens.split,
    }
    clock = {
      skew: clock.skew + more.clock.skew,
      uncertainty: Math.max(clock.uncertainty, more.clock.uncertainty),
    }
  }
  return { link, disk, lens, clock }
}
