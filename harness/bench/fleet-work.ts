import { setMaxListeners } from "node:events"
import { runCamera } from "../../firmware/camera.ts"
import { parseConfig } from "../../firmware/config.ts"
import { parseRecipient } from "../../firmware/delivery/recipient.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Log } from "../../firmware/ports.ts"
import { type Bytes, KiB, MiB } from "../../firmware/units.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { configFor, virtualBoard } from "../../simulator/board.ts"
import { MemoryDisk } from "../../simulator/disk.ts"
import { type Footage, loadScene } from "../../simulator/footage.ts"
import { seededRandom } from "../../simulator/random.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { makePaired } from "./cameras.ts"
import { ThrottledLens } from "./throttled-lens.ts"

export interface FleetOptions {
  readonly cameras: number
  readonly port: number
  readonly identity: CloudIdentity
}

export interface FleetMark {
  /** Of age payloads with verified receipts, since the start. */
  readonly bytes: Bytes
  readonly objects: number
  readonly connected: number
  readonly faults: readonly string[]
}

/** Groups of pictures in one segment, and how many may be on their way: 8 segments a camera. */
const GROUPS_PER_SEGMENT = 2
const GROUPS_AHEAD = 8 * GROUPS_PER_SEGMENT
const OBJECT_BYTES: Bytes = 224 * KiB

/** The fleet's side of `upload`: cameras in front of which somebody never stops moving. */
export async function begin({ cameras, port, identity }: FleetOptions) {
  const footage = await loadScene("day-person")
  const keys = await OwnerKeys.create()
  const { header } = await parseRecipient(keys.householdRecipient).wrapNewFileKey()
  const tally = new Tally(header.length)
  const dialler = networkDialler(`mqtt://127.0.0.1:${port}`)
  const config = configOf(footage)
  const lenses: ThrottledLens[] = []
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)

  for (let index = 0; index < cameras; index++) {
    const disk = new MemoryDisk({ ...faultless(index), bytesMax: 32 * MiB })
    await makePaired(disk, keys, identity)
    const received = (objects: number) => lens.delivered(objects * GROUPS_PER_SEGMENT)
    const board = virtualBoard({
      ...{ seed: 1, index, footage, canary: `camera ${index}`, dialler, disk },
      log: tally.logOf(received),
      lens: { pace: "unpaced", offset: index },
    })
    const lens = new ThrottledLens(board.lens, GROUPS_AHEAD)
    lenses.push(lens)
    board.pins.set(config.pins.motion, 1)
    runCamera({ ...board, lens }, config, stop.signal).catch((error: unknown) =>
      tally.faults.push(String(error)),
    )
  }
  return {
    open(open: boolean) {
      for (const lens of lenses) lens.open = open
    },
    mark: (): FleetMark => tally.mark(),
    close: () => stop.abort(),
  }
}

const faultless = (index: number) => ({
  clock: {
    monotonic: () => 0,
    real: () => ({ at: 0, uncertainty: 0 }),
    sleep: async () => undefined,
    after: () => () => undefined,
  },
  random: seededRandom(1, "disk", index),
})

function configOf(footage: Footage) {
  const config = parseConfig({
    lens: {
      ...configFor(footage),
      bitsPerSecond: Math.floor((OBJECT_BYTES / 1.3 / GROUPS_PER_SEGMENT) * 8 * 0.98),
    },
    recording: { clipMax: 3_600_000, segmentMin: 1_000 * GROUPS_PER_SEGMENT, ringBytesMax: 4 * MiB },
    spool: { bytesMax: 16 * MiB, keepReceivedBytes: 0 },
  })
  return config
}

/** Counts what the cameras say. */
class Tally {
  readonly faults: string[] = []
  readonly #headerBytes: Bytes
  #bytes: Bytes = 0
  #objects = 0
  #connected = 0

  constructor(headerBytes: Bytes) {
    this.#headerBytes = headerBytes
  }

  logOf(onReceived: (objects: number) => void): Log {
    const waiting: Bytes[] = []
    return {
      write: (line: LogLine) => {
        if (line.event === "object sealed") waiting.push(line.sealedBytes - this.#headerBytes)
        else if (line.event === "received") {
          const count = line.to - line.from + 1
          for (const bytes of waiting.splice(0, count)) this.#bytes += bytes
          this.#objects += count
          onReceived(count)
        } else if (line.event === "connected") this.#connected++
        else if (
          line.event === "disconnected" ||
          line.event === "media skipped" ||
          line.event === "dropped" ||
          line.event === "fault" ||
          line.event === "upload repeated"
        )
          this.faults.push(JSON.stringify(line))
      },
    }
  }

  mark(): FleetMark {
    return {
      bytes: this.#bytes,
      objects: this.#objects,
      connected: this.#connected,
      faults: this.faults.slice(0, 5),
    }
  }
}
