import { Fault, isFault, messageOf } from "../firmware/errors.ts"
import type { Board, Dialler, Log } from "../firmware/ports.ts"
import { processClock } from "./clock.ts"
import { type DetectorFiles, filesIn, modelsIn, programFolder } from "./detector/beside.ts"
import { type Eyes, openEyes } from "./detector/eyes.ts"
import { networkDialler } from "./dialler.ts"
import { type FsDisk, fsDisk } from "./disk.ts"
import { type GpiodIo, openGpiod } from "./gpiod/gpiod-io.ts"
import { sysfsHealth } from "./health.ts"
import { chooseLens, type LensChoice } from "./lens/choose.ts"
import { lumaFrames } from "./lens/luma.ts"
import { readSetupTextFrom } from "./lens/setup-text.ts"
import { makeFolder } from "./make-folder.ts"
import type { PiModel } from "./model.ts"
import { modelsOf, type Paths } from "./program/paths.ts"
import { platformRandom } from "./random.ts"
import { chipLabelFor, type Settings } from "./settings.ts"

/** The board of a Pi: everything in it is this machine's. */
export interface PiBoard extends Board {
  readonly disk: FsDisk
  readonly pins: GpiodIo
  readonly recognition: Pick<Eyes, "begin" | "facts">
  /**
   * The setup text that somebody holds before the lens; null when `signal` aborts first, or the lens gives nothing, which
   * the log then says. Not while `lens` is read: there is one camera.
   */
  readSetupText(signal: AbortSignal): Promise<string | null>
  /** Lets go of eyes, pins and state, in this order; what the lens started has ended with the last reader of its pieces. */
  close(): Promise<void>
}

/**
 * Takes the state directory first: a camera that runs already keeps its pins and its lens.
 *
 * @throws Fault "usage", definite: the state is in use, no chip is known for this board, the broker's address is none.
 *         Fault "unavailable", definite: state that is not ours to write, no GPIO chip, a pin in use, no camera program.
 */
export async function piBoard(
  settings: Settings,
  model: PiModel,
  paths: Paths,
  log: Log,
  env: NodeJS.ProcessEnv,
  files: DetectorFiles = filesIn(programFolder()),
): Promise<PiBoard> {
  const clock = processClock()
  const dialler = diallerFor(settings, paths)
  const chipLabel = chipLabelFor(settings, model, paths.settings)
  await makeFolder(paths.runtime, 0o755)
  const disk = await fsDisk(paths.state)
  const closers = [() => disk.close()]
  const close = async () => {
    for (let next = closers.pop(); next; next = closers.pop()) await next()
  }
  try {
    const pins = await openGpiod({ pins: settings.camera.pins, chipLabel, env, log, clock })
    closers.push(() => pins.close())
    const choice: LensChoice = {
      ...{
        config: settings.camera.lens,
        masks: settings.camera.recognise.masks,
        settings: settings.lens,
        model,
        clock,
        log,
        env,
      },
      runtimeDirectory: paths.runtime,
    }
    const lens = await chooseLens(choice)
    const readSetupText = (signal: AbortSignal) => textBefore(choice, signal)
    const folders = [modelsOf(paths), modelsIn(programFolder())]
    const eyes = await openEyes({ ...settings.recognition, files, folders, clock, log })
    closers.push(() => eyes.close())
    const outside = { clock, random: platformRandom, disk, dialler, health: sysfsHealth(), log }
    return { ...outside, pins, lens, ...eyes.parts, recognition: eyes, readSetupText, close }
  } catch (error) {
    await close()
    throw error
  }
}

async function textBefore(choice: LensChoice, signal: AbortSignal): Promise<string | null> {
  try {
    return await readSetupTextFrom(lumaFrames(choice, signal), signal)
  } catch (error) {
    // A camera that cannot see just now may at the next press.
    if (!isFault(error, "unavailable")) throw error
    choice.log.write({ event: "fault", where: "lens", kind: error.kind, reason: messageOf(error) })
    return null
  }
}

function diallerFor({ broker }: Settings, paths: Paths): Dialler {
  if (broker !== undefined) return networkDialler(broker)
  const reason = `${paths.settings} names no broker: the camera records and keeps`
  return { dial: () => Promise.reject(new Fault("unavailable", reason)) }
}
