import { MiB } from "../../firmware/units.ts"
import { Child } from "./child.ts"
import { commitOf } from "./commit.ts"
import { judgeRun } from "./judge-run.ts"
import type { CamerasFinished, FromCameras, FromCloud, ToCameras, ToCloud } from "./messages.ts"
import { type Owner, pairAll, writeOwners } from "./pairing.ts"
import { type FleetPlan, type LoadedPlan, loadPlan } from "./plan.ts"
import { checkDescriptors, checkRoom, estimate } from "./precheck.ts"
import { type Report, writeReport } from "./report.ts"
import { reportOf } from "./report-of.ts"
import { freeBytesFor, makeRunFolder, type RunFolder } from "./run-folder.ts"
import { LiveView, type Screen } from "./screen.ts"

export interface FleetRunOptions {
  readonly plan: FleetPlan
  /** null: a new folder among the runs, of which `keep` are kept. */
  readonly out: string | null
  readonly keep: number
  /** What repeats this run. */
  readonly command: string
  readonly screen: Screen
  /** Ends the run in order: what was recorded is still delivered, judged and reported. */
  readonly signal: AbortSignal
}

export interface FleetRun {
  readonly report: Report
  readonly failures: readonly string[]
  readonly folder: RunFolder
  readonly savedClips: number
}

/** All cameras share one process: on the machines that this is for, the cloud needs the second core. */
const WORKERS = 1
const CLOUD_NAME = "obscura.local"
const TICK_MS = 1_000

type CloudChild = Child<ToCloud, FromCloud>
type CameraChild = Child<ToCameras, FromCameras>

/**
 * One load test, from estimate to report:
 *
 *   check    time, room and descriptors
 *   pair     every camera with an owner of its own, over the broker
 *   run      the cameras' scripts, then until every spool is empty
 *   judge    every clip opened, compared with its source, and tried by everybody else
 *   report   report.json, and what a person wants to see
 *
 * @throws Fault "usage", "malformed" or "unsupported": what was asked cannot be, and nothing was done.
 *         Any other: the harness itself failed.
 */
export async function runFleet(options: FleetRunOptions): Promise<FleetRun> {
  const { plan, command, screen } = options
  const loaded = await loadPlan(plan)
  const folder = await prepare(options, loaded)
  const cloud: CloudChild = new Child("cloud", new URL("./cloud-process.ts", import.meta.url))
  const workers = rangesOf(plan.cameras).map(() => {
    return new Child<ToCameras, FromCameras>("camera", new URL("./camera-process.ts", import.meta.url))
  })
  try {
    const { owners, results, closed } = await perform(options, folder, cloud, workers)
    await Promise.all([cloud, ...workers].map((child) => child.end()))
    await writeOwners(folder.owners, owners)
    const { judgement, savedClips } = await judgeRun({ loaded, folder, results, owners }, screen)
    const report = reportOf(plan, command, await commitOf(), judgement, results, closed.usage)
    await writeReport(folder.report, report)
    return { report, failures: judgement.failures, folder, savedClips }
  } finally {
    await Promise.all([cloud, ...workers].map((child) => child.end()))
  }
}

async function prepare({ plan, out, keep, screen }: FleetRunOptions, loaded: LoadedPlan): Promise<RunFolder> {
  for (const warning of loaded.warnings) screen.say(`warning: ${warning}`)
  checkDescriptors(plan.cameras)
  const { duration, diskBytes } = estimate(loaded)
  checkRoom(diskBytes, await freeBytesFor(out))
  const folder = await makeRunFolder(out, plan.seed, keep)
  const disk = `${Math.max(1, Math.round(diskBytes / MiB))} MiB`
  screen.say(
    `${plan.cameras} cameras for ${plan.seconds} s, seed ${plan.seed}: ` +
      `about ${Math.ceil(duration)} s in all, and ${disk} of disk`,
  )
  if (loaded.motion !== null)
    screen.say(`motion: --motion ${loaded.motion}${plan.motion === null ? " (from the seed)" : ""}`)
  return folder
}

