import { randomInt } from "node:crypto"
import { resolve } from "node:path"
import { Command, Option } from "commander"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import { bothEyes } from "../load/both-eyes.ts"
import { runFleet } from "../load/fleet-run.ts"
import { checkMemory, demandOf, howManyTable, thisMachine } from "../load/how-many.ts"
import { type FleetPlan, loadPlan } from "../load/plan.ts"
import { checkDescriptors } from "../load/precheck.ts"
import { printReport } from "../load/report.ts"
import { Screen } from "../load/screen.ts"
import { repeatLine, summaryOf } from "../load/summary.ts"
import { modelFor } from "../recognise/camera-eyes.ts"
import { loadScenario } from "../scenario/load-scenario.ts"
import { CAMERAS_MAX, type Scenario } from "../scenario/scenario.ts"
import { checkVirtual } from "../virtual/scenario-acts.ts"
import { VIRTUAL_CAMERAS, VIRTUAL_SECONDS, VIRTUAL_SECONDS_MAX, virtualFleet } from "./fleet-virtual.ts"
import { HOME, homePaths, wholeNumber } from "./options.ts"
import { addShardOptions, partOf, type ShardOptions, shardOf } from "./shard-options.ts"
import { stopOnSignals } from "./stop.ts"
import { addTargetOptions, type TargetOptions, targetOf, targetWords } from "./target-options.ts"

interface FleetOptions extends TargetOptions, ShardOptions {
  readonly scenario?: string
  readonly set: readonly string[]
  readonly cameras?: number
  readonly seconds?: number
  readonly scene?: string
  readonly motion?: string
  readonly out?: string
  readonly keep: number
  readonly insiders: boolean
  readonly json?: boolean
  readonly prometheus?: number
  readonly workers?: number
  readonly howMany?: boolean
  readonly virtual?: boolean
}

const HELP = `
Every camera runs the real firmware against a real broker, each with an owner of its own. At the end every clip is
opened by its owner, compared with its source access unit by access unit, and tried by everybody else.

Exit codes: 0 it held; 1 something was lost, doubled, unreadable or readable by others, a camera never connected or did
not recover, or nothing was delivered at all; 99 all that held, but a threshold failed; 2 wrong call; 3 the harness
itself. harness/README.md explains the report.
A shard (--shard) ends with 0 once its shard.json is written; what held is said by obscura merge, of all of them. Each has
a broker of its own, so a fault of the cloud strikes the broker of every shard; faults of cameras strike the same cameras
of the whole fleet, however many shards there are.
Ctrl-C ends a run in order: it is still judged and reported. A second Ctrl-C leaves at once.`

const SEED_MAX = 2 ** 32 - 1
const DEFAULT_SCENARIO = "footage"
const HARNESS_FAILED = 3

