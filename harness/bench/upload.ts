import { setTimeout as sleep } from "node:timers/promises"
import { type Seconds, seconds } from "../../firmware/units.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { Bench } from "./bench.ts"
import { withProcess } from "./process.ts"
import type { Finding } from "./row.ts"
import { perGB, sliceOf, untilConnected } from "./slice.ts"

const CAMERAS = 100
const MB = 1e6

/** Slices of sealed upload and of raw loopback in turn, each with two processes to itself. */
export async function upload({ quick, say }: Bench): Promise<readonly Finding[]> {
  const rounds = quick ? 1 : 5
  const length: Seconds = quick ? 2 : 6
  const warmUp: Seconds = quick ? 1 : 5
  const speed: number[] = []
  const cost: number[] = []
  const theirs: number[] = []
  await withProcess("cloud", {}, async (cloud) => {
    const at = await cloud.ask<{ port: number; identity: CloudIdentity }>("identity")
    await withProcess("fleet", { cameras: CAMERAS, ...at }, async (fleet) => {
      await untilConnected(fleet, CAMERAS)
      for (let round = 0; round < rounds; round++) {
        const slice = await sliceOf(fleet, cloud, round === 0 ? warmUp : 1, length)
        speed.push(slice.bytes / MB / slice.length)
        cost.push(perGB(slice.cameras + slice.broker, slice.bytes))
        theirs.push(await loopbackFor(round === 0 ? warmUp : 1, length))
        say(
          `upload ${speed[round]?.toFixed(0)} MB/s at ${cost[round]?.toFixed(1)} CPU-s/GB, ` +
            `raw loopback ${theirs[round]?.toFixed(0)} MB/s`,
        )
      }
    })
  })
  const against = { what: "raw loopback, node to node", values: theirs }
  return [
    { name: "upload", unit: "MB/s", reach: 0.08, better: "higher", ours: speed, theirs: against },
    { name: "upload-cpu", unit: "CPU-s/GB", reach: 11, better: "lower", ours: cost },
  ]
}

async function loopbackFor(warmUp: Seconds, length: Seconds): Promise<number> {
  return withProcess("loopback-receiver", {}, async (receiver) => {
    const port = await receiver.ask<number>("port")
    return withProcess("loopback-sender", { port, sockets: CAMERAS }, async (sender) => {
      await sender.ask("open", true)
      await sleep(seconds(warmUp))
      const [from, begun] = [await receiver.ask<number>("bytes"), performance.now()]
      await sleep(seconds(length))
      const [to, ended] = [await receiver.ask<number>("bytes"), performance.now()]
      await sender.ask("open", false)
      return (to - from) / MB / ((ended - begun) / 1_000)
    })
  })
}
