import { publicKeyFromHex } from "../../firmware/control/keys.ts"
import { MiB, type Milliseconds, seconds } from "../../firmware/units.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { placeName } from "../cloud/s3-place.ts"
import { AbortWatch } from "./abort-watch.ts"
import { CloudKeeper } from "./cloud-keeper.ts"
import { FleetInsiders } from "./fleet-insiders.ts"
import { judgeRun } from "./judge-run.ts"
import { LiveReadings } from "./live-readings.ts"
import { LiveView } from "./live-view.ts"
import { LiveViewers } from "./live-viewers.ts"
import type { CamerasFinished } from "./messages.ts"
import { ownersDialler, rehearse } from "./outside-broker.ts"
import { ownersOf } from "./paired-beforehand.ts"
import { type Owner, pairAll, writeOwners } from "./pairing.ts"
import { type FleetPlan, type LoadedPlan, loadPlan } from "./plan.ts"
import { checkDescriptors, checkRoom, estimate } from "./precheck.ts"
import { prometheusOf } from "./prometheus.ts"
import { servePrometheus } from "./prometheus-server.ts"
import { readyTarget } from "./ready-target.ts"
import type { Report } from "./report.ts"
import { reportRun } from "./report-run.ts"
import { checkReports } from "./report-secrets.ts"
import { camerasLogs, freeBytesFor, makeRunFolder, type RunFolder } from "./run-folder.ts"
import type { Screen } from "./screen.ts"
import type { Shard } from "./shard.ts"
import { brokerUrl, EMBEDDED, type ReadyTarget, type Target } from "./target.ts"
import { judgeThresholds, parseThresholds, type Threshold } from "./thresholds.ts"
import { Timeline } from "./timeline.ts"
import { type Worker, workersFor } from "./workers.ts"

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
  /** End it too when a threshold can no longer hold. */
  readonly abortOnFail: boolean
  /** Serve /metrics on this port of loopback; null: nowhere. */
  readonly prometheusPort: number | null
  /** Absent: the embedded broker without TLS, and a folder. */
  readonly target?: Target
  /** Everyone with access tries too, at the embedded broker. Absent: nobody does. */
  readonly insiders?: boolean
  /** Processes of cameras; null: a core each, less one for the cloud. */
  readonly workers: number | null
  /** Which part of the fleet this is, as `plan.from` and `plan.to` say: its thresholds are not judged here; absent or null: all. */
  readonly shard?: Shard | null
  /** The first camera's start, milliseconds since 1970; absent or null: as soon as all are paired. */
  readonly startAt?: number | null
}

export interface FleetRun {
  readonly report: Report
  readonly folder: RunFolder
  readonly savedClips: number
}

const TICK: Milliseconds = 1_000
const ABORT_GRACE: Milliseconds = seconds(10)

const UNSEEN: Watched = { results: [], begunAt: null, seconds: 0, live: null, insiders: null }

/**
 * One load test, from estimate to report:
 *
 *   check    time, room and descriptors
 *   pair     every camera with an owner of its own, over the broker
 *   run      what the scenario says, faults and all, then without faults until all are back and every spool is empty
 *   judge    every clip opened, compared with its source, and tried by everybody else; then the thresholds
 *   report   a page, report.json, and what programs want to read
 *
 * @throws Fault "usage", "malformed" or "unsupported": what was asked cannot be, and nothing was done.
 *         Any other: the harness itself failed.
 */
export async function runFleet(options: FleetRunOptions): Promise<FleetRun> {
  const { plan, command, screen } = options
  const thresholds = parseThresholds(plan.scenario.thresholds)
  const loaded = await loadPlan(plan)
  const target = await readyTarget(options.target ?? EMBEDDED, plan.scenario, plan.seed)
  const folder = await prepare(options, loaded, target)
  const cloud = new CloudKeeper(folder, plan.seed, target)
  const workers = workersFor(plan, options.workers)
  const timeline = new Timeline(plan.to - plan.from, cloud)
  const show = { options, loaded, target, folder, cloud, workers, timeline, thresholds }
  try {
    const { owners, results, begunAt, seconds: length, live, insiders } = await perform(show)
    const usage = cloud.usage
    timeline.learn({ sealing: results.map(({ seen }) => seen), ingest: cloud.seen })
    await endAll(cloud, workers)
    await writeOwners(folder.owners, owners)
    const traces = { loaded, folder, results, owners, place: target.bucket, insiders }
    const { judgement, savedClips, privacy } = await judgeRun(traces, screen)
    const report = await reportRun(folder, {
      ...{ loaded, command, thresholds, shard: options.shard ?? null, begunAt },
      ...{ results, cloud: usage, timeline, judgement, seconds: length, series: timeline.series(), live },
      privacy,
    })
    await checkReports(folder, owners)
    return { report, folder, savedClips }
  } finally {
    await endAll(cloud, workers)
  }
}

