import { writeFile } from "node:fs/promises"
import { Command } from "commander"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { MEASUREMENT_NAMES, type MeasurementName, parseNames, runBench } from "../bench/bench.ts"
import { tableOf } from "../bench/table.ts"
import { parsedBy } from "./options.ts"

interface BenchOptions {
  readonly json?: string
  readonly only?: readonly MeasurementName[]
  readonly quick?: boolean
}

const HELP = `
Rows: ${MEASUREMENT_NAMES.join(", ")}

All of them take about ten minutes and want the machine to themselves; seal and seal-sign want the command openssl.
Exit code 1 if a row misses its reach. What each row measures: harness/bench/README.md`

export function benchCommand(): Command {
  return new Command("bench")
    .description("measure speed and memory against their targets")
    .option("--json <file>", "also write the rows as JSON")
    .option("--only <names>", "only these rows: seal,mux", parsedBy(parseNames))
    .option("--quick", "everything small and once: shows that it runs, measures nothing worth quoting")
    .addHelpText("after", HELP)
    .action(async ({ json, only, quick }: BenchOptions) => {
      const say = (line: string) => console.error(line)
      const rows = await runBench(only ?? MEASUREMENT_NAMES, { quick: quick === true, say })
      console.log(tableOf(rows))
      console.log(rows[0]?.machine ?? "")
      if (quick) console.log("A quick run: these are no measurements.")
      if (json !== undefined) await writeJson(json, rows)
      if (rows.some(({ pass }) => !pass)) process.exitCode = 1
    })
}

async function writeJson(path: string, rows: unknown): Promise<void> {
  try {
    await writeFile(path, `${JSON.stringify(rows, null, 2)}\n`)
  } catch (cause) {
    throw new Fault("usage", `${path}: cannot be written (${messageOf(cause)}); choose another --json`, {
      cause,
    })
  }
}
