import type { Milliseconds, Seconds } from "../../firmware/units.ts"
import type { Bench } from "./bench.ts"
import { withProcess } from "./process.ts"
import type { Finding } from "./row.ts"

const ENTRIES = 1_000_000
const AT_ONCE = 4_096

/** An access log of a million entries: how fast it grows, how fast it proves, and what it weighs. Once. */
export async function log({ quick, say }: Bench): Promise<readonly Finding[]> {
  const count = quick ? 5_000 : ENTRIES
  return withProcess("log", {}, async (work) => {
    const took = await work.ask<Seconds>("append", { count, atOnce: AT_ONCE })
    const peak = await work.ask<number>("peak")
    say(`log ${(count / took).toFixed(0)} appends/s, at most ${(peak / 1e6).toFixed(0)} MB`)
    const alone = 500 / (await work.ask<Seconds>("append", { count: 500, atOnce: 1 }))
    const opened = await work.ask<Milliseconds>("reopen")
    say(`log ${alone.toFixed(0)} appends/s one after another; opened in ${opened.toFixed(0)} ms`)
    const inclusion = await work.ask<Milliseconds>("inclusion")
    const consistency = await work.ask<Milliseconds>("consistency")
    say(`log proofs in ${inclusion.toFixed(2)} and ${consistency.toFixed(2)} ms`)
    const look = await work.ask<{ records: number; took: Milliseconds }>("look")
    say(`log: an owner's look at ${look.records} records in ${look.took.toFixed(0)} ms`)
    const row = (name: string, unit: string, value: number, reach: number): Finding => ({
      name,
      unit,
      reach,
      better: unit === "/s" ? "higher" : "lower",
      ours: [value],
    })
    return [
      row("log", "/s", count / took, 10_000),
      row("log-alone", "/s", alone, 100),
      row("log-open", "ms", opened, 1_000),
      row("log-inclusion", "ms", inclusion, 10),
      row("log-consistency", "ms", consistency, 10),
      row("log-look", "ms", look.took, 1_000),
      row("log-memory", "MB", peak / 1e6, 400),
    ]
  })
}
