import { randomInt } from "node:crypto"
import { resolve } from "node:path"
import { Command, Option } from "commander"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { runFleet } from "../load/fleet-run.ts"
import type { FleetPlan } from "../load/plan.ts"
import { printReport } from "../load/report.ts"
import { Screen } from "../load/screen.ts"
import { repeatLine, summaryOf } from "../load/summary.ts"
import { wholeNumber } from "./options.ts"
import { stopOnSignals } from "./stop.ts"

interface FleetOptions {
  readonly cameras: number
  readonly seconds: number
  readonly seed?: number
  readonly scene?: string
  readonly motion?: string
  readonly out?: string
  readonly keep: number
  readonly json?: boolean
}

const HELP = `
Every camera runs the real firmware against a real broker, each with an owner of its own. At the end every clip is
opened by its owner, compared with its source access unit by access unit, and tried by everybody else.

Exit codes: 0 it held; 1 something was lost, doubled, unreadable or readable by others, a camera never connected, or
nothing was delivered at all; 2 wrong call; 3 the harness itself. harness/README.md explains report.json.
Ctrl-C ends a run in order: it is still judged and reported. A second Ctrl-C leaves at once.`

const SEED_MAX = 2 ** 32 - 1
const CAMERAS_MAX = 20_000
const DAY_SECONDS = 86_400
const HARNESS_FAILED = 3

export function fleetCommand(): Command {
  return new Command("fleet")
    .description("run many virtual cameras against an embedded cloud, and judge what came of it")
    .addOption(new Option("--cameras <n>", "how many").argParser(wholeNumber(1, CAMERAS_MAX)).default(200))
    .addOption(
      new Option("--seconds <s>", "how long things happen before them")
        .argParser(wholeNumber(1, DAY_SECONDS))
        .default(30),
    )
    .addOption(
      new Option("--seed <n>", "repeats who moves when; chosen and printed if left out").argParser(
        wholeNumber(0, SEED_MAX),
      ),
    )
    .option("--scene <file>", "a film of yours that all cameras show (.mp4, .mov, .mkv, .h264)")
    .option(
      "--motion <times>",
      "when somebody moves in it, in each loop: 3s,12s-20s (default: from the seed)",
    )
    .option("--out <dir>", "a new or empty folder for what the run leaves (default: runs/<date>-<seed>)")
    .addOption(
      new Option("--keep <n>", "how many folders in runs/ to keep, with this one")
        .argParser(wholeNumber(1, 1_000_000))
        .default(5),
    )
    .option("--json", "print report.json alone on standard output, all else on standard error")
    .addHelpText("after", HELP)
    .action(fleet)
}

async function fleet(options: FleetOptions): Promise<void> {
  if (options.motion !== undefined && options.scene === undefined)
    throw new Fault("usage", "--motion goes with --scene: the project's own scenes know what moves in them")
  const plan: FleetPlan = {
    seed: options.seed ?? randomInt(SEED_MAX),
    cameras: options.cameras,
    seconds: options.seconds,
    scene: options.scene === undefined ? null : resolve(options.scene),
    motion: options.motion ?? null,
  }
  const stream = options.json ? process.stderr : process.stdout
  const screen = new Screen(stream)
  const command = commandOf(options, plan.seed)
  const { signal, forget } = stopOnSignals()
  try {
    const { keep, out = null } = options
    const run = await runFleet({ plan, out, keep, command, screen, signal })
    screen.say(summaryOf(run.report, run.failures, run.folder, run.savedClips))
    if (options.json) process.stdout.write(printReport(run.report))
    process.exitCode = run.report.exitCode
  } catch (error) {
    if (isFault(error, "usage") || isFault(error, "malformed") || isFault(error, "unsupported")) throw error
    screen.nextPhase()
    if (!isFault(error)) console.error(error)
    console.error(`obscura: the harness failed, so nothing is said about the cameras: ${messageOf(error)}`)
    console.error(repeatLine({ seed: plan.seed, commit: "unknown", command }))
    process.exitCode = HARNESS_FAILED
  } finally {
    forget()
  }
}

/** What repeats the script of this run; where it leaves things is not part of that. */
function commandOf({ cameras, seconds: duration, scene, motion }: FleetOptions, seed: number): string {
  const film = scene === undefined ? [] : ["--scene", quoted(scene)]
  const moves = motion === undefined ? [] : ["--motion", motion]
  const options = ["--cameras", cameras, "--seconds", duration, "--seed", seed, ...film, ...moves]
  return `npm start -- ${options.join(" ")}`
}

function quoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
