import { setMaxListeners } from "node:events"
import type { runCamera } from "../../firmware/camera.ts"
import { parseConfig } from "../../firmware/config.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import type { Disk } from "../../firmware/ports.ts"
import { type Bytes, KiB, MiB, type Milliseconds, seconds } from "../../firmware/units.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { configFor, virtualBoard } from "../../simulator/board.ts"
import { virtualClock } from "../../simulator/clock.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { type Footage, loadScene } from "../../simulator/footage.ts"
import { seededRandom } from "../../simulator/random.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { makePaired } from "./cameras.ts"
import { type FleetMark, FleetTally } from "./fleet-tally.ts"
import { ThrottledLens } from "./throttled-lens.ts"

export interface FleetOptions {
  readonly cameras: number
  readonly port: number
  readonly identity: CloudIdentity
  /** Plaintext of a segment with its padding, a multiple of 32 KiB; default 224 KiB. */
  readonly objectBytes?: Bytes
  /** How many segments a camera may have on their way; default 8, or fewer where they are large. */
  readonly segmentsAhead?: number
}

/** What makes one fleet another. */
export interface FleetKind {
  readonly run: typeof runCamera
  /** Which of an object's bytes `FleetMark.bytes` counts. */
  readonly countedBytes: (sealedBytes: Bytes, headerBytes: Bytes) => Bytes
}

const OBJECT_BYTES: Bytes = 224 * KiB
/** Footage of the project has a key frame a second, and no segment may be longer than this. */
const GROUPS_PER_SEGMENT_MAX = 10
/** Boxes and marks of a segment, generously. */
const BOXES_BYTES: Bytes = 6 * KiB
const SEGMENTS_AHEAD = 8
const BYTES_AHEAD: Bytes = 2 * MiB

/** Cameras in front of which somebody never stops moving. They wait with closed lenses until they are opened. */
export async function startFleet(
  { cameras, port, identity, objectBytes = OBJECT_BYTES, segmentsAhead = aheadOf(objectBytes) }: FleetOptions,
  { run, countedBytes }: FleetKind,
) {
  const footage = await loadScene("day-person")
  const groupsPerSegment = groupsWithin(footage, objectBytes - BOXES_BYTES)
  const keys = await OwnerKeys.create()
  const { header } = await parseRecipient(keys.householdRecipient).wrapNewFileKey()
  const tally = new FleetTally((sealedBytes) => countedBytes(sealedBytes, header.length))
  const dialler = networkDialler(`${identity.brokerKey === null ? "mqtt" : "mqtts"}://127.0.0.1:${port}`)
  const config = configOf(footage, groupsPerSegment, objectBytes)
  const lenses: ThrottledLens[] = []
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)

  for (let index = 0; index < cameras; index++) {
    const random = seededRandom(1, "disk", index)
    const disk = new MemoryDisk({ clock: virtualClock(), random, bytesMax: 32 * MiB })
    await makePaired(disk, keys, identity)
    const received = (objects: number) => lens.delivered(objects * groupsPerSegment)
    const board = virtualBoard({
      ...{ seed: 1, index, footage, canary: `camera ${index}`, dialler },
      disk: countingManifests(disk, (bytes) => tally.manifest(bytes)),
      log: tally.logOf(received),
      lens: { pace: "unpaced", offset: index },
    })
    const lens = new ThrottledLens(board.lens, segmentsAhead * groupsPerSegment)
    lenses.push(lens)
    board.pins.set(config.pins.motion, 1)
    run({ ...board, lens }, config, stop.signal).catch((error: unknown) => tally.faults.push(String(error)))
  }
  let stopPacing: () => void = () => undefined
  return {
    open(open: boolean) {
      for (const lens of lenses) lens.open = open
    },
    /** Each camera gives one segment every so often, all in turn; null: as many as it can deliver. */
    pace(every: Milliseconds | null) {
      stopPacing()
      stopPacing = every === null ? unpaced(lenses) : paced(lenses, groupsPerSegment, every)
    },
    mark: (): FleetMark => tally.mark(),
    objects: (): number => tally.objects,
    close: () => stop.abort(),
  }
}

function aheadOf(objectBytes: Bytes): number {
  return Math.max(2, Math.min(SEGMENTS_AHEAD, Math.floor(BYTES_AHEAD / objectBytes)))
}

/** How many groups of pictures fill a segment of `bytes` best and never spill over. */
function groupsWithin({ groups }: Footage, bytes: Bytes): number {
  const sizes = groups.map((group) => group.bytes.length)
  const largest = (count: number) =>
    Math.max(
      ...sizes.map((_, first) =>
        Array.from({ length: count }, (__, next) => sizes[(first + next) % sizes.length] ?? 0).reduce(
          (sum, size) => sum + size,
        ),
      ),
    )
  let count = 1
  while (count < GROUPS_PER_SEGMENT_MAX && largest(count + 1) <= bytes) count++
  return count
}

function configOf(footage: Footage, groupsPerSegment: number, objectBytes: Bytes) {
  return parseConfig({
    lens: {
      ...configFor(footage),
      bitsPerSecond: Math.floor((objectBytes / 1.3 / groupsPerSegment) * 8 * 0.98),
    },
    recording: { clipMax: 3_600_000, segmentMin: seconds(groupsPerSegment), ringBytesMax: 4 * MiB },
    spool: { bytesMax: 16 * MiB, keepReceivedBytes: 0 },
  })
}

function countingManifests(disk: Disk, count: (bytes: Bytes) => void): Disk {
  return {
    private: disk.private,
    put(name, parts) {
      if (name.startsWith("manifest.")) count(parts.reduce((sum, part) => sum + part.length, 0))
      return disk.put(name, parts)
    },
    get: (name) => disk.get(name),
    remove: (name) => disk.remove(name),
    list: (prefix) => disk.list(prefix),
    free: () => disk.free(),
  }
}

function unpaced(lenses: readonly ThrottledLens[]): () => void {
  for (const lens of lenses) lens.allow(Number.POSITIVE_INFINITY)
  return () => undefined
}

function paced(lenses: readonly ThrottledLens[], groups: number, every: Milliseconds): () => void {
  for (const lens of lenses) lens.allow(0)
  const begun = performance.now()
  let given = 0
  const giving = setInterval(() => {
    const due = Math.floor(((performance.now() - begun) / every) * lenses.length)
    for (; given < due; given++) lenses[given % lenses.length]?.allowMore(groups)
  }, 5)
  return () => clearInterval(giving)
}
