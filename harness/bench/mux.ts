import type { Bytes, Seconds } from "../../firmware/units.ts"
import type { Bench } from "./bench.ts"
import { withProcess } from "./process.ts"
import { bestOfTen, type Finding } from "./row.ts"

const MB = 1e6

/** Annex B to fragmented MP4, against merely copying the same bytes; by processor time. */
export async function mux({ quick, say }: Bench): Promise<readonly Finding[]> {
  const wanted: Bytes = (quick ? 5 : 100) * MB
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    const { muxed, copied } = await withProcess("mux", { bytes: wanted }, async (work) => {
      const bytes = await work.ask<Bytes>("bytes")
      const copied = bytes / MB / (await bestOfTen(() => work.ask<Seconds>("copy")))
      const muxed = bytes / MB / (await bestOfTen(() => work.ask<Seconds>("mux")))
      return { muxed, copied }
    })
    ours.push(muxed)
    theirs.push(copied)
    say(`mux ${muxed.toFixed(0)} MB/s, memcpy ${copied.toFixed(0)} MB/s`)
  }
  const against = { what: "memcpy into new memory", values: theirs }
  return [{ name: "mux", unit: "MB/s of CPU", reach: 0.7, better: "higher", ours, theirs: against }]
}