async function endAll(cloud: CloudKeeper, workers: readonly Worker[]): Promise<void> {
  await Promise.all([cloud.end(), ...workers.map(({ child }) => child.end())])
}

async function prepare(
  { plan, out, keep, screen }: FleetRunOptions,
  loaded: LoadedPlan,
  { bucket }: ReadyTarget,
): Promise<RunFolder> {
  const { from, to, scenario, seed, name } = plan
  for (const warning of loaded.warnings) screen.say(`warning: ${warning}`)
  checkDescriptors(to - from)
  const { duration, diskBytes } = estimate(loaded)
  checkRoom(bucket ? 0 : diskBytes, await freeBytesFor(out))
  const folder = await makeRunFolder(out, seed, keep)
  const disk = `${Math.max(1, Math.round(diskBytes / MiB))} MiB`
  screen.say(
    `${name}: ${to - from} cameras for ${scenario.seconds} s, seed ${seed}: ` +
      `about ${Math.ceil(duration)} s in all, and ${disk} of ${bucket ? placeName(bucket) : "disk"}`,
  )
  if (loaded.motion !== null)
    screen.say(`motion: --motion ${loaded.motion}${scenario.fleet.motion === null ? " (from the seed)" : ""}`)
  return folder
}

interface Show {
  readonly options: FleetRunOptions
  readonly loaded: LoadedPlan
  readonly target: ReadyTarget
  readonly folder: RunFolder
  readonly cloud: CloudKeeper
  readonly workers: readonly Worker[]
  readonly timeline: Timeline
  readonly thresholds: readonly Threshold[]
}

interface Performance {
  readonly owners: readonly Owner[]
  readonly results: readonly CamerasFinished[]
  /** Milliseconds since 1970; null: no camera started. */
  readonly begunAt: number | null
  /** From the first camera's start to the last one's end. */
  readonly seconds: number
  /** How old pictures were when viewers had them: an HdrHistogram; null: nobody looked. */
  readonly live: string | null
  /** null: nobody tried. */
  readonly insiders: FleetInsiders | null
}

type Watched = Omit<Performance, "owners">

async function perform(show: Show): Promise<Performance> {
  const { options, target, folder, cloud, workers } = show
  const { plan, screen, signal } = options
  const { port, identity } = await cloud.start()
  const broker = brokerUrl(target, port)
  if (target.outside) await rehearse(target.outside.broker, identity, (device) => cloud.admit([device]))
  const clients = target.outside?.broker.clients ?? null
  const anyDeath = Promise.race([cloud.death, ...workers.map(({ child }) => child.death)])
  anyDeath.catch(() => undefined) // whoever waits hears of it
  const logs = camerasLogs(folder, workers.length)
  await Promise.all(
    workers.map(({ child, from, to }, i) => {
      child.send({ kind: "begin", plan, from, to, broker, clients, logFile: logs[i] ?? folder.camerasLog })
      return child.next("ready")
    }),
  )

  const count = plan.to - plan.from
  const begun = performance.now()
  const owners = await Promise.race([pairEach(show, identity, broker), anyDeath])
  cloud.admit(owners.map(({ camera }) => camera.id))
  const took = ((performance.now() - begun) / 1_000).toFixed(1)
  screen.say(`paired ${owners.length} of ${count} cameras with an owner each in ${took} s`)
  const watched = signal.aborted
    ? UNSEEN
    : await Promise.race([watch(show, owners, identity, broker), anyDeath])
  await Promise.race([cloud.close(), anyDeath])
  return { owners, ...watched }
}

async function pairEach(show: Show, cloud: CloudIdentity, broker: string): Promise<readonly Owner[]> {
  const { options, target, workers } = show
  const { plan, screen, signal } = options
  const count = plan.to - plan.from
  let paired = 0
  const onPaired = () => screen.show([`  pairing   ${++paired} of ${count}`], `pairing ${paired} of ${count}`)
  if (plan.scenario.fleet.pairing === "broker")
    return pairAll(plan.from, plan.to, {
      ...{ cloud, broker, signal, onPaired },
      dialler: ownersDialler(broker, target.outside?.broker ?? null),
      show: (index, setupText) =>
        workers.find(({ to }) => index < to)?.child.send({ kind: "pair", index, setupText }),
    })
  const owners: Owner[] = []
  for (const { child } of workers) {
    const told = child.next("devices")
    child.send({ kind: "identify" })
    const devices = (await told).keys.map(([index, hex]) => [index, publicKeyFromHex(hex)] as const)
    const owned = await ownersOf(devices, cloud, onPaired)
    const taken = child.next("owned")
    child.send({ kind: "own", records: owned.map(({ owner, record }) => [owner.index, record]) })
    await taken
    owners.push(...owned.map(({ owner }) => owner))
  }
  return owners
}

