import { cpus } from "node:os"
import { Fault } from "../../firmware/errors.ts"
import { connects } from "./connects.ts"
import { cameraIdleCpu, cameraMemory } from "./idle.ts"
import { log } from "./log.ts"
import { mux } from "./mux.ts"
import { type BenchRow, type Finding, judged } from "./row.ts"
import { seal, sealMemory, sealSign, sealTypage } from "./seal.ts"
import { upload } from "./upload.ts"

export interface Bench {
  /** Everything smaller and once: shows that it runs, measures nothing worth quoting. */
  readonly quick: boolean
  /** One line of progress. */
  readonly say: (line: string) => void
}

/** By the name of its row; two of them find two numbers in one run. */
const MEASUREMENTS = {
  seal,
  "seal-sign": sealSign,
  "seal-typage": sealTypage,
  "seal-memory": sealMemory,
  mux,
  upload,
  connects,
  "camera-memory": cameraMemory,
  "camera-idle-cpu": cameraIdleCpu,
  log,
} satisfies Readonly<Record<string, (bench: Bench) => Promise<readonly Finding[]>>>

export type MeasurementName = keyof typeof MEASUREMENTS
export const MEASUREMENT_NAMES = Object.keys(MEASUREMENTS) as readonly MeasurementName[]

/** One after another, each with the machine to itself. */
export async function runBench(
  names: readonly MeasurementName[],
  bench: Bench,
): Promise<readonly BenchRow[]> {
  const machine = machineName()
  const rows: BenchRow[] = []
  for (const name of names) {
    bench.say(`${name} …`)
    for (const finding of await MEASUREMENTS[name](bench)) rows.push(judged(finding, machine))
  }
  return rows
}

/** "seal,mux" */
export function parseNames(text: string): readonly MeasurementName[] {
  return text.split(",").map((part) => {
    const name = MEASUREMENT_NAMES.find((each) => each === part.trim())
    if (name === undefined)
      throw new Fault("usage", `there is no row ${part.trim()}; there are ${MEASUREMENT_NAMES.join(", ")}`)
    return name
  })
}

export function machineName(): string {
  const all = cpus()
  const model = all[0]?.model.trim() ?? "unknown processor"
  return `${all.length} × ${model}, node ${process.version}, ${process.platform} ${process.arch}`
}
