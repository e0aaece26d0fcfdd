import { monitorEventLoopDelay } from "node:perf_hooks"
import { build, encodeIntoCompressedBase64 } from "hdr-histogram-js"
import { Fault } from "../../firmware/errors.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { Fleet } from "../../simulator/fleet.ts"
import { serve, usageFromNow } from "./child.ts"
import { openLogFile } from "./log-file.ts"
import type { CameraProgress, CameraResult, FromCameras, ToCameras } from "./messages.ts"
import { loadPlan } from "./plan.ts"

/** Cameras of a load test, with what happens before them. */

const LAG_RESOLUTION_MS = 10
const PROGRESS_EVERY_MS = 500

let fleet: Fleet | null = null
let flushLog: () => void = () => undefined
const running = new AbortController()
const latency = build({ highestTrackableValue: 3_600_000_000, numberOfSignificantValueDigits: 3 })

serve<ToCameras, FromCameras>(async (message, send) => {
  switch (message.kind) {
    case "begin":
      fleet = await makeFleet(message)
      return send({ kind: "ready" })
    case "pair": {
      const { index, setupText } = message
      return send({ kind: "paired", index, ok: await theFleet().pair(index, setupText) })
    }
    case "run":
      return run(theFleet(), send)
    case "stop":
      return theFleet().stopScripts()
  }
})

function theFleet(): Fleet {
  if (!fleet) throw new Fault("broken", "cameras before their fleet")
  return fleet
}

async function makeFleet(begin: Extract<ToCameras, { kind: "begin" }>): Promise<Fleet> {
  const loaded = await loadPlan(begin.plan)
  const { seed, seconds } = begin.plan
  const file = openLogFile(begin.logFile)
  flushLog = file.flush
  return new Fleet({
    seed,
    duration: seconds * 1_000,
    cameras: Array.from({ length: begin.to - begin.from }, (_, i) => loaded.camera(begin.from + i)),
    dialler: networkDialler(begin.broker),
    onLine: (camera, line) => file.log.info({ camera, ...line }),
    onLatency: (after) => latency.recordValue(Math.round(after * 1_000)),
  })
}

async function run(cameras: Fleet, send: (message: FromCameras) => void): Promise<void> {
  await cameras.endPairings()
  send({ kind: "running" })
  const usage = usageFromNow()
  const lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  const recentLag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  lag.enable()
  recentLag.enable()
  const telling = setInterval(() => {
    send({ kind: "progress", ...progressOf(cameras), lagMs: lagOf(recentLag.percentile(99)) })
    recentLag.reset()
  }, PROGRESS_EVERY_MS)
  await cameras.run(running.signal)
  clearInterval(telling)
  lag.disable()
  recentLag.disable()
  flushLog()
  send({
    kind: "finished",
    cameras: cameras.members.map(resultOf),
    usage: usage(),
    lagP99Ms: lagOf(lag.percentile(99)),
    latency: encodeIntoCompressedBase64(latency),
  })
}

/** The monitor counts from one of its own timers to the next, and those are 10 ms apart without any lag. */
function lagOf(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1_000_000 - LAG_RESOLUTION_MS)
}

function progressOf({ members }: Fleet): Omit<CameraProgress, "lagMs"> {
  let connected = 0
  let recorded = 0
  let discarded = 0
  let sealed = 0
  let uploaded = 0
  let received = 0
  for (const { tally } of members) {
    if (tally.connected) connected++
    for (const clip of tally.clips.values()) {
      if (clip.outcome === "recorded") recorded++
      if (clip.outcome === "discarded") discarded++
      if (clip.outcome !== "discarded") sealed += clip.objects
    }
    uploaded += tally.uploadedObjects
    received += tally.receivedEntries
  }
  return { connected, recorded, discarded, sealed, uploaded, received }
}

function resultOf({ camera, tally, fault }: Fleet["members"][number]): CameraResult {
  const { device, connects, settled, complaints, received, dropped } = tally
  const clips = [...tally.clips.values()]
  return { index: camera.camera, device, connects, settled, fault, complaints, clips, received, dropped }
}
