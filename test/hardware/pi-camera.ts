import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import { encode } from "uqr"
import type { onTestFinished } from "vitest"
import { buildBundle, PROGRAM } from "../../hardware/flash/bundle.ts"
import { type Running, runningGroup } from "../running.ts"
import { root } from "../support.ts"
import { startKernel, type TestKernel } from "./gpiod-kernel.ts"

const STAND_INS = join(root, "test/hardware/stand-ins")
const CHIP = "pinctrl-bcm2711"
const PINS = { motion: 17, bell: 27, light: 22, status: 23 }

/** The program in one file, the very one that ships: what the tests of one file start many times. */
export async function bundle(): Promise<{ readonly file: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-bundle-"))
  await buildBundle(folder)
  return { file: join(folder, PROGRAM), remove: () => rm(folder, { recursive: true, force: true }) }
}

/** A Pi of stand-ins: pins, camera, and folders of its own; `obscura-camera` runs on it as a child process. */
export interface Pi {
  readonly folder: string
  readonly paths: Readonly<Record<"state" | "settings" | "runtime", string>>
  readonly kernel: TestKernel
  /** What children get besides; may change between two starts. */
  readonly env: Record<string, string>
  settle(settings: object): Promise<void>
  /** Shows `text` to the lens, as a QR code. */
  show(text: string): Promise<void>
  press(): Promise<void>
  /** `obscura-camera WORDS`, with this Pi's folders. */
  start(...words: readonly string[]): Running
  /** The lines that systemd-notify was told so far; with `underSystemd`. */
  told(): Promise<readonly string[]>
}

export async function standInPi(program: string, onFinished: typeof onTestFinished): Promise<Pi> {
  const folder = await mkdtemp(join(tmpdir(), "obscura-pi-"))
  onFinished(() => rm(folder, { recursive: true, force: true }))
  const kernel = await startKernel({ label: CHIP, folder })
  onFinished(() => kernel.close())
  const luma = join(folder, "luma")
  const notified = join(folder, "notified")
  const paths = {
    state: join(folder, "state"),
    settings: join(folder, "camera.json"),
    runtime: join(folder, "run"),
  }
  const env: Record<string, string> = {
    PATH: [join(STAND_INS, "gpiod-v2"), STAND_INS, dirname(process.execPath), "/usr/bin", "/bin"].join(
      delimiter,
    ),
    ...kernel.env,
    STAND_IN_FOOTAGE: join(root, "simulator/scene/footage/day-dog.h264"),
    STAND_IN_LUMA: luma,
  }
  await writeFile(luma, Buffer.alloc(640 * 480, 128))

  return {
    ...{ folder, kernel, env, paths },
    settle: (settings) =>
      writeFile(paths.settings, JSON.stringify({ gpio: { chipLabel: CHIP }, ...settings })),
    show: (text) => writeFile(luma, pictureOf(text)),
    async press() {
      kernel.set(PINS.bell, 1)
      await new Promise((resolve) => setTimeout(resolve, 100))
      kernel.set(PINS.bell, 0)
    },
    start(...words) {
      const [command = "", ...rest] = words
      const places = ["run", "pair", "status", "wiring"].includes(command)
        ? Object.entries(paths).flatMap(([name, path]) => [`--${name}`, path])
        : []
      const child = spawn(process.execPath, [program, command, ...places, ...rest], { env, detached: true })
      return runningGroup(child, onFinished)
    },
    told: async () => (existsSync(notified) ? (await readFile(notified, "utf8")).trim().split("\n") : []),
  }
}

/** Settings that let a test be quick; `broker` is on this machine. */
export function quickSettings(port: number): object {
  return {
    broker: `mqtt://127.0.0.1:${port}`,
    camera: {
      lens: { framesPerSecond: 15 },
      recording: { preRoll: 500, postRoll: 500 },
      link: { retryFirst: 50, heartbeatEvery: 1_000, resendAfter: 1_000 },
      motion: { warmUp: 0 },
      pins: PINS,
    },
  }
}

/** A systemd-notify that writes what it is told into the file that NOTIFY_SOCKET names. */
export async function underSystemd(pi: Pi): Promise<void> {
  const bin = join(pi.folder, "bin")
  await mkdir(bin)
  await writeFile(join(bin, "systemd-notify"), '#!/bin/sh\nprintf "%s\\n" "$@" >>"$NOTIFY_SOCKET"\n')
  await chmod(join(bin, "systemd-notify"), 0o755)
  Object.assign(pi.env, {
    PATH: `${bin}${delimiter}${pi.env.PATH}`,
    NOTIFY_SOCKET: join(pi.folder, "notified"),
  })
}

/** Luma, 640 x 480: a QR code in the middle of a white sheet. */
function pictureOf(text: string): Uint8Array {
  const { data, size } = encode(text, { border: 4 })
  const scale = Math.floor(440 / size)
  const luma = Buffer.alloc(640 * 480, 255)
  const [left, top] = [Math.floor((640 - size * scale) / 2), Math.floor((480 - size * scale) / 2)]
  for (let y = 0; y < size * scale; y++)
    for (let x = 0; x < size * scale; x++)
      if (data[Math.floor(y / scale)]?.[Math.floor(x / scale)]) luma[(top + y) * 640 + left + x] = 0
  return luma
}
