import { type Bytes, KiB, MiB, type Milliseconds, type Seconds, seconds } from "../../firmware/units.ts"
import { type BenchProcess, withWorker } from "../bench/process.ts"
import { loadOf, type Slice, untilConnected } from "../bench/slice.ts"
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
  ...{ warmUp: 384 * MiB, busy: 512 * MiB, paced: 60 * MiB },
}
export const QUICK: Effort = {
  ...{ cameras: 10, rounds: 1, alone: 0.1 },
  ...{ warmUp: 8 * MiB, busy: 16 * MiB, paced: 4 * MiB },
}

/** All cameras together, while latency is measured: a fraction of what any variant can carry. */
export const PACED_BYTES_PER_SECOND: Bytes = 10 * MiB

const WORKER = new URL("./worker.ts", import.meta.url)

/**
 * Rounds over all variants, each round beginning with the next of them, so that none has the better place. Every sample
 * has fresh processes: none inherits a heap, and its peak of memory is its own.
 */
export async function measure(
  objectBytes: Bytes,
  effort: Effort,
  say: (line: string) => void,
): Promise<readonly Round[]> {
  const rounds: Round[] = []
  for (let round = 0; round < effort.rounds; round++) {
    const samples: Partial<Record<Variant, Sample>> = {}
    for (let turn = 0; turn < VARIANTS.length; turn++) {
      const variant = VARIANTS[(round + turn) % VARIANTS.length] ?? "plain"
      const sample = await sampleOf(variant, objectBytes, effort)
      samples[variant] = sample
      say(`round ${round + 1} of ${effort.rounds}, ${objectBytes / KiB} KiB, ${variant}: ${inWords(sample)}`)
    }
    const alone = await withWorker(WORKER, "alone", {}, (work) =>
      work.ask<Alone>("cost", { objectBytes, length: effort.alone }),
    )
    rounds.push({ ...(samples as Record<Variant, Sample>), alone })
  }
  return rounds
}

async function sampleOf(variant: Variant, objectBytes: Bytes, effort: Effort): Promise<Sample> {
  const { tls, sealed } = MADE_OF[variant]
  const { cameras } = effort
  return withWorker(WORKER, sealed ? "cloud" : "plain-cloud", { tls }, async (cloud) => {
    const at = await cloud.ask<{ port: number; identity: CloudIdentity }>("identity")
    const options = { cameras, objectBytes, ...at }
    return withWorker(WORKER, sealed ? "fleet" : "plain-fleet", options, async (fleet) => {
      await untilConnected(fleet, cameras)
      await loadOf(fleet, cloud, effort.warmUp / objectBytes)
      const busy = await loadOf(fleet, cloud, effort.busy / objectBytes)
      const latency = await latencyOf(fleet, cloud, objectBytes, effort)
      return { busy, latency, peak: { cameras: await fleet.peak(), broker: await cloud.peak() } }
    })
  })
}

async function latencyOf(
  fleet: BenchProcess,
  cloud: BenchProcess,
  objectBytes: Bytes,
  { cameras, paced }: Effort,
): Promise<Sample["latency"]> {
  const every = seconds((cameras * objectBytes) / PACED_BYTES_PER_SECOND)
  await fleet.ask("pace", every)
  const { latencies } = await loadOf(fleet, cloud, paced / objectBytes)
  const sorted = [...latencies].sort((a, b) => a - b)
  const percentile = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0
  return { p50: percentile(0.5), p95: percentile(0.95) }
}

function inWords({ busy, latency }: Sample): string {
  const perGB = (cost: Seconds) => (cost / (busy.bytes / 2 ** 30)).toFixed(2)
  return (
    `${(busy.bytes / 1e6 / busy.length).toFixed(0)} MB/s, CPU-s/GB cameras ${perGB(busy.cameras)} ` +
    `broker ${perGB(busy.broker)}, p50 ${latency.p50.toFixed(1)} ms`
  )
}
