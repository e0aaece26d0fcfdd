import childProcess from "node:child_process"
import type RaspiCam from "raspicam"
import type { CameraConfig } from "../../firmware/config.ts"
import { Fault } from "../../firmware/errors.ts"
import type { Clock, Lens, Log, Piece } from "../../firmware/ports.ts"
import type { LensSettings } from "../settings.ts"
import { Complaints } from "./advice.ts"
import { type CameraChild, HelperProcess, isExecutable, spawnCamera } from "./process.ts"
import { streamOf } from "./stream.ts"

/** Where the package looks, and nowhere else. */
export const RASPIVID = "/opt/vc/bin/raspivid"

export interface RaspicamOptions {
  readonly config: CameraConfig["lens"]
  readonly settings: LensSettings
  readonly clock: Clock
  readonly log: Log
  readonly env: NodeJS.ProcessEnv
  /** What the package starts in place of `RASPIVID`. */
  readonly raspividPath?: string
}

/**
 * The camera by way of the npm package `raspicam`, which runs raspivid: the legacy camera stack, or what
 * `shim.ts` puts in its place. Pieces are what a read of its child's standard output gave, without timing.
 *
 * The package starts the child and reports its end; reading, signals and waiting are ours, for it would
 *
 * - end this process when the binary is missing, so that is looked at first;
 * - turn every chunk into a string, log or no log, so its listeners are taken off;
 * - watch the working directory for photos, so it is given nothing to watch;
 * - say that it stopped when it has sent one SIGTERM, so it is never asked to stop, and started again after its "exit".
 */
export class RaspicamLens implements Lens {
  readonly #options: RaspicamOptions

  constructor(options: RaspicamOptions) {
    this.#options = options
  }

  async *pieces(signal: AbortSignal): AsyncGenerator<Piece> {
    const { clock, log, env, raspividPath = RASPIVID } = this.#options
    if (signal.aborted) return
    if (!(await isExecutable(raspividPath)))
      throw new Fault("unavailable", `${raspividPath} is gone; install it anew`, { definite: false })
    const complaints = new Complaints((reason) => log.write({ event: "lens warning", reason }))
    const { Package, spawnInPlace } = await loadPackage()
    const camera = new Package(packageOptions(this.#options))
    camera.watchDirectory = () => {
      camera.watcher = { close: () => undefined }
    }
    // From here to the helper in one go: a failure to start is told in the next tick, to who listens by then.
    const child = spawnInPlace(raspividPath, env, () => camera.start())
    child.stdout.removeAllListeners("data")
    child.stderr.removeAllListeners("data")
    const helper = new HelperProcess(child, clock, (line) => complaints.hear(line))
    // The package hears of the child's end before we do: it is ready to start anew when the stream is over.
    yield* streamOf({ name: "raspivid", helper, complaints, clock, log }, signal)
  }
}

/** Every key becomes `--key value`, and true `--key`; a false one would, too, so it is not there. */
export function packageOptions({ config, settings }: Pick<RaspicamOptions, "config" | "settings">) {
  const { width, height, framesPerSecond, bitsPerSecond, groupOfPictures } = config
  return {
    mode: "video",
    output: "-",
    log: () => undefined,
    timeout: 0,
    nopreview: true,
    inline: true,
    flush: true,
    width,
    height,
    framerate: framesPerSecond,
    bitrate: bitsPerSecond,
    intra: Math.max(1, Math.round((groupOfPictures / 1_000) * framesPerSecond)),
    ...(settings.camera === 0 ? {} : { camselect: settings.camera }),
    ...(settings.rotationDegrees === 0 ? {} : { rotation: settings.rotationDegrees }),
    ...(settings.mode === "night" ? { exposure: "night", saturation: -100 } : {}),
  }
}

interface LoadedPackage {
  readonly Package: typeof RaspiCam
  /** Runs `start`, and the process that the package starts in it as ours are: `path`, in `env`, nothing on standard input. */
  spawnInPlace(path: string, env: NodeJS.ProcessEnv, start: () => boolean): CameraChild
}

let loaded: Promise<LoadedPackage> | null = null

/** Loads the package when it is first needed: it listens to the end of this process from then on. */
function loadPackage(): Promise<LoadedPackage> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<LoadedPackage> {
  let inPlace: { path: string; env: NodeJS.ProcessEnv } | null = null
  let child: CameraChild | null = null
  const { spawn } = childProcess
  const spawnForPackage = (command: string, options: readonly string[]): CameraChild => {
    const { path, env } = inPlace ?? { path: command, env: process.env }
    child = spawnCamera(path, options, env, spawn)
    return child
  }
  // The package keeps the spawn that is there when it is loaded.
  childProcess.spawn = spawnForPackage as typeof spawn
  try {
    const { default: Package } = await import("raspicam")
    return {
      Package,
      spawnInPlace(path, env, start) {
        inPlace = { path, env }
        child = null
        const started = start()
        if (started && child !== null) return child
        throw new Fault("unavailable", "the raspicam package runs a camera already", { definite: false })
      },
    }
  } finally {
    childProcess.spawn = spawn
  }
}
