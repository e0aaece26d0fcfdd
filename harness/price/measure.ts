import { type Bytes, KiB, MiB, type Milliseconds, type Seconds, seconds } from "../../firmware/units.ts"
import { BenchProcess, withWorker } from "../bench/process.ts"
import { joined, loadOf, type Slice, untilConnected } from "../bench/slice.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { Alone } from "./alone-work.ts"

/** What is compared: the same fleet and footage four times over. */
export const VARIANTS = ["plain", "TLS", "sealing", "TLS + sealing"] as const
export type Variant = (typeof VARIANTS)[number]

const MADE_OF: Readonly<Record<Variant, { readonly tls: boolean; readonly sealed: boolean }>> = {
  plain: { tls: false, sealed: false },
  TLS: { tls: true, sealed: false },
  sealing: { tls: false, sealed: true },
  "TLS + sealing": { tls: true, sealed: true },
}

/** One variant, once, with a fleet and a broker in processes of their own. */
export interface Sample {
  /** Upload as fast as it goes: what it costs. */
  readonly busy: Slice
  /** Upload at a set pace: what it takes from listing to receipt. */
  readonly latency: { readonly p50: Milliseconds; readonly p95: Milliseconds }
  /** The most that was resident at any time. */
  readonly peak: { readonly cameras: Bytes; readonly broker: Bytes }
}
export type Round = Readonly<Record<Variant, Sample>> & { readonly alone: Alone }

export interface Effort {
  readonly cameras: number
  readonly rounds: number
  /** Plaintext to upload: before anything is measured, as fast as it goes, and at a set pace. */
  readonly warmUp: Bytes
  readonly busy: Bytes
  readonly paced: Bytes
  readonly alone: Seconds
}
export const FULL: Effort = {
  ...{ cameras: 100, rounds: 5, alone: 1 },
  ...{ warmUp: 256 * MiB, busy: 512 * MiB, paced: 60 * MiB },
}
export const QUICK: Effort = {
  ...{ cameras: 4, rounds: 1, alone: 0.1 },
  ...{ warmUp: 2 * MiB, busy: 6 * MiB, paced: 2 * MiB },
}

/** All cameras together, while latency is measured: a fraction of what any variant can carry. */
export const PACED_BYTES_PER_SECOND: Bytes = 10 * MiB

/** One is uploaded, one is made: a camera that keeps up, with a manifest for each object. */
const SEGMENTS_AHEAD = 2

/** Portions into which a round's work is cut. */
const TURNS = 4

const WORKER = new URL("./worker.ts", import.meta.url)

/**
 * Each round has fresh processes, so no variant inherits a heap and each peak of memory is its own. Within a round the
 * variants take turns in small portions: what else the machine does strikes all of them alike.
 */
export async function measure(
  objectBytes: Bytes,
  effort: Effort,
  say: (line: string) => void,
): Promise<readonly Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round < effort.rounds; round++) {
    const samples = await samplesOf(objectBytes, effort)
    for (const variant of VARIANTS)
      say(
        `round ${round + 1} of ${effort.rounds}, ${objectBytes / KiB} KiB, ${inWords(variant, samples[variant])}`,
      )
    const alone = await withWorker(WORKER, "alone", {}, (work) =>
      work.ask<Alone>("cost", { objectBytes, length: effort.alone }),
    )
    rounds.push({ ...samples, alone })
  }
  return rounds
}

async function samplesOf(objectBytes: Bytes, effort: Effort): Promise<Readonly<Record<Variant, Sample>>> {
  const started: BenchProcess[] = []
  const start = async (work: string, options: object) => {
    const process = await BenchProcess.start(work, options, WORKER)
    started.push(process)
    return process
  }
  try {
    const pairs: Pair[] = []
    for (const variant of VARIANTS) pairs.push(await startPair(variant, objectBytes, effort, start))
    for (const pair of pairs) await pair.load(effort.warmUp)
    for (let turn = 0; turn < TURNS; turn++)
      // Each turn begins with the next of them, so that none has the better place.
      for (const pair of [...pairs.slice(turn % pairs.length), ...pairs.slice(0, turn % pairs.length)]) {
        pair.busy.push(await pair.load(effort.busy / TURNS))
        pair.latencies.push(...(await pair.pacedLoad(effort.paced / TURNS)).latencies)
      }
    const samples: Partial<Record<Variant, Sample>> = {}
    for (const pair of pairs) samples[pair.variant] = await pair.sample()
    return samples as Record<Variant, Sample>
  } finally {
    for (const process of started.reverse()) await process.end()
  }
}

interface Pair {
  readonly variant: Variant
  readonly busy: Slice[]
  readonly latencies: Milliseconds[]
  /** Uploads so many bytes of plaintext as fast as it goes. */
  readonly load: (bytes: Bytes) => Promise<Slice>
  readonly pacedLoad: (bytes: Bytes) => Promise<Slice>
  readonly sample: () => Promise<Sample>
}

async function startPair(
  variant: Variant,
  objectBytes: Bytes,
  { cameras }: Effort,
  start: (work: string, options: object) => Promise<BenchProcess>,
): Promise<Pair> {
  const { tls, sealed } = MADE_OF[variant]
  const cloud = await start(sealed ? "cloud" : "plain-cloud", { tls })
  const at = await cloud.ask<{ port: number; identity: CloudIdentity }>("identity")
  const fleet = await start(sealed ? "fleet" : "plain-fleet", {
    ...{ cameras, objectBytes, segmentsAhead: SEGMENTS_AHEAD },
    ...at,
  })
  await untilConnected(fleet, cameras)
  const load = (bytes: Bytes) => loadOf(fleet, cloud, Math.ceil(bytes / objectBytes))
  const busy: Slice[] = []
  const latencies: Milliseconds[] = []
  return {
    ...{ variant, busy, latencies, load },
    async pacedLoad(bytes) {
      await fleet.ask("pace", seconds((cameras * objectBytes) / PACED_BYTES_PER_SECOND))
      const slice = await load(bytes)
      await fleet.ask("pace", null)
      return slice
    },
    sample: async () => ({
      busy: busy.reduce(joined),
      latency: { p50: percentile(latencies, 0.5), p95: percentile(latencies, 0.95) },
      peak: { cameras: await fleet.peak(), broker: await cloud.peak() },
    }),
  }
}

function percentile(values: readonly Milliseconds[], share: number): Milliseconds {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

function inWords(variant: Variant, { busy, latency }: Sample): string {
  const perGB = (cost: Seconds) => (cost / (busy.bytes / 2 ** 30)).toFixed(2)
  return (
    `${variant}: ${(busy.bytes / 1e6 / busy.length).toFixed(0)} MB/s, CPU-s/GB cameras ${perGB(busy.cameras)} ` +
    `broker ${perGB(busy.broker)}, p50 ${latency.p50.toFixed(1)} ms`
  )
}
