import { setMaxListeners } from "node:events"
import { runCamera } from "../../firmware/camera.ts"
import { parseConfig } from "../../firmware/config.ts"
import type { LogLine } from "../../firmware/log.ts"
import type { Bytes } from "../../firmware/units.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { configFor, type VirtualBoard, virtualBoard } from "../../simulator/board.ts"
import { loadScene } from "../../simulator/footage.ts"
import { atRate } from "../../simulator/footage-rate.ts"
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
  /** One for those who start together: a signal looks through all its listeners when another comes. */
  const stops: AbortController[] = []
  let cameras = 0
  let connected = 0
  let failure: string | null = null
  let onNews = (): void => undefined

  const fail = (reason: string): void => {
    failure ??= reason
    onNews()
  }
  const log = {
    write(line: LogLine) {
      if (line.event === "disconnected" || line.event === "fault" || line.event === "motion")
        fail(JSON.stringify(line))
      if (line.event !== "connected") return
      connected++
      onNews()
    },
  }
  const boardOf = async (index: number): Promise<VirtualBoard> => {
    const board = virtualBoard({
      ...{ seed: 1, index, footage, canary: `camera ${index}`, dialler, log },
      lens: { offset: index },
    })
    await makePaired(board.disk, keys, identity)
    return board
  }
  const ready: VirtualBoard[] = []
  const start = async (signal: AbortSignal): Promise<void> => {
    const board = ready.shift() ?? (await boardOf(cameras))
    cameras++
    runCamera(board, config, signal).catch((error: unknown) => fail(String(error)))
  }
  const check = (): void => {
    if (failure !== null) throw new Error(failure)
  }
  const allConnected = (): Promise<void> =>
    new Promise((resolve) => {
      onNews = () => {
        if (connected === cameras || failure !== null) resolve()
      }
      onNews()
    })
  return {
    /** Boards that are paired and only need their power: what comes before a connection is not part of it. */
    async prepare(count: number) {
      while (ready.length < count) ready.push(await boardOf(cameras + ready.length))
    },
    async growTo(wanted: number) {
      while (cameras < wanted) {
        const next = Math.min(cameras + TOGETHER, wanted)
        const stop = new AbortController()
        setMaxListeners(0, stop.signal)
        stops.push(stop)
        while (cameras < next) await start(stop.signal)
        await allConnected()
        check()
      }
    },
    async residentBytes(): Promise<Bytes> {
      check()
      return residentBytes()
    },
    close() {
      for (const stop of stops) stop.abort()
    },
  }
}
