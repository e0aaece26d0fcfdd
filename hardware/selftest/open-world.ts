import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir, uptime } from "node:os"
import { dirname, join } from "node:path"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import { processClock } from "../clock.ts"
import { networkDialler } from "../dialler.ts"
import { isInUse } from "../directory-lock.ts"
import { fsDisk } from "../disk.ts"
import { openStore } from "../fs-store.ts"
import { openGpiod } from "../gpiod/gpiod-io.ts"
import { sysfsHealth } from "../health.ts"
import { chooseLens, findRpicamVid } from "../lens/choose.ts"
import { lumaFrames } from "../lens/luma.ts"
import type { PiModel } from "../model.ts"
import type { Paths } from "../program/paths.ts"
import { platformRandom } from "../random.ts"
import { chipLabelFor, type Settings } from "../settings.ts"
import { systemNetwork } from "./network-facts.ts"
import type { KeyFile, Part, World } from "./world.ts"

export interface OpenWorld extends World {
  /** Lets go of everything and removes what was made for the test. */
  close(): Promise<void>
}

/**
 * This machine. A part that cannot be opened is the checks' to report; only who has no business here is sent away.
 * @throws Fault "usage", definite: a camera runs on this state already, or the broker's address is none.
 */
export async function openWorld(
  settings: Settings,
  model: PiModel,
  { state, runtime, settings: settingsFile }: Paths,
  env: NodeJS.ProcessEnv,
): Promise<OpenWorld> {
  const clock = processClock()
  const closers: (() => Promise<void>)[] = []
  const close = async () => {
    for (let next = closers.pop(); next; next = closers.pop()) await next()
  }
  const broker = settings.broker === undefined ? null : brokerAt(settings.broker)
  const notes = new Notes()
  const parts = { clock, log: notes, env }
  try {
    const disk = await part(async () => {
      const opened = await fsDisk(state).catch(refuseInUse)
      closers.push(() => opened.close())
      return opened
    })
    const folder = join(state, "self-test")
    const scratch = await part(async () => {
      disk()
      const store = await openStore(folder)
      closers.push(async () => {
        await store.close()
        await rm(folder, { recursive: true, force: true })
      })
      return store
    })
    const pins = await part(async () => {
      const chipLabel = chipLabelFor(settings, model, settingsFile)
      const io = await openGpiod({ ...parts, pins: settings.camera.pins, chipLabel })
      closers.push(() => io.close())
      return io
    })
    const runtimeDirectory = await temporaryFolder(runtime)
    closers.push(() => rm(runtimeDirectory, { recursive: true, force: true }))
    const choice = {
      ...parts,
      config: settings.camera.lens,
      settings: settings.lens,
      model,
      runtimeDirectory,
    }
    const lens = await part(() => chooseLens(choice))
    const luma = await part(async () => {
      lens()
      if ((await findRpicamVid(env)) === null)
        throw new Fault("unavailable", "raspivid gives H.264 alone, which does not tell what is to be seen")
      return (signal: AbortSignal) => lumaFrames(choice, signal)
    })
    return {
      ...{ config: settings.camera, clock, random: platformRandom, health: sysfsHealth() },
      ...{ network: systemNetwork(), uptime: () => uptime() * 1_000, broker },
      ...{ lens, luma, lensChoice: { program: notes.program, reason: notes.reason }, pins, disk, scratch },
      keyFile: () => keyFileIn(state),
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function part<T>(open: () => Promise<T>): Promise<Part<T>> {
  try {
    const opened = await open()
    return () => opened
  } catch (error) {
    if (!isFault(error) || error.kind === "broken" || isInUse(error)) throw error
    return () => {
      throw error
    }
  }
}

/** Where systemd has not made the runtime folder, for the service is stopped, this user may not make it either. */
function temporaryFolder(runtime: string): Promise<string> {
  const name = "obscura-self-test-"
  return mkdtemp(join(runtime, name)).catch(() => mkdtemp(join(tmpdir(), name)))
}

/** It cannot be tested while it works. */
function refuseInUse(error: unknown): never {
  if (!isInUse(error)) throw error
  throw new Fault(
    "usage",
    `${error.message}; the service: sudo systemctl stop obscura-camera, and start it again afterwards`,
    { cause: error.cause },
  )
}

function brokerAt(url: string): NonNullable<World["broker"]> {
  const dialler = networkDialler(url)
  return { host: new URL(url).hostname.replace(/^\[|\]$/g, ""), dialler }
}

async function keyFileIn(state: string): Promise<KeyFile | null> {
  const path = join(state, "private/identity")
  try {
    const [file, folder] = [await stat(path), await stat(dirname(path))]
    return { mode: file.mode & 0o777, folderMode: folder.mode & 0o777, ours: file.uid === process.getuid?.() }
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return null
    throw new Fault("unavailable", `${path}: cannot be seen (${messageOf(cause)})`, { cause })
  }
}

/** Of a log that nobody reads, what the self-test says again. */
class Notes {
  program = ""
  reason = ""

  write(line: LogLine): void {
    if (line.event !== "lens chosen") return
    this.program = line.lens
    this.reason = line.reason
  }
}
