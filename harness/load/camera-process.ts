import { monitorEventLoopDelay } from "node:perf_hooks"
import { openIdentity } from "../../firmware/control/identity.ts"
import { Fault } from "../../firmware/errors.ts"
import type { LogLine } from "../../firmware/log.ts"
import { seconds } from "../../firmware/units.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { Fleet } from "../../simulator/fleet.ts"
import { ClientAuthority } from "../cloud/client-authority.ts"
import { openCameraEyes } from "../recognise/camera-eyes.ts"
import { fragileCameras } from "../scenario/strikes.ts"
import { resultOf } from "./camera-result.ts"
import { certifiedDiallers } from "./certified-diallers.ts"
import { serve, usageFromNow } from "./child.ts"
import { CpuSplit, isSealing } from "./cpu-split.ts"
import { openLogFile } from "./log-file.ts"
import type { CameraProgress, FromCameras, ToCameras, Usage } from "./messages.ts"
import { takeOwner } from "./paired-beforehand.ts"
import { type LoadedPlan, loadPlan } from "./plan.ts"
import { untilStart } from "./start-at.ts"
import { Striking } from "./striking.ts"
import { isToBeExpected, struckBy } from "./struck.ts"
import { Times } from "./times.ts"

/** Cameras of a load test, with what happens before them. */

const LAG_RESOLUTION_MS = 10
const PROGRESS_EVERY_MS = 500
const MiB = 2 ** 20

interface Stage {
  readonly fleet: Fleet
  readonly striking: Striking
  readonly loaded: LoadedPlan
  /** Resident before there were cameras. */
  readonly emptyMiB: number
}

let stage: Stage | null = null
let flushLog: () => void = () => undefined
const running = new AbortController()
const waiting = new AbortController()
const times = new Times()
const split = new CpuSplit(isSealing)

serve<ToCameras, FromCameras>(async (message, send) => {
  switch (message.kind) {
    case "begin":
      await split.start()
      stage = await makeStage(message)
      return send({ kind: "ready" })
    case "pair": {
      const { index, setupText } = message
      return send({ kind: "paired", index, ok: await theStage().fleet.pair(index, setupText) })
    }
    case "identify":
      return send({ kind: "devices", keys: await devicesOf(theStage().fleet) })
    case "own": {
      for (const [index, record] of message.records) {
        const member = theStage().fleet.member(index)
        if (member) await takeOwner(member.board.disk, record)
      }
      return send({ kind: "owned" })
    }
    case "run":
      return run(theStage(), message.startAt, send)
    case "stop":
      waiting.abort()
      return theStage().fleet.stopScripts()
  }
})

function theStage(): Stage {
  if (!stage) throw new Fault("broken", "cameras before their fleet")
  return stage
}

async function makeStage(begin: Extract<ToCameras, { kind: "begin" }>): Promise<Stage> {
  const { seed, scenario } = begin.plan
  const file = openLogFile(begin.logFile)
  const { eyes, model } = scenario.fleet
  const log = { write: (line: LogLine) => file.log.info({ camera: null, ...line }) }
  // It ends with this process.
  const real = eyes === "model" && model !== null ? await openCameraEyes({ path: model }, { log }) : null
  const loaded = await loadPlan(begin.plan, real?.parts)
  flushLog = file.flush
  const dialler = networkDialler(begin.broker)
  const fragile = fragileCameras(loaded.strikes)
  const struck = struckBy(loaded.strikes)
  const emptyMiB = process.memoryUsage.rss() / MiB
  const fleet = new Fleet({
    seed,
    duration: seconds(scenario.seconds),
    cameras: Array.from({ length: begin.to - begin.from }, (_, i) => loaded.camera(begin.from + i)),
    dialler,
    ...(begin.clients && {
      diallerOf: certifiedDiallers(begin.broker, new ClientAuthority(begin.clients)),
    }),
    habits: loaded.habits,
    startOf: loaded.startOf,
    fragile: (camera) => fragile.has(camera),
    finishWithin: seconds(scenario.final.within),
    onLine: (camera, line) => file.log.info({ camera, ...line }),
    timesOf: (camera) => times.of(camera),
    isExpectedOf: (camera) => (complaint, at) => isToBeExpected(complaint, at, struck(camera)),
  })
  return { fleet, striking: new Striking(fleet, dialler), loaded, emptyMiB }
}

async function run(
  { fleet, striking, loaded, emptyMiB }: Stage,
  startAt: number | null,
  send: (message: FromCameras) => void,
): Promise<void> {
  await fleet.endPairings()
  if (startAt !== null) await untilStart(startAt, waiting.signal)
  split.count()
  send({ kind: "running", origin: performance.timeOrigin })
  const usage = usageFromNow(split)
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  let idleMiB: number | null = null
  const telling = setInterval(() => {
    const lagMs = lagOf(lag.percentile(99))
    times.lagged(lagMs)
    lag.reset()
    const progress = progressOf(fleet, usage(), lagMs)
    const nothingMoved = progress.recorded + progress.discarded + progress.sealed === 0
    if (nothingMoved && progress.connected === fleet.members.length)
      idleMiB = Math.max(0, progress.memoryMiB - emptyMiB)
    send({ kind: "progress", ...progress })
  }, PROGRESS_EVERY_MS)
  let quietAt = performance.now()
  const ran = fleet.run(running.signal, () => {
    quietAt = performance.now()
    striking.end()
    send({ kind: "quiet" })
  })
  striking.schedule(loaded.strikes, fleet.begun ?? performance.now())
  await ran
  const recoverySeconds = (performance.now() - quietAt) / 1_000
  const used = usage() // what comes now is the harness's
  clearInterval(telling)
  lag.disable()
  await striking.settled()
  await split.stop()
  flushLog()
  send({
    kind: "finished",
    cameras: fleet.members.map((member) => resultOf(member, times.p95Of(member.camera.camera))),
    usage: { ...used, share: split.share },
    seen: split.seconds,
    strangersLetIn: striking.strangersLetIn,
    recoverySeconds,
    idleMiB,
    times: times.told(),
  })
}

async function devicesOf({ members }: Fleet): Promise<[number, string][]> {
  const keys: [number, string][] = []
  for (const { camera, board } of members)
    keys.push([camera.camera, (await openIdentity(board.disk)).key.hex])
  return keys
}

/** The monitor counts from one of its own timers to the next, and those are 10 ms apart without any lag. */
function lagOf(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1_000_000 - LAG_RESOLUTION_MS)
}

function progressOf({ members }: Fleet, usage: Usage, lagMs: number): CameraProgress {
  const sum = {
    ...{ connected: 0, recorded: 0, discarded: 0, sealed: 0, uploaded: 0, received: 0, waiting: 0 },
    ...{ connects: 0, dials: 0, disconnects: 0 },
  }
  for (const { tally, waitingObjects } of members) {
    sum.waiting += waitingObjects
    if (tally.connected) sum.connected++
    for (const clip of tally.clips.values()) {
      if (clip.outcome === "recorded") sum.recorded++
      if (clip.outcome === "discarded") sum.discarded++
      if (clip.outcome !== "discarded") sum.sealed += clip.objects
    }
    sum.uploaded += tally.uploadedObjects
    sum.received += tally.receivedEntries
    sum.connects += tally.connects
    sum.dials += tally.dials
    sum.disconnects += tally.disconnects
  }
  return {
    ...sum,
    usage,
    memoryMiB: process.memoryUsage.rss() / MiB,
    lagMs,
    ...times.sinceLastTime(),
    times: times.told(),
  }
}
