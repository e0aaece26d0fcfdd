import { type Bytes, KiB, MiB, type Seconds } from "../../firmware/units.ts"
import { DESCRIPTORS_BESIDE } from "./precheck.ts"

/** What a machine has that a fleet needs. */
export interface Machine {
  readonly cores: number
  /** Files that one process may open. */
  readonly descriptors: number
  /** Free for us, whatever limits this process is under. */
  readonly memoryBytes: Bytes
  /** Where the run's folder will be. */
  readonly diskBytes: Bytes
  readonly speed: Speed
}

/** In a second of one core's time. */
export interface Speed {
  readonly sealedBytes: Bytes
  /** Signatures made and verified. */
  readonly signed: number
}

/** What a scenario asks of it; of a shard: its part. */
export interface Demand {
  readonly cameras: number
  /** Before how many of them anything happens. */
  readonly recording: number
  readonly seconds: Seconds
  /** Sealed, in the whole run. */
  readonly sealedBytes: Bytes
  /** Within this all have been started. */
  readonly startWithin: Seconds
}

export type ResourceName = "descriptors" | "memory" | "processor" | "cloud's core" | "disk"

export interface Resource {
  readonly name: ResourceName
  readonly has: number
  readonly needs: number
  readonly unit: "files" | "MiB" | "cores"
  /** Cameras of this scenario that it is enough for. */
  readonly carries: number
  /** How to have more of it. */
  readonly raise: string
  /** Without enough of it a run cannot end well; of the others it only measures the machine. */
  readonly hard: boolean
}

/**
 * Measured with `obscura fleet --scenario steady` on two shared cores (Node 20), by differences between fleets of two
 * sizes, so that what is there once weighs on neither: 200 and 2,000 cameras of which two record, for idle ones; 20 and
 * 150 that all record at 1 Mbit/s, a visit each in ten seconds, for the others. Those that record were not kept up with,
 * so their memory holds what waited: on the safe side.
 */
export const COSTS = {
  /** Three processes, with code and footage. */
  baseBytes: 420 * MiB,
  /** Connected, with heartbeats: 101 KiB at its own side, 30 at the broker's. */
  idleBytes: 131 * KiB,
  /** On top of that, of one before which somebody comes by. */
  recordingBytes: 2_600 * KiB,
  /** Of one idle camera, as a part of a core: cameras' side and cloud's. */
  idleCores: { cameras: 0.00007, cloud: 0.00002 },
  /** CPU seconds of one connection with a verified token. */
  connect: { cameras: 0.0018, cloud: 0.0012 },
  /** CPU seconds for 2^30 bytes from the lens to the receipt. */
  perGB: { cameras: 11.7, cloud: 5.4 },
  /** What `measureSpeed` came to on the machine that all these were measured on. */
  speed: { sealedBytes: 1_900 * MiB, signed: 8_500 },
} as const

const GB = 2 ** 30

/** What this machine can carry of it, in the order in which a person would look. */
export function capacityOf(machine: Machine, demand: Demand): readonly Resource[] {
  const { cameras } = demand
  const { baseBytes, idleBytes, recordingBytes } = COSTS
  const memory = cameras * idleBytes + demand.recording * recordingBytes
  const [own, cloud] = [coresOf(machine, demand, "cameras"), coresOf(machine, demand, "cloud")]
  const disk = demand.sealedBytes * 1.2
  const fits = cameras + DESCRIPTORS_BESIDE <= machine.descriptors
  const rest = 50 * MiB
  return [
    {
      ...{ name: "descriptors", unit: "files", hard: true, has: machine.descriptors },
      needs: cameras + DESCRIPTORS_BESIDE,
      carries: carried(machine.descriptors - DESCRIPTORS_BESIDE, 1),
      // Where it is enough already, twice of it is more.
      raise: `ulimit -n ${Math.max(cameras + DESCRIPTORS_BESIDE, fits ? 2 * machine.descriptors : 0)}`,
    },
    {
      ...{ name: "memory", unit: "MiB", hard: true, has: machine.memoryBytes / MiB },
      needs: (baseBytes + memory) / MiB,
      carries: carried(machine.memoryBytes - baseBytes, memory / cameras),
      raise: "a machine with more memory, a smaller fleet.recording, or --shard on several machines",
    },
    {
      ...{ name: "processor", unit: "cores", hard: false, has: machine.cores },
      needs: own + cloud,
      carries: carried(machine.cores, (own + cloud) / cameras),
      raise: "more cores, fewer visits, a lower fleet.bitsPerSecond, or --shard on several machines",
    },
    {
      ...{ name: "cloud's core", unit: "cores", hard: false, has: Math.min(1, machine.cores) },
      needs: cloud,
      carries: carried(Math.min(1, machine.cores), cloud / cameras),
      raise: "the embedded broker is one process: --shard, for every shard has a broker of its own",
    },
    {
      ...{ name: "disk", unit: "MiB", hard: true, has: machine.diskBytes / MiB },
      needs: (disk + rest) / MiB,
      carries: carried(machine.diskBytes - rest, disk / cameras),
      raise: "another disk with --out, or fewer --seconds",
    },
  ]
}

/** The one that runs out first. */
export function limiting(resources: readonly Resource[]): Resource {
  return resources.reduce((least, each) => (each.carries < least.carries ? each : least))
}

/** While they connect, or while they record, whichever is more. */
function coresOf({ speed }: Machine, demand: Demand, side: "cameras" | "cloud"): number {
  const { cameras, seconds, sealedBytes, startWithin } = demand
  const connecting = (cameras / Math.max(1, startWithin)) * COSTS.connect[side]
  const recording = (sealedBytes / GB / seconds) * COSTS.perGB[side]
  const idle = cameras * COSTS.idleCores[side]
  return Math.max(
    (connecting * COSTS.speed.signed) / speed.signed,
    ((recording + idle) * COSTS.speed.sealedBytes) / speed.sealedBytes,
  )
}

function carried(has: number, each: number): number {
  return Math.max(0, Math.floor(has / Math.max(each, Number.MIN_VALUE)))
}