interface Performance {
  readonly owners: readonly Owner[]
  readonly results: readonly CamerasFinished[]
  readonly closed: Extract<FromCloud, { kind: "closed" }>
}

async function perform(
  { plan, screen, signal }: FleetRunOptions,
  folder: RunFolder,
  cloud: CloudChild,
  workers: readonly CameraChild[],
): Promise<Performance> {
  const listening = cloud.next("listening")
  cloud.send({
    kind: "begin",
    name: CLOUD_NAME,
    directory: folder.bucket,
    keyFile: folder.cloudKeys,
    logFile: folder.cloudLog,
  })
  const { port, identity } = await listening
  const broker = `mqtt://127.0.0.1:${port}`
  const ranges = rangesOf(plan.cameras)
  const anyDeath = Promise.race([cloud, ...workers].map((child) => child.death))
  await Promise.all(
    workers.map((worker, i) => {
      const [from, to] = ranges[i] ?? [0, 0]
      const logFile =
        workers.length === 1 ? folder.camerasLog : folder.camerasLog.replace(".log", `-${i}.log`)
      worker.send({ kind: "begin", plan, from, to, broker, logFile })
      return worker.next("ready")
    }),
  )

  const begun = performance.now()
  let paired = 0
  const pairing = pairAll(plan.cameras, {
    cloud: identity,
    broker,
    signal,
    show: (index, setupText) =>
      workers[ranges.findIndex(([, to]) => index < to)]?.send({ kind: "pair", index, setupText }),
    onPaired: () =>
      screen.show([`  pairing   ${++paired} of ${plan.cameras}`], `pairing ${paired} of ${plan.cameras}`),
  })
  const owners = await Promise.race([pairing, anyDeath])
  const took = ((performance.now() - begun) / 1_000).toFixed(1)
  screen.say(`paired ${owners.length} of ${plan.cameras} cameras with an owner each in ${took} s`)
  const results = signal.aborted
    ? []
    : await Promise.race([watch({ plan, screen, signal }, cloud, workers), anyDeath])
  const closing = cloud.next("closed")
  cloud.send({ kind: "close" })
  return { owners, results, closed: await closing }
}

/** From the first camera's start to the last one's end, with a live view. */
async function watch(
  { plan, screen, signal }: Pick<FleetRunOptions, "plan" | "screen" | "signal">,
  cloud: CloudChild,
  workers: readonly CameraChild[],
): Promise<readonly CamerasFinished[]> {
  const finished = Promise.all(workers.map((worker) => worker.next("finished")))
  const running = Promise.all(workers.map((worker) => worker.next("running")))
  for (const worker of workers) worker.send({ kind: "run" })
  await running
  cloud.send({ kind: "run" })
  screen.nextPhase()
  const view = new LiveView(plan.cameras, plan.seconds * 1_000)
  cloud.on("progress", ({ bytes }) => view.hearCloud(bytes))
  workers.forEach((worker, i) => {
    worker.on("progress", (progress) => view.hearCameras(i, progress))
  })
  const drawing = setInterval(() => view.draw(screen), TICK_MS)
  const stop = () => {
    screen.say("stopping: clips are finished, delivered and judged; press Ctrl-C again to leave at once")
    for (const worker of workers) worker.send({ kind: "stop" })
  }
  if (signal.aborted) stop()
  signal.addEventListener("abort", stop, { once: true })
  try {
    return await finished
  } finally {
    clearInterval(drawing)
    signal.removeEventListener("abort", stop)
  }
}

/** Which cameras each worker has: from, and up to but not with. */
function rangesOf(cameras: number): readonly (readonly [number, number])[] {
  const workers = Math.min(WORKERS, cameras)
  return Array.from({ length: workers }, (_, i) => [
    Math.floor((i * cameras) / workers),
    Math.floor(((i + 1) * cameras) / workers),
  ])
}
