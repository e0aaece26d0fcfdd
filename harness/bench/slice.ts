import { setTimeout as sleep } from "node:timers/promises"
import { Fault } from "../../firmware/errors.ts"
import { type Bytes, type Milliseconds, type Seconds, seconds } from "../../firmware/units.ts"
import type { FleetMark } from "./fleet-tally.ts"
import type { BenchProcess } from "./process.ts"

/** What a busy fleet did in a stretch of time, and what it took. */
export interface Slice extends Omit<FleetMark, "connected" | "faults"> {
  readonly length: Seconds
  /** Processor time. */
  readonly cameras: Seconds
  readonly broker: Seconds
}

const GB: Bytes = 2 ** 30

/** @throws Fault "unavailable" or "broken": they do not come up. */
export async function untilConnected(fleet: BenchProcess, cameras: number): Promise<void> {
  for (let left = 300; left > 0; left--) {
    const { connected, faults } = await fleet.ask<FleetMark>("mark")
    if (connected === cameras) return
    if (faults[0] !== undefined) throw new Fault("broken", `a camera of the bench failed: ${faults[0]}`)
    await sleep(100)
  }
  throw new Fault("unavailable", "not all cameras of the bench could connect")
}

/**
 * Opens the lenses, waits for `warmUp`, measures for `length`, closes the lenses and waits until what was under way has
 * arrived. @throws Fault "broken": a camera complained, or nothing arrived.
 */
export async function sliceOf(
  fleet: BenchProcess,
  cloud: BenchProcess,
  warmUp: Seconds,
  length: Seconds,
): Promise<Slice> {
  await fleet.ask("open", true)
  await sleep(seconds(warmUp))
  const from = await readBoth(fleet, cloud)
  await sleep(seconds(length))
  const to = await readBoth(fleet, cloud)
  await fleet.ask("open", false)
  await drained(fleet)
  return between(from, to)
}

/**
 * The same by work instead of time, from silence to silence: what was sealed and what was received are the same objects,
 * however busy the machine is with other things.
 */
export async function loadOf(fleet: BenchProcess, cloud: BenchProcess, objects: number): Promise<Slice> {
  const from = await readBoth(fleet, cloud)
  await fleet.ask("open", true)
  while ((await fleet.ask<number>("objects")) < from.objects + objects) {
    await sleep(50)
    if (performance.now() - from.at > LOAD_WITHIN)
      throw new Fault(
        "unavailable",
        "the fleet delivers too slowly: this machine is busy with something else",
      )
  }
  await fleet.ask("open", false)
  const closed = performance.now()
  await drained(fleet)
  const to = await readBoth(fleet, cloud)
  return { ...between(from, to), length: (closed - from.at) / 1_000 }
}

const LOAD_WITHIN = seconds(300)

interface Reading extends FleetMark {
  readonly cameras: Seconds
  readonly broker: Seconds
  readonly at: Milliseconds
}

async function readBoth(fleet: BenchProcess, cloud: BenchProcess): Promise<Reading> {
  const [mark, cameras, broker] = await Promise.all([fleet.ask<FleetMark>("mark"), fleet.cpu(), cloud.cpu()])
  return { ...mark, cameras, broker, at: performance.now() }
}

/** @throws Fault "broken": a camera complained, or nothing arrived. */
function between(from: Reading, to: Reading): Slice {
  if (to.bytes === from.bytes || to.faults[0] !== undefined)
    throw new Fault("broken", `the upload went wrong: ${to.faults[0] ?? "nothing was received"}`)
  return {
    bytes: to.bytes - from.bytes,
    sealedBytes: to.sealedBytes - from.sealedBytes,
    paddingBytes: to.paddingBytes - from.paddingBytes,
    objects: to.objects - from.objects,
    manifests: to.manifests - from.manifests,
    manifestBytes: to.manifestBytes - from.manifestBytes,
    latencies: to.latencies,
    length: (to.at - from.at) / 1_000,
    cameras: to.cameras - from.cameras,
    broker: to.broker - from.broker,
  }
}

/** Two stretches as one. */
export function joined(a: Slice, b: Slice): Slice {
  return {
    bytes: a.bytes + b.bytes,
    sealedBytes: a.sealedBytes + b.sealedBytes,
    paddingBytes: a.paddingBytes + b.paddingBytes,
    objects: a.objects + b.objects,
    manifests: a.manifests + b.manifests,
    manifestBytes: a.manifestBytes + b.manifestBytes,
    latencies: [...a.latencies, ...b.latencies],
    length: a.length + b.length,
    cameras: a.cameras + b.cameras,
    broker: a.broker + b.broker,
  }
}

export const perGB = (cost: Seconds, bytes: Bytes): number => cost / (bytes / GB)

/** What was under way has arrived. */
async function drained(fleet: BenchProcess): Promise<void> {
  for (let before = -1; ; ) {
    await sleep(200)
    const objects = await fleet.ask<number>("objects")
    if (objects === before) return
    before = objects
  }
}
