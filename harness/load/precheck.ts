import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { floorAndSteps, nominalSegmentBytes } from "../../firmware/delivery/padding.ts"
import { Fault } from "../../firmware/errors.ts"
import { type Bytes, KiB, MiB, type Milliseconds, type Seconds } from "../../firmware/units.ts"
import { fleetConfig } from "../../simulator/fleet.ts"
import type { Step } from "../../simulator/script.ts"
import type { LoadedPlan } from "./plan.ts"

export interface Estimate {
  readonly duration: Seconds
  readonly diskBytes: Bytes
}

/** A run of `cameras` needs this many descriptors and sockets in its largest process beside one for each camera. */
export const DESCRIPTORS_BESIDE = 120
/** Thumbnail and summary of a clip. */
const SIDECAR_BYTES: Bytes = 2 * 65 * KiB
/** Measured on two cores of 2026: pairing, then opening and comparing. */
const PAIR_EACH: Seconds = 0.02
const JUDGED_BYTES_PER_SECOND: Bytes = 130 * MiB
const FINISHING: Seconds = 6

/** How long it will take and how much room, by playing every camera's script in the mind. */
export function estimate(loaded: LoadedPlan): Estimate {
  const { from, to, scenario } = loaded.plan
  let diskBytes = 0
  for (let index = from; index < to; index++) {
    const { footage } = loaded.camera(index)
    const { lens, recording } = fleetConfig(footage, loaded.habits)
    const clips = clipsOf(loaded.scriptOf(index), recording)
    const nominal = nominalSegmentBytes({ ...lens, segmentMin: recording.segmentMin })
    const segment = Math.max(recording.segmentMin, lens.groupOfPictures)
    const recorded = clips.reduce((sum, clip) => sum + clip + segment, 0)
    diskBytes += (recorded / segment) * floorAndSteps(nominal)(nominal) + clips.length * SIDECAR_BYTES
  }
  const pairing = (to - from) * PAIR_EACH
  const duration = 3 + pairing + scenario.seconds + FINISHING + diskBytes / JUDGED_BYTES_PER_SECOND
  return { duration, diskBytes }
}

/** @throws Fault "usage", definite: this machine does not carry so many cameras, and how it would. */
export function checkDescriptors(cameras: number, limit = descriptorLimit()): void {
  const most = limit - DESCRIPTORS_BESIDE
  if (cameras <= most) return
  throw new Fault(
    "usage",
    `--cameras ${cameras}: this machine carries ${Math.max(0, most)}, for a process may open ${limit} files; ` +
      `raise that with: ulimit -n ${cameras + DESCRIPTORS_BESIDE}`,
  )
}

/** @throws Fault "usage", definite. */
export function checkRoom(needed: Bytes, free: Bytes): void {
  if (needed * 1.2 + 50 * MiB <= free) return
  const inMiB = (bytes: Bytes) => `${Math.ceil(bytes / MiB)} MiB`
  throw new Fault(
    "usage",
    `this run needs about ${inMiB(needed)} and the disk has ${inMiB(free)} left: ` +
      "choose another disk with --out, fewer --cameras or fewer --seconds",
  )
}

/** Lengths of the clips that a script leads to: what overlaps, rolls included, is one. */
function clipsOf(
  script: readonly Step[],
  { preRoll, postRoll }: { readonly preRoll: Milliseconds; readonly postRoll: Milliseconds },
): readonly Milliseconds[] {
  const clips: { start: Milliseconds; end: Milliseconds }[] = []
  for (const { at } of script) {
    const last = clips.at(-1)
    if (last && at - preRoll <= last.end) last.end = at + postRoll
    else clips.push({ start: at - preRoll, end: at + postRoll })
  }
  return clips.map(({ start, end }) => end - start)
}

/** The soft limit, which node raises to the hard one as it starts; children inherit it. */
export function descriptorLimit(): number {
  const limits = (() => {
    try {
      return readFileSync("/proc/self/limits", "utf8")
    } catch {
      // Not Linux.
      return null
    }
  })()
  const soft = limits === null ? execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" }) : null
  const text = soft ?? /^Max open files\s+(\S+)/m.exec(limits ?? "")?.[1] ?? ""
  const limit = Number(text.trim())
  return Number.isFinite(limit) && limit > 0 ? limit : Number.POSITIVE_INFINITY
}
