import { Command, Option } from "commander"
import type { Logger } from "pino"
import { runCamera } from "../../firmware/camera.ts"
import { type CameraConfig, parseConfig } from "../../firmware/config.ts"
import { parseSetupText } from "../../firmware/control/pairing.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { Log } from "../../firmware/ports.ts"
import { seconds } from "../../firmware/units.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { fsDisk } from "../../hardware/disk.ts"
import { configFor, type VirtualBoard, Visitor, virtualBoard } from "../../simulator/board.ts"
import { loadFilm } from "../../simulator/film.ts"
import { type Footage, loadScene, SCENES } from "../../simulator/footage.ts"
import { parseMotion } from "../../simulator/motion.ts"
import { SwitchedDisk } from "../../simulator/switched-disk.ts"
import { VirtualIo } from "../../simulator/virtual-io.ts"
import type { Cloud } from "../cloud/broker.ts"
import { type CameraEyes, modelFor, openCameraEyes } from "../recognise/camera-eyes.ts"
import { resetAt } from "./camera-reset.ts"
import { openHomeCloud } from "./cloud.ts"
import { watchKeys } from "./keyboard.ts"
import { cameraLog, cloudLog, makeLogger } from "./lines.ts"
import { type HomePaths, homeOption, homePaths, loopbackUrl, wholeNumber } from "./options.ts"
import { pairWithHome, pairWithText } from "./pair-virtual.ts"
import { stopOnSignals } from "./stop.ts"
import { playMotion, printVisits, walkBy } from "./visit.ts"
import { rerunOnSave } from "./watch.ts"

interface CameraOptions {
  readonly home: string
  readonly broker?: string
  readonly scene: string
  readonly motion?: string
  readonly model?: string | true
  readonly setup?: string
  readonly seed: number
  readonly watch?: boolean
  readonly reset?: boolean
}

const HELP = `
Keys while it runs:  b rings the bell · w walks by for three seconds, when the scene shows somebody · p cuts the power, and gives it back
                     · q or Ctrl-C stops in order

Without --broker it brings a cloud of its own and a household to try things with, and pairs with it by itself.
Scenes: ${SCENES.join(", ")}; or a film of yours (.mp4, .mov, .mkv, .h264).`

export function cameraCommand(): Command {
  return new Command("camera")
    .description("run one virtual camera with the real firmware, and play its visitor")
    .addOption(homeOption())
    .option("--broker <url>", "connect to this cloud instead of bringing one")
    .option(
      "--setup <text>",
      "the setup text to show to a new camera (with --broker; from obscura owner pair)",
    )
    .option("--scene <name|file>", "what it sees", "day-person")
    .option(
      "--model [name|file]",
      "let a real model look at the real pictures: an ONNX file, or one that obscura model install put here",
    )
    .option(
      "--motion <times>",
      "when somebody moves, repeated with the scene: 3s,12s-20s (default: only at w)",
    )
    .addOption(
      new Option("--seed <n>", "repeats jitter and detector").argParser(wholeNumber(0, 2 ** 31)).default(1),
    )
    .option("--watch", "start again whenever a source file is saved")
    .addOption(
      new Option(
        "--reset",
        "make it nobody's, for good: new key, no owner, empty disk; asks nothing",
      ).conflicts(["watch", "broker", "setup", "motion"]),
    )
    .addHelpText("after", HELP)
    .action((options: CameraOptions) => {
      if (options.reset) return resetAt(homePaths(options.home).camera)
      return options.watch ? rerunOnSave(process.argv) : runOne(options)
    })
}

