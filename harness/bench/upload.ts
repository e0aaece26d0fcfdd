import { setTimeout as sleep } from "node:timers/promises"
import { Fault } from "../../firmware/errors.ts"
import { type Seconds, seconds } from "../../firmware/units.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { Bench } from "./bench.ts"
import type { FleetMark } from "./fleet-work.ts"
import { type BenchProcess, withProcess } from "./process.ts"
import type { Finding } from "./row.ts"

const CAMERAS = 100
const MB = 1e6
const GB = 2 ** 30

interface Slice {
  readonly megabytesPerSecond: number
  readonly cpuPerGB: number
}

/** Slices of sealed upload and of raw loopback in turn, each with two processes to itself. */
export async function upload({ quick, say }: Bench): Promise<readonly Finding[]> {
  const rounds = quick ? 1 : 5
  const length: Seconds = quick ? 2 : 6
  const warmUp: Seconds = quick ? 1 : 5
  const ours: Slice[] = []
  const theirs: number[] = []
  await withProcess("cloud", {}, async (cloud) => {
    const at = await cloud.ask<{ port: number; identity: CloudIdentity }>("identity")
    await withProcess("fleet", { cameras: CAMERAS, ...at }, async (fleet) => {
      await untilConnected(fleet)
      for (let round = 0; round < rounds; round++) {
        const slice = await uploadFor(fleet, cloud, round === 0 ? warmUp : 1, length)
        ours.push(slice)
        theirs.push(await loopbackFor(round === 0 ? warmUp : 1, length))
        say(
          `upload ${slice.megabytesPerSecond.toFixed(0)} MB/s at ${slice.cpuPerGB.toFixed(1)} CPU-s/GB, ` +
            `raw loopback ${theirs[round]?.toFixed(0)} MB/s`,
        )
      }
    })
  })
  const against = { what: "raw loopback, node to node", values: theirs }
  const speed = ours.map(({ megabytesPerSecond }) => megabytesPerSecond)
  const cost = ours.map(({ cpuPerGB }) => cpuPerGB)
  return [
    { name: "upload", unit: "MB/s", reach: 0.08, better: "higher", ours: speed, theirs: against },
    { name: "upload-cpu", unit: "CPU-s/GB", reach: 11, better: "lower", ours: cost },
  ]
}

async function untilConnected(fleet: BenchProcess): Promise<void> {
  for (let left = 300; left > 0; left--) {
    const { connected, faults } = await fleet.ask<FleetMark>("mark")
    if (connected === CAMERAS) return
    if (faults[0] !== undefined) throw new Fault("broken", `a camera of the bench failed: ${faults[0]}`)
    await sleep(100)
  }
  throw new Fault("unavailable", "not all cameras of the bench could connect")
}

async function uploadFor(
  fleet: BenchProcess,
  cloud: BenchProcess,
  warmUp: Seconds,
  length: Seconds,
): Promise<Slice> {
  const read = async () => {
    const [mark, cameras, broker] = await Promise.all([
      fleet.ask<FleetMark>("mark"),
      fleet.cpu(),
      cloud.cpu(),
    ])
    return { ...mark, cameras, broker, at: performance.now() }
  }
  await fleet.ask("open", true)
  await sleep(seconds(warmUp))
  const from = await read()
  await sleep(seconds(length))
  const to = await read()
  await fleet.ask("open", false)
  await drained(fleet)
  const bytes = to.bytes - from.bytes
  if (bytes === 0 || to.faults[0] !== undefined)
    throw new Fault("broken", `the upload went wrong: ${to.faults[0] ?? "nothing was received"}`)
  return {
    megabytesPerSecond: bytes / MB / ((to.at - from.at) / 1_000),
    cpuPerGB: (to.cameras - from.cameras + to.broker - from.broker) / (bytes / GB),
  }
}

/** What was under way has arrived: the other side has the machine to itself. */
async function drained(fleet: BenchProcess): Promise<void> {
  for (let before = -1; ; ) {
    await sleep(200)
    const { objects } = await fleet.ask<FleetMark>("mark")
    if (objects === before) return
    before = objects
  }
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
