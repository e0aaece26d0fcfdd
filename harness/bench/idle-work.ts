import { setMaxListeners } from "node:events"
import { setTimeout as sleep } from "node:timers/promises"
import { runCamera } from "../../firmware/camera.ts"
import { parseConfig } from "../../firmware/config.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Bytes } from "../../firmware/units.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { configFor, virtualBoard } from "../../simulator/board.ts"
import { type Footage, loadScene } from "../../simulator/footage.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { OwnerKeys } from "../owner/keys.ts"
import { makePaired } from "./cameras.ts"
import { residentBytes } from "./resident.ts"

/** So many connect at once, and then the next. */
const TOGETHER = 50
const BITS_PER_SECOND = 1_000_000

/** Cameras at which nobody walks by: connected, heartbeat, lens at 1 Mbit/s, pre-roll full. */
export async function begin({ port, identity }: { readonly port: number; readonly identity: CloudIdentity }) {
  const footage = atRate(await loadScene("quiet-day"), BITS_PER_SECOND)
  const keys = await OwnerKeys.create()
  const dialler = networkDialler(`mqtt://127.0.0.1:${port}`)
  const config = parseConfig({ lens: configFor(footage), link: { heartbeatEvery: 30_000 } })
  const stop = new AbortController()
  setMaxListeners(0, stop.signal)
  let cameras = 0
  let connected = 0
  let failure: string | null = null

  const log = {
    write(line: LogLine) {
      if (line.event === "connected") connected++
      if (line.event === "disconnected" || line.event === "fault" || line.event === "motion")
        failure ??= JSON.stringify(line)
    },
  }
  const start = async (): Promise<void> => {
    const index = cameras++
    const board = virtualBoard({
      ...{ seed: 1, index, footage, canary: `camera ${index}`, dialler, log },
      lens: { offset: index },
    })
    await makePaired(board.disk, keys, identity)
    runCamera(board, config, stop.signal).catch((error: unknown) => {
      failure ??= String(error)
    })
  }
  const check = (): void => {
    if (failure !== null) throw new Error(failure)
  }
  return {
    async growTo(wanted: number) {
      while (cameras < wanted) {
        const next = Math.min(cameras + TOGETHER, wanted)
        while (cameras < next) await start()
        while (connected < cameras) {
          check()
          await sleep(10)
        }
      }
    },
    async residentBytes(): Promise<Bytes> {
      check()
      return residentBytes()
    },
    close: () => stop.abort(),
  }
}

/** The same pictures at the frame rate that makes them so many bits a second. */
function atRate({ groups, ...scene }: Footage, bitsPerSecond: number): Footage {
  const bytes = groups.reduce((sum, group) => sum + group.bytes.length, 0)
  const pace = (bytes * 8) / bitsPerSecond / (scene.duration / 90_000)
  const ticks = (time: number) => Math.round(time * pace)
  return {
    ...scene,
    framesPerSecond: scene.framesPerSecond / pace,
    duration: ticks(scene.duration),
    groups: groups.map((group) => ({
      ...group,
      timing: group.timing.map(({ pts, dts }) => ({ pts: ticks(pts), dts: ticks(dts) })),
      start: ticks(group.start),
      duration: ticks(group.start + group.duration) - ticks(group.start),
    })),
  }
}
