import "./install.ts"
import { serve, usageFromNow } from "../load/child.ts"
import { judgeVirtual } from "./judge-virtual.ts"
import type { FromVirtual, ToVirtual } from "./messages.ts"
import { sumOfCounts } from "./recognition-tally.ts"
import { runVirtualFleet } from "./virtual-fleet.ts"

/** A fleet in virtual time, or a part of one, in a process whose time is replaced before anything else is loaded. */

serve<ToVirtual, FromVirtual>(async ({ options }, send) => {
  const usage = usageFromNow()
  let lines = ""
  const sendEvents = () => {
    if (lines !== "") send({ kind: "events", lines })
    lines = ""
  }
  const run = await runVirtualFleet({
    ...options,
    onEvents: (more) => {
      lines += more
    },
    onProgress: (at) => {
      sendEvents()
      send({ kind: "progress", at })
    },
  })
  sendEvents()
  const judgement = await judgeVirtual(run)
  const { passed, struck, cloud } = run
  const { memoryMiB, cpuSeconds } = usage()
  const counts = run.witnesses.map(({ recognition }) => recognition).filter((each) => each !== null)
  const recognition = counts.length === 0 ? null : sumOfCounts(counts)
  const discarded = run.witnesses.reduce((sum, witness) => sum + witness.discarded, 0)
  const recognised = { recognition, discarded }
  send({
    kind: "finished",
    ...recognised,
    judgement,
    passed,
    struck,
    sealedBytes: cloud.stats.bytes,
    memoryMiB,
    cpuSeconds,
  })
})
