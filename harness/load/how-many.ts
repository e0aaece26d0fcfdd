import { availableParallelism } from "node:os"
import { Fault } from "../../firmware/errors.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import { recordingCameras } from "../scenario/arrivals.ts"
import { COSTS, capacityOf, type Demand, limiting, type Machine, type Resource } from "./capacity.ts"
import { measureSpeed } from "./measure-speed.ts"
import type { FleetPlan, LoadedPlan } from "./plan.ts"
import { descriptorLimit, estimate } from "./precheck.ts"
import { freeBytesFor } from "./run-folder.ts"
import { grouped } from "./screen.ts"

/** This machine as it is now; takes more than a second, for it measures its speed. `out`: where the run's folder would be. */
export async function thisMachine(out: string | null): Promise<Machine> {
  return {
    cores: availableParallelism(),
    descriptors: descriptorLimit(),
    memoryBytes: process.availableMemory(),
    diskBytes: await freeBytesFor(out),
    speed: await measureSpeed(),
  }
}

/** What a scenario asks for, by playing every camera's script in the mind. */
export function demandOf(loaded: LoadedPlan): Demand {
  const { seconds, fleet } = loaded.plan.scenario
  // Starts are spread over the whole fleet's cameras, and a shard has its part of each moment.
  const startWithin = Math.min(seconds / 4, fleet.startWithin ?? Math.max(1, fleet.cameras * 0.002))
  return { ...camerasOf(loaded.plan), seconds, startWithin, sealedBytes: estimate(loaded).diskBytes }
}

function camerasOf({ from, to, scenario, seed }: FleetPlan): Pick<Demand, "cameras" | "recording"> {
  const own = [...recordingCameras(scenario, seed)].filter((index) => index >= from && index < to)
  return { cameras: to - from, recording: own.length }
}

/** @throws Fault "usage", definite: this machine has not the memory for so many, and how it would. */
export function checkMemory(plan: FleetPlan, free: Bytes = process.availableMemory()): void {
  const { cameras, recording } = camerasOf(plan)
  const needed = COSTS.baseBytes + cameras * COSTS.idleBytes + recording * COSTS.recordingBytes
  if (needed <= free) return
  const room = Math.max(0, free - COSTS.baseBytes)
  const carries = Math.floor(room / ((needed - COSTS.baseBytes) / cameras))
  throw new Fault(
    "usage",
    `--cameras ${cameras}: this machine carries about ${grouped(carries)}, for they need ${inMiB(needed)} of memory and ` +
      `${inMiB(free)} are free; take fewer, or a smaller fleet.recording, or --shard on several machines`,
  )
}

/** For a person: a line for each resource, which runs out first, and how to have more of it. */
export function howManyTable(machine: Machine, demand: Demand): string {
  const resources = capacityOf(machine, demand)
  const least = limiting(resources)
  const rows = [
    ["", "there is", "it needs", "", "carries"],
    ...resources.map(({ name, has, needs, unit, carries }) => [
      name,
      amount(has),
      amount(needs),
      unit,
      `${grouped(carries)} cameras`,
    ]),
  ]
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column % 3 === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  )
  const { sealedBytes, signed } = machine.speed
  return [
    `${grouped(demand.cameras)} cameras, ${grouped(demand.recording)} of them recording, for ${demand.seconds} s:`,
    "",
    ...lines.map((line) => `  ${line}`),
    "",
    `measured here: ${inMiB(sealedBytes)} sealed, ${grouped(Math.round(signed))} signatures made and checked, a second of a core;`,
    "what a camera costs was measured elsewhere, so memory and processor are estimates, the processor scaled by that",
    "",
    conclusion(least, demand),
  ].join("\n")
}

function conclusion({ name, carries, raise, hard }: Resource, { cameras }: Demand): string {
  const first = `First to run out: ${name}, at ${grouped(carries)} cameras of this scenario. To raise it: ${raise}`
  if (carries >= cameras) return `It fits. ${first}`
  return hard
    ? `It does not fit, and would be refused. ${first}`
    : `It does not fit: it would run, and measure this machine instead of the cloud. ${first}`
}

function amount(value: number): string {
  if (!Number.isFinite(value)) return "no limit"
  return value < 10 ? value.toFixed(2) : grouped(Math.round(value))
}

function inMiB(bytes: Bytes): string {
  return `${grouped(Math.ceil(bytes / MiB))} MiB`
}
