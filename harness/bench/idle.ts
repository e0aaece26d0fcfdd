import { setTimeout as sleep } from "node:timers/promises"
import { type Bytes, KiB, type Seconds, seconds } from "../../firmware/units.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { Bench } from "./bench.ts"
import { type BenchProcess, withProcess } from "./process.ts"
import type { Finding } from "./row.ts"
import type { WorkName } from "./worker.ts"

/** Longer than the pre-roll: the ring is full, and what connecting took is over. */
const SETTLED_AFTER: Seconds = 8

/** What one more idle camera weighs in its process, against one more bare client. */
export async function cameraMemory({ quick, say }: Bench): Promise<readonly Finding[]> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let round = 0; round < (quick ? 1 : 5); round++) {
    ours.push((await eachWeighs("weighed-idle", quick)) / KiB)
    theirs.push((await eachWeighs("weighed-clients", quick)) / KiB)
    say(`camera-memory ${ours[round]?.toFixed(1)} KiB, bare client ${theirs[round]?.toFixed(1)} KiB`)
  }
  const against = { what: "bare mqtt.js client", values: theirs }
  return [
    { name: "camera-memory", unit: "KiB", reach: 3, better: "lower", ours, theirs: against },
    { name: "camera-memory-size", unit: "KiB", reach: 100, better: "lower", ours },
  ]
}

export async function cameraIdleCpu({ quick, say }: Bench): Promise<readonly Finding[]> {
  const length: Seconds = quick ? 2 : 60
  const share = await withCloud("idle", async (cameras) => {
    await cameras.ask("growTo", quick ? 20 : 1_000)
    await sleep(seconds(quick ? 1 : SETTLED_AFTER))
    const [from, begun] = [await cameras.cpu(), performance.now()]
    await sleep(seconds(length))
    const [to, ended] = [await cameras.cpu(), performance.now()]
    await cameras.ask("residentBytes") // none has failed meanwhile
    return (to - from) / ((ended - begun) / 1_000)
  })
  say(`camera-idle-cpu ${(share * 100).toFixed(1)} % of a core`)
  return [{ name: "camera-idle-cpu", unit: "% of a core", reach: 10, better: "lower", ours: [share * 100] }]
}

/** Of the many from `few` on: what is there once, code and shared footage, weighs on neither side. */
async function eachWeighs(name: WorkName, quick: boolean): Promise<Bytes> {
  const [few, many] = quick ? [10, 30] : [100, 1_000]
  return withCloud(name, async (process) => {
    const weighs = async (count: number) => {
      await process.ask("growTo", count)
      await sleep(seconds(quick ? 1 : SETTLED_AFTER))
      return process.ask<Bytes>("residentBytes")
    }
    const before = await weighs(few)
    return ((await weighs(many)) - before) / (many - few)
  })
}

function withCloud<T>(name: WorkName, measure: (process: BenchProcess) => Promise<T>): Promise<T> {
  return withProcess("cloud", {}, async (cloud) => {
    const at = await cloud.ask<{ port: number; identity: CloudIdentity }>("identity")
    return withProcess(name, at, measure)
  })
}