export function fleetCommand(): Command {
  const command = new Command("fleet")
    .description("run many virtual cameras against an embedded cloud, and judge what came of it")
    .option(
      "--scenario <name|file>",
      `a story of the project's own ("obscura scenarios" lists them), or a file of yours (default: ${DEFAULT_SCENARIO})`,
    )
    .addOption(
      new Option("--set <field=value>", "override any of its fields: fleet.cameras=1000; may be repeated")
        .argParser((text: string, before: readonly string[]) => [...before, text])
        .default([], "none"),
    )
    .addOption(
      new Option(
        "--cameras <n>",
        "short for --set fleet.cameras=n (default: the scenario's, or 200)",
      ).argParser(wholeNumber(1, CAMERAS_MAX)),
    )
    .addOption(
      new Option(
        "--seconds <s>",
        "short for --set seconds=s: how long things happen (default: 30)",
      ).argParser(wholeNumber(1, VIRTUAL_SECONDS_MAX)),
    )
    .addOption(
      new Option(
        "--seed <n>",
        "repeats who moves when and what strikes whom; chosen and printed if left out",
      ).argParser(wholeNumber(0, SEED_MAX)),
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
    .option(
      "--no-insiders",
      "nobody with access tries: only other owners, and the server's keys on each clip",
    )
    .option("--json", "print report.json alone on standard output, all else on standard error")
    .option("--abort-on-fail", "end the run as soon as a threshold can no longer hold")
    .addOption(
      new Option(
        "--prometheus <port>",
        "serve /metrics on 127.0.0.1 while it runs; 0: any free port",
      ).argParser(wholeNumber(0, 65_535)),
    )
    .addOption(
      new Option(
        "--workers <n>",
        "processes of cameras (default: one a core, less one for the cloud; at least one for 2,000 cameras)",
      ).argParser(wholeNumber(1, 64)),
    )
    .option(
      "--virtual",
      "in virtual time: a script of its own, --cameras (100) and --seconds (86400, up to 30 days), or a --scenario",
    )
    .option("--how-many", "say what this machine can carry of it, and what runs out first, and run nothing")
    .addHelpText("after", HELP)
    .action(fleet)
  return addTargetOptions(addShardOptions(command))
}

async function fleet(options: FleetOptions): Promise<void> {
  const shard = shardOf(options)
  if (options.virtual) return inVirtualTime(options)
  const { name, scenario: written } = await loadScenario(
    options.scenario ?? DEFAULT_SCENARIO,
    overridesOf(options),
  )
  const scenario = await withModel(written)
  if (scenario.fleet.motion !== null && scenario.fleet.scene === null)
    throw new Fault("usage", "--motion goes with --scene: the project's own scenes know what moves in them")
  const target = await targetOf(options)
  const seed = options.seed ?? randomInt(SEED_MAX)
  const { from, to, lines } = partOf(scenario, shard, options.broker === undefined)
  const both = await bothEyes(scenario, seed)
  const plan: FleetPlan = { seed, name, scenario, from, to, ...(both && { seen: both.seen }) }
  if (options.howMany) {
    const demand = demandOf(await loadPlan(plan))
    console.log(howManyTable(await thisMachine(options.out ?? null), demand))
    return
  }
  checkDescriptors(plan.to - plan.from)
  checkMemory(plan)
  const stream = options.json ? process.stderr : process.stdout
  const screen = new Screen(stream)
  for (const line of lines) screen.say(line)
  const command = commandOf(options, seed)
  await orSayThatTheHarnessFailed({ seed, command, screen }, async (signal) => {
    const { keep, out = null, abortOnFail = false, prometheus = null, workers = null } = options
    const run = await runFleet({
      ...{ plan, out, keep, command, screen, signal, abortOnFail, workers, target },
      insiders: options.insiders,
      prometheusPort: prometheus,
      ...{ shard, startAt: options.startAt ?? null },
    })
    screen.say(summaryOf(run.report, run.folder, run.savedClips))
    if (both) screen.say(await both.tell(run.folder.directory))
    if (options.json) process.stdout.write(printReport(run.report))
    if (shard === null) return run.report.exitCode
    // Whether it ran; whether it held is said once, of all of them.
    screen.say(`its part of the verdict: obscura merge, with the folders of all ${shard.of} shards`)
    return 0
  })
}

/** What does not go with it. */
const REAL_TIME_ALONE = ["scene", "motion", "abortOnFail", "prometheus", "workers", "howMany"] as const

async function inVirtualTime(options: FleetOptions): Promise<void> {
  const { scenario } = options
  const wrong =
    scenario === undefined && options.set.length > 0
      ? "--set"
      : (REAL_TIME_ALONE.find((name) => options[name] !== undefined) ?? targetWords(options)[0])
  if (wrong !== undefined)
    throw new Fault("usage", `--virtual does not go with ${wrong}: leave it out, or run in real time`)
  const written = scenario === undefined ? null : await loadScenario(scenario, overridesOf(options))
  if (written) checkVirtual(written.scenario, written.name)
  const named = written && { ...written, scenario: await withModel(written.scenario) }
  const { keep, out = null, json = false } = options
  const { cameras = VIRTUAL_CAMERAS, seconds = VIRTUAL_SECONDS } = options
  const seed = options.seed ?? randomInt(SEED_MAX)
  const screen = new Screen(json ? process.stderr : process.stdout)
  const command = named
    ? `${commandOf(options, seed)} --virtual`
    : `npm start -- --virtual --cameras ${cameras} --seconds ${seconds} --seed ${seed}`
  const fleet = named
    ? { named, cameras: named.scenario.fleet.cameras, seconds: named.scenario.seconds }
    : { named, cameras, seconds }
  const both = named && (await bothEyes(named.scenario, seed))
  await orSayThatTheHarnessFailed({ seed, command, screen }, (signal) =>
    virtualFleet({ ...fleet, seed, out, keep, json, command, screen, signal, both }),
  )
}

/** Sets the exit code to what `run` resolves with. A user's mistake goes on to whoever prints those. */
async function orSayThatTheHarnessFailed(
  { seed, command, screen }: { readonly seed: number; readonly command: string; readonly screen: Screen },
  run: (signal: AbortSignal) => Promise<number>,
): Promise<void> {
  const { signal, forget } = stopOnSignals()
  try {
    process.exitCode = await run(signal)
  } catch (error) {
    if (isFault(error, "usage") || isFault(error, "malformed") || isFault(error, "unsupported")) throw error
    screen.nextPhase()
    if (!isFault(error)) console.error(error)
    console.error(`obscura: the harness failed, so nothing is said about the cameras: ${messageOf(error)}`)
    console.error(repeatLine({ seed, commit: "unknown", command }))
    process.exitCode = HARNESS_FAILED
  } finally {
    forget()
  }
}

function overridesOf({ set, cameras, seconds, scene, motion }: FleetOptions): readonly string[] {
  return [
    ...set,
    ...(cameras === undefined ? [] : [`fleet.cameras=${cameras}`]),
    ...(seconds === undefined ? [] : [`seconds=${seconds}`]),
    ...(scene === undefined ? [] : [`fleet.scene=${JSON.stringify(resolve(scene))}`]),
    ...(motion === undefined ? [] : [`fleet.motion=${JSON.stringify(motion)}`]),
  ]
}

/** Whoever looks by a model has to find it: its path instead of its name. @throws Fault "usage", definite. */
async function withModel(scenario: Scenario): Promise<Scenario> {
  const { fleet } = scenario
  if (fleet.eyes !== "model" && fleet.eyes !== "both") return scenario
  const { path } = await modelFor(homePaths(HOME).models, fleet.model)
  return { ...scenario, fleet: { ...fleet, model: resolve(path) } }
}

/** What repeats the script of this run; where it leaves things is not part of that. */
function commandOf(options: FleetOptions, seed: number): string {
  const { scenario, set, cameras, seconds: duration, scene, motion, insiders } = options
  const words = [
    ...(scenario === undefined ? [] : ["--scenario", quoted(scenario)]),
    ...set.flatMap((override) => ["--set", quoted(override)]),
    ...(cameras === undefined ? [] : ["--cameras", cameras]),
    ...(duration === undefined ? [] : ["--seconds", duration]),
    ...["--seed", seed],
    ...(insiders ? [] : ["--no-insiders"]),
    ...(scene === undefined ? [] : ["--scene", quoted(scene)]),
    ...(motion === undefined ? [] : ["--motion", motion]),
    ...targetWords(options).map(quoted),
  ]
  return `npm start -- ${words.join(" ")}`
}

function quoted(text: string): string {
  return /^[\w./=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
