import { open } from "node:fs/promises"
import { Command, InvalidArgumentError } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, KiB } from "../../firmware/units.ts"
import { priceChart } from "../price/chart.ts"
import { pricePage } from "../price/page.ts"
import { runPrice } from "../price/price.ts"
import type { PriceReport } from "../price/report.ts"
import { priceText } from "../price/table.ts"
import { wholeNumber } from "./options.ts"

interface PriceCommandOptions {
  readonly json?: boolean
  readonly quick?: boolean
  readonly out?: string
  readonly rounds?: number
  readonly objectSize: readonly Bytes[]
  readonly bitrate: number
  readonly minutesPerDay: number
  readonly vcpuHour: number
  readonly gbMonth: number
}

const HELP = `
Four fleets that show the same footage: nothing, TLS, sealing, and both; each with a broker, in processes of their own,
in turn and repeated. "Nothing" lacks cipher, age header and signature alone: SHA-256, chain, padding and receipts stay.
Takes about a quarter of an hour and wants the machine to itself. Exit code 1 if sealing adds more than its reach; a quick run judges nothing, and ends with 0 if all of it worked.
How it is measured and what is estimated: harness/price/README.md`

export function priceCommand(): Command {
  return new Command("price")
    .description("measure what encryption costs: processor, bytes, latency, memory, money")
    .option("--json", "the report as JSON on standard output; all else goes to standard error")
    .option("--out <file>", "also write a chart (.svg), or a page with chart and tables (.html)")
    .option(
      "--quick",
      "everything small and once: shows that it runs, measures nothing worth quoting, judges nothing",
    )
    .option("--rounds <n>", "how often each variant is measured (default: 5)", wholeNumber(1, 100))
    .option("--object-size <KB>", "sizes of uploaded objects: 250,1000", parseSizes, parseSizes("250,1000"))
    .option("--bitrate <Mbit/s>", "of a camera, for a minute of clips and for a month", positive, 2)
    .option("--minutes-per-day <n>", "clips a camera records a day", positive, 60)
    .option("--vcpu-hour <dollars>", "price of a vCPU for an hour", positive, 0.04)
    .option("--gb-month <dollars>", "price of keeping a GB for a month", positive, 0.023)
    .addHelpText("after", HELP)
    .action(async (options: PriceCommandOptions) => {
      // Before the quarter of an hour, not after it.
      const write = options.out === undefined ? null : await openOutput(options.out)
      const report = await runPrice({
        objectBytes: options.objectSize,
        rounds: options.rounds ?? null,
        quick: options.quick === true,
        bitsPerSecond: options.bitrate * 1e6,
        minutesPerDay: options.minutesPerDay,
        dollarsPerVcpuHour: options.vcpuHour,
        dollarsPerGBMonth: options.gbMonth,
        say: (line) => console.error(line),
      })
      await write?.(report)
      console.log(options.json ? JSON.stringify(report, null, 2) : priceText(report))
      if (report.targets.some(({ pass }) => pass === false)) process.exitCode = 1
    })
}

const SIZE_KB = { least: 150, most: 1_000 }
const PADDING_STEP: Bytes = 32 * KiB

/** "250,1000", in KB of 1,000 bytes; each becomes the padding's step next below. */
function parseSizes(text: string): readonly Bytes[] {
  const parse = wholeNumber(SIZE_KB.least, SIZE_KB.most)
  return text.split(",").map((part) => Math.floor((parse(part.trim()) * 1_000) / PADDING_STEP) * PADDING_STEP)
}

function positive(text: string): number {
  const value = Number(text)
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0)
    throw new InvalidArgumentError("a number above 0 is wanted.")
  return value
}

async function openOutput(path: string): Promise<(report: PriceReport) => Promise<void>> {
  const render = path.endsWith(".svg") ? priceChart : path.endsWith(".html") ? pricePage : null
  if (render === null) throw new Fault("usage", `--out ${path}: name a file that ends in .svg or .html`)
  try {
    const file = await open(path, "w")
    return async (report) => {
      await file.writeFile(render(report))
      await file.close()
    }
  } catch (cause) {
    throw new Fault("usage", `--out ${path}: cannot be written (${messageOf(cause)}); name another file`, {
      cause,
    })
  }
}
