import { wall } from "../../harness/twin/wall.ts"
import "../../harness/virtual/install.ts"

import { existsSync, readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import type { CameraConfigInput } from "../../firmware/config.ts"
import type { PiPlaces } from "../../harness/twin/boards.ts"
import { record } from "../../harness/twin/record.ts"
import type { Trace } from "../../harness/twin/trace.ts"
import { startKernel, type TestKernel } from "../hardware/gpiod-kernel.ts"
import { root } from "../support.ts"

const STAND_INS = join(root, "test/hardware/stand-ins")
const CHIP = "pinctrl-bcm2711"

/** A Pi of stand-ins, as a twin finds it: gpiod tools and rpicam-vid on the PATH, and settings. */
export interface TwinPi {
  readonly folder: string
  readonly kernel: TestKernel
  readonly places: PiPlaces
  close(): Promise<void>
}

const CAMERA: CameraConfigInput = {
  lens: { width: 320, height: 180, framesPerSecond: 15 },
  recording: { preRoll: 500, postRoll: 500, segmentMin: 600 },
  motion: { warmUp: 0 },
  link: { retryFirst: 100 },
  pins: { status: 23 },
}

/** Its lens looks for motion, too, and dies in the middle of a picture after two and a half seconds. */
export async function twinPi(): Promise<TwinPi> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-twin-test-"))
  const kernel = await startKernel({ folder, label: CHIP })
  const settings = join(folder, "camera.json")
  await writeFile(
    settings,
    JSON.stringify({ camera: CAMERA, lens: { motionDetection: true }, gpio: { chipLabel: CHIP } }),
  )
  const path = [STAND_INS, kernel.toolsEnv.PATH].join(delimiter)
  const places = {
    settings,
    env: {
      ...kernel.toolsEnv,
      PATH: path,
      STAND_IN_FOOTAGE: join(root, "simulator/scene/footage/day-dog.h264"),
      STAND_IN_MODES: "motion,crash",
      STAND_IN_AFTER: "36",
      STAND_IN_CALLS: join(folder, "calls"),
    },
    log: { write: () => undefined },
  }
  return {
    ...{ folder, kernel, places },
    async close() {
      await kernel.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/**
 * Once its lens gives, somebody walks by, rings while they are recorded, and goes. The trace ends when they have gone
 * and the lens has died and been asked again.
 */
export async function recordVisit({ places, kernel, folder }: TwinPi): Promise<Trace> {
  const over = new AbortController()
  let asked = 0
  let gone = false
  const visit: Readonly<Record<string, () => Promise<void>>> = {
    async started() {
      await lensStarted(join(folder, "calls"))
      await wall.pause(800)
      kernel.set(17, 1)
    },
    "clip opened, trigger motion": async () => kernel.set(27, 1),
    async "motion, trigger bell"() {
      kernel.set(27, 0)
      await wall.pause(200)
      kernel.set(17, 0)
      gone = true
      await end()
    },
  }
  const done = new Set<string>()
  const once = async (text: string) => {
    if (done.has(text)) return
    done.add(text)
    await visit[text]?.()
  }
  const end = async () => {
    if (!gone || asked < 2) return
    await wall.pause(300)
    over.abort()
  }
  return record(
    { board: "pi", places },
    {
      duration: 18_000,
      signal: over.signal,
      onEvent(event) {
        if (event.what === "line") void once(event.text)
        if (event.what !== "asked") return
        asked++
        void end()
      },
    },
  )
}

async function lensStarted(calls: string): Promise<void> {
  while (!existsSync(calls) || !readFileSync(calls, "utf8").includes("--output")) await wall.pause(20)
}
