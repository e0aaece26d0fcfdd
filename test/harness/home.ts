import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pairCamera, runCamera } from "../../firmware/camera.ts"
import { type CameraConfig, type CameraConfigInput, parseConfig } from "../../firmware/config.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { newSetupCode, setupText } from "../../firmware/control/pairing.ts"
import type { LogLine } from "../../firmware/log.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { type Cloud, startCloud } from "../../harness/cloud/broker.ts"
import { openCloudKeys } from "../../harness/cloud/keys.ts"
import { OwnerKeys } from "../../harness/owner/keys.ts"
import { pairAsOwner } from "../../harness/owner/pairing.ts"
import {
  configFor,
  type VirtualBoard,
  type VirtualBoardOptions,
  Visitor,
  virtualBoard,
} from "../../simulator/board.ts"
import { loadScene } from "../../simulator/footage.ts"

/** A cloud, an owner and one camera, all real, over loopback: the smallest home. Not paired and not running yet. */
export interface Home {
  readonly directory: string
  readonly cloud: Cloud
  readonly keys: OwnerKeys
  readonly board: VirtualBoard
  readonly visitor: Visitor
  readonly config: CameraConfig
  readonly lines: LogLine[]
  /** Resolves with the first line, past or to come, that `wanted` takes. */
  line(wanted: (line: LogLine) => boolean): Promise<LogLine>
  pair(): Promise<PublicKey>
  /** Starts the camera; the returned function stops it. */
  run(): () => Promise<void>
  close(): Promise<void>
}

export interface HomeOptions {
  readonly config?: CameraConfigInput
  readonly keys?: OwnerKeys
  readonly cloud?: Cloud
  readonly board?: Partial<VirtualBoardOptions>
}

export async function openHome({
  config: input = {},
  keys,
  cloud,
  board: parts,
}: HomeOptions = {}): Promise<Home> {
  const directory = await mkdtemp(join(tmpdir(), "obscura-home-"))
  const ours = cloud ?? (await openCloud(directory))
  const owner = keys ?? (await OwnerKeys.create())
  const footage = parts?.footage ?? (await loadScene("day-person"))
  const config = parseConfig({
    lens: configFor(footage),
    recording: { preRoll: 1_000, postRoll: 500 },
    link: { retryFirst: 50, heartbeatEvery: 1_000, resendAfter: 1_000 },
    ...input,
  })
  const lines: LogLine[] = []
  const waiting = new Set<(line: LogLine) => void>()
  const log = {
    write(line: LogLine) {
      lines.push(line)
      for (const each of waiting) each(line)
    },
  }
  const dialler = networkDialler(`mqtt://127.0.0.1:${ours.port}`)
  const board = virtualBoard({
    seed: 1,
    index: 0,
    footage,
    canary: "canary-of-camera-0",
    dialler,
    log,
    ...parts,
  })
  const visitor = new Visitor(board, config.pins)

  return {
    directory,
    cloud: ours,
    keys: owner,
    board,
    visitor,
    config,
    lines,
    line: (wanted) =>
      new Promise((resolve) => {
        const found = lines.find(wanted)
        if (found) return resolve(found)
        const listen = (line: LogLine) => {
          if (!wanted(line)) return
          waiting.delete(listen)
          resolve(line)
        }
        waiting.add(listen)
      }),
    async pair() {
      const { name, brokerKey } = ours.identity
      const code = newSetupCode({ name, pin: brokerKey })
      const until = AbortSignal.timeout(15_000)
      const camera = pairCamera(board, config, async () => setupText(code), until)
      const paired = pairAsOwner(
        code,
        owner,
        ours.identity,
        { ...board, log: { write: () => undefined } },
        config.link,
        until,
      )
      const pressing = setInterval(() => void visitor.pressesBell(), 100)
      const key = await paired
      await camera
      clearInterval(pressing)
      // A finger that is still on the button would ring the bell of the camera that runs next.
      await board.clock.sleep(80)
      if (!key) throw new Error("pairing took too long")
      return key
    },
    run() {
      const stop = new AbortController()
      const running = runCamera(board, config, stop.signal)
      // A failure is the test's to see when it stops the camera.
      running.catch(() => undefined)
      return () => {
        stop.abort()
        return running
      }
    },
    async close() {
      if (!cloud) await ours.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Somebody walks by the camera, which runs. Resolves with the clip, once it is recorded. */
export async function recordClip({ line, board, visitor }: Home): Promise<string> {
  await line(({ event }) => event === "connected")
  await board.clock.sleep(1_100)
  visitor.moves(true)
  await line(({ event }) => event === "object sealed")
  visitor.moves(false)
  const recorded = await line(({ event }) => event === "clip recorded")
  return recorded.event === "clip recorded" ? recorded.clip : ""
}

async function openCloud(directory: string): Promise<Cloud> {
  return startCloud({
    host: "127.0.0.1",
    port: 0,
    name: "cloud.example",
    directory: join(directory, "bucket"),
    keys: await openCloudKeys(join(directory, "cloud-keys.json")),
    log: { write: () => undefined },
  })
}