async function runOne(options: CameraOptions): Promise<void> {
  if (options.setup !== undefined && options.broker === undefined)
    throw new Fault("usage", "--setup goes with --broker: without it the camera pairs by itself")
  if (options.setup !== undefined) parseSetupText(options.setup)
  const paths = homePaths(options.home)
  const logger = makeLogger()
  const { footage, warnings } = await loadFootage(options.scene)
  for (const warning of warnings) logger.warn(warning)
  const motion = options.motion === undefined ? [] : parseMotion(options.motion, footage.duration / 90_000)
  if (options.broker !== undefined) networkDialler(options.broker) // refuses a wrong address before anything is opened
  const { signal, press: stop } = stopOnSignals()

  const eyes = options.model === undefined ? null : await eyesOf(options.model, paths, logger)
  const cloud =
    options.broker === undefined ? await openHomeCloud(paths.cloud, { port: 0 }, cloudLog(logger)) : null
  try {
    if (cloud) logger.info(`its cloud is at ${loopbackUrl(cloud.port)}; obscura owner finds it there`)
    const disk = await fsDisk(paths.camera)
    const power = new SwitchedDisk(disk)
    const dialler = networkDialler(options.broker ?? loopbackUrl(cloud?.port ?? 0))
    const parts = {
      seed: options.seed,
      index: 0,
      footage,
      canary: "obscura camera",
      dialler,
      log: withHint(cameraLog(logger), footage, logger),
    }
    const board = virtualBoard({
      ...parts,
      disk: power,
      io: new VirtualIo(),
      eyes: eyes?.parts ?? (footage.boxes.length > 0 ? "truth" : "none"),
    })
    const config = parseConfig({ lens: configFor(footage) })
    const visitor = new Visitor(board, config.pins)
    const keyboard = watchKeys({
      b: () => void visitor.pressesBell(),
      w: () =>
        void walkBy(board, footage, visitor, signal, (wait) =>
          logger.info(`somebody walks by in ${(wait / 1_000).toFixed(1)} s`),
        ),
      p: () => power.cut(),
      q: stop,
    })
    try {
      if (await pairIfNew(options, paths, cloud, { board, config, visitor, signal })) {
        logger.info(`${footage.name}: b rings, w walks by, p cuts the power, q stops`)
        void playMotion(motion, footage, board, visitor, signal)
        await runWithPower(board, power, config, signal)
      }
    } finally {
      keyboard.close()
      await disk.close()
    }
  } finally {
    await eyes?.close()
    await cloud?.close()
  }
}

/** `true`: whichever is installed. */
async function eyesOf(model: string | true, { models }: HomePaths, logger: Logger): Promise<CameraEyes> {
  return openCameraEyes(await modelFor(models, model === true ? null : model), { log: cameraLog(logger) })
}

/** Tells a newcomer why what moved was not kept. */
function withHint(log: Log, footage: Footage, logger: Logger): Log {
  return {
    write(line) {
      log.write(line)
      if (line.event !== "clip discarded" || printVisits(footage) === "") return
      logger.info(
        `nobody was in the picture: in ${footage.name} somebody is, from ${printVisits(footage)}; w waits for that`,
      )
    },
  }
}

/** Runs the camera; when its power is cut it dies where it stands, and boots again two seconds later. */
async function runWithPower(
  board: VirtualBoard,
  power: SwitchedDisk,
  config: CameraConfig,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const dies = new AbortController()
    power.onCut = () => {
      board.log.write({
        event: "fault",
        where: "power",
        kind: "unavailable",
        reason: "cut; back in two seconds",
      })
      dies.abort()
    }
    try {
      await runCamera(board, config, AbortSignal.any([signal, dies.signal]))
    } catch (error) {
      // What a dying camera's disk refuses is the power cut, not a fault of the camera.
      if (!dies.signal.aborted || !isFault(error, "unavailable")) throw error
    }
    if (signal.aborted) return
    await board.clock.sleep(seconds(2), signal)
    board.pins.reset()
    power.restore()
  }
}

/** false: stopped before it had an owner. */
async function pairIfNew(
  options: CameraOptions,
  paths: HomePaths,
  cloud: Cloud | null,
  camera: Parameters<typeof pairWithText>[1],
): Promise<boolean> {
  if (await camera.board.disk.private.get("pairing")) return true
  if (cloud) return pairWithHome(paths.owner, cloud, camera)
  if (options.setup === undefined)
    throw new Fault(
      "unpaired",
      'this camera has no owner yet: run "obscura owner pair", then give its text as --setup',
    )
  return pairWithText(options.setup, camera)
}

async function loadFootage(scene: string): Promise<{ footage: Footage; warnings: readonly string[] }> {
  const name = SCENES.find((each) => each === scene)
  if (name) return { footage: await loadScene(name), warnings: [] }
  if (!/[./\\]/.test(scene))
    throw new Fault(
      "usage",
      `--scene ${scene}: no such scene; there are ${SCENES.join(", ")}, or give a film's path`,
    )
  return loadFilm(scene)
}
