import { type BitsPerSecond, type Bytes, KiB } from "../../firmware/units.ts"
import { machineName } from "../bench/bench.ts"
import { median } from "../bench/row.ts"
import { addedSamples, compareSizes } from "./compare.ts"
import { SOURCES } from "./estimate.ts"
import { FULL, measure, QUICK, type Round } from "./measure.ts"
import { Model } from "./model.ts"
import { type PriceReport, quickRounds, type SizeReport } from "./report.ts"

export interface PriceOptions {
  /** Plaintext of an object with its padding, each a multiple of 32 KiB. At least one. */
  readonly objectBytes: readonly Bytes[]
  /** null: as many as the effort has. */
  readonly rounds: number | null
  readonly quick: boolean
  readonly bitsPerSecond: BitsPerSecond
  readonly minutesPerDay: number
  readonly dollarsPerVcpuHour: number
  readonly dollarsPerGBMonth: number
  readonly say: (line: string) => void
}

/** What sealing may add to plain at most, CPU seconds a GB; the sizes are the padding's steps next below 250 KB and 1 MB. */
const REACHES: readonly { readonly name: string; readonly objectBytes: Bytes; readonly reach: number }[] = [
  { name: "sealing-250KB", objectBytes: 224 * KiB, reach: 2.7 },
  { name: "sealing-1MB", objectBytes: 960 * KiB, reach: 1.5 },
]

export const MONTH_CAMERAS = 1_000

/** @throws Fault "broken" or "unavailable": a fleet went wrong, so there is nothing to compare. */
export async function runPrice(options: PriceOptions): Promise<PriceReport> {
  const { quick, bitsPerSecond, minutesPerDay, dollarsPerVcpuHour, dollarsPerGBMonth } = options
  const effort = quick ? QUICK : FULL
  const rounds = options.rounds ?? effort.rounds
  const measured: { readonly size: SizeReport; readonly rounds: readonly Round[] }[] = []
  for (const objectBytes of options.objectBytes) {
    const samples = await measure(objectBytes, { ...effort, rounds }, options.say)
    measured.push({ size: compareSizes(objectBytes, samples), rounds: samples })
  }
  const sizes = measured.map(({ size }) => size)
  const cipherBytesPerSecond = median(
    measured.flatMap((each) => each.rounds.map(({ alone }) => alone.cipherBytesPerSecond)),
  )
  const model = new Model(sizes, cipherBytesPerSecond)
  const prices = { dollarsPerVcpuHour, dollarsPerGBMonth }
  const use = { cameras: MONTH_CAMERAS, minutesPerDay, bitsPerSecond }
  const report = {
    schema: "obscura.price.v1" as const,
    machine: machineName(),
    quick,
    cameras: effort.cameras,
    rounds,
    sizes,
    targets: measured.flatMap((each) => targetsOf(each.size.objectBytes, each.rounds, quick)),
    clipMinute: { bitsPerSecond, lines: [...model.clipMinute(bitsPerSecond)] },
    shares: [...model.shares()],
    sources: [...SOURCES],
    month: { ...use, ...prices, lines: [...model.month(use, prices)] },
  }
  return { ...report, sentence: marked(sentenceOf(report, model), report) }
}

function targetsOf(objectBytes: Bytes, rounds: readonly Round[], quick: boolean): PriceReport["targets"] {
  const sealing = addedSamples(rounds, "sealing")
  return REACHES.filter((each) => each.objectBytes === objectBytes).map(({ name, reach }) => ({
    name,
    sealing: median(sealing),
    tls: median(addedSamples(rounds, "TLS")),
    reach,
    samples: sealing.length,
    pass: quick ? null : median(sealing) <= reach,
  }))
}

/** Whoever quotes the sentence alone quotes this too. */
function marked(sentence: string, { quick, rounds }: Pick<PriceReport, "quick" | "rounds">): string {
  if (!quick) return sentence
  return `Tried in ${quickRounds(rounds)}, not measured: ${sentence.replace(/^W/, "w")}`
}

function sentenceOf({ machine, month }: Pick<PriceReport, "machine" | "month">, model: Model): string {
  const { bitsPerSecond, minutesPerDay } = month
  const share = model.share(bitsPerSecond)
  const cents = (name: string) => {
    const dollars = month.lines.find((line) => line.name === name)?.dollars ?? 0
    return ((dollars * 100) / month.cameras).toPrecision(2)
  }
  const zero = share.estimates[0]
  return (
    `While a camera records at ${bitsPerSecond / 1e6} Mbit/s, sealing costs ${percent(share.sealingHere)} of a core ` +
    `of this machine (${machine.split(",")[0]}), an estimated ${percent(zero?.sealing ?? 0)} of a core of a ` +
    `${zero?.model}, and in the cloud ${cents("sealing")} cents per camera-month at ${minutesPerDay} minutes of clips ` +
    `a day, where padding costs ${cents("padding")} and TLS ${cents("TLS")}; TLS takes ${percent(share.tlsHere)} of a core.`
  )
}

export const percent = (value: number): string => `${value.toPrecision(2)} %`