/** From the first camera's start to the last one's end, with a live view. */
async function watch(
  show: Show,
  owners: readonly Owner[],
  identity: CloudIdentity,
  broker: string,
): Promise<Watched> {
  const { options, loaded, cloud, workers, timeline, thresholds } = show
  const { plan, screen, signal, abortOnFail, prometheusPort, startAt = null } = options
  const children = workers.map(({ child }) => child)
  const finished = Promise.all(children.map((child) => child.next("finished")))
  const running = Promise.all(children.map((child) => child.next("running")))
  const quiet = Promise.all(children.map((child) => child.next("quiet")))
  for (const promise of [finished, running, quiet]) promise.catch(() => undefined) // `anyDeath` says it
  const leave = () => {
    for (const child of children) child.send({ kind: "stop" })
  }
  signal.addEventListener("abort", leave, { once: true })
  if (startAt !== null) screen.say(`all start at ${new Date(startAt).toISOString()}`)
  for (const child of children) child.send({ kind: "run", startAt })
  const origins = (await running).map(({ origin }) => origin)
  const [begun, begunAt] = [performance.now(), Date.now()]
  cloud.run()
  cloud.schedule(loaded.strikes, begun)
  screen.nextPhase()
  const { strikes } = loaded
  const view = new LiveView({ cameras: plan.to - plan.from, seconds: plan.scenario.seconds, strikes })
  const live = new LiveReadings(timeline, cloud)
  const dialler = ownersDialler(broker, show.target.outside?.broker ?? null)
  const originOf = (index: number) => origins[workers.findIndex(({ to }) => index < to)] ?? Number.NaN
  const complain = (reason: string) => screen.say(`live: ${reason}`)
  const guestParts = { plan, owners, identity, dialler }
  const guests = new LiveViewers({ ...guestParts, cloud: identity, originOf, complain })
  guests.begin()
  const insiders = FleetInsiders.of({ ...show, ...guestParts, broker })
  insiders?.begin(signal)
  workers.forEach(({ child }, i) => {
    child.on("progress", (progress) => timeline.hear(i, progress))
  })
  let stopped = false
  const stop = (why: string) => {
    if (stopped) return
    stopped = true
    screen.say(`stopping: ${why}`)
    leave()
  }
  const abort = () => stop("clips are finished, delivered and judged; press Ctrl-C again to leave at once")
  const watching = new AbortWatch(thresholds, ABORT_GRACE)
  const ticking = setInterval(() => {
    const passed = performance.now() - begun
    timeline.tick(passed / 1_000)
    const readings = abortOnFail || screen.isLive ? live.readings(passed / 1_000) : {}
    view.look({
      ...{ passed: passed / 1_000, quiet: stopped, workers: timeline.workers, bytes: cloud.bytes },
      thresholds: screen.isLive ? judgeThresholds(thresholds, readings) : [],
    })
    view.draw(screen)
    const hopeless = abortOnFail ? watching.look(readings, passed) : null
    if (hopeless) stop(`${hopeless.metric} ${hopeless.expr} can no longer hold: it is ${hopeless.value}`)
  }, TICK)
  const metrics = () => prometheusOf(live.readings((performance.now() - begun) / 1_000))
  const page = prometheusPort === null ? null : await servePrometheus(prometheusPort, metrics)
  if (page) screen.say(`metrics: http://127.0.0.1:${page.port}/metrics`)
  if (signal.aborted) abort()
  signal.addEventListener("abort", abort, { once: true })
  try {
    await quiet
    await guests.end()
    await cloud.recover()
    const results = await finished
    const length = (performance.now() - begun) / 1_000
    await insiders?.end()
    return { results, begunAt, seconds: length, live: guests.told, insiders }
  } finally {
    clearInterval(ticking)
    await guests.end()
    await insiders?.leave()
    signal.removeEventListener("abort", abort)
    signal.removeEventListener("abort", leave)
    await page?.close()
  }
}
