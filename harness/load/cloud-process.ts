import { dirname, join } from "node:path"
import { Fault } from "../../firmware/errors.ts"
import { seededRandom } from "../../simulator/random.ts"
import type { Cloud } from "../cloud/broker.ts"
import type { CloudLine } from "../cloud/cloud-log.ts"
import { openCloudKeys } from "../cloud/keys.ts"
import { type OpenLog, openCloudLog } from "../cloud/log/open-log.ts"
import { serve, usageFromNow } from "./child.ts"
import { CpuSplit, isIngest } from "./cpu-split.ts"
import { type BucketFaults, faultyBucket, noBucketFaults } from "./faulty-bucket.ts"
import { type LogFile, openLogFile } from "./log-file.ts"
import type { FromCloud, ToCloud } from "./messages.ts"
import { openRunBucket, startRunCloud } from "./ready-target.ts"

/** The cloud of a load test, in a process of its own, so that its cost can be told from the cameras'. */

const PROGRESS_EVERY_MS = 500
const MiB = 2 ** 20

let cloud: Cloud | null = null
let accessLog: OpenLog | null = null
let file: LogFile | null = null
let admitted: ReadonlySet<string> = new Set()
let faults: BucketFaults = noBucketFaults
const split = new CpuSplit(isIngest)
let usage = usageFromNow(split)

serve<ToCloud, FromCloud>(async (message, send) => {
  switch (message.kind) {
    case "begin": {
      await split.start()
      file = openLogFile(message.logFile)
      const { log } = file
      const { name, port, directory, keyFile, seed, target } = message
      const inner = await openRunBucket(directory, target.bucket)
      const bucket = faultyBucket(inner, () => faults, seededRandom(seed, "bucket"))
      const keys = await openCloudKeys(keyFile)
      const lines = { write: (line: CloudLine) => log.info(line) }
      accessLog = await openCloudLog(join(dirname(directory), "log"), name, keys.log, lines)
      const options = { port, name, directory, bucket, keys, log: lines, accessLog: accessLog.log }
      cloud = await startRunCloud(options, target, (device) => admitted.has(device))
      const { identity, stats } = cloud
      send({ kind: "listening", port: cloud.port, identity })
      const tell = () =>
        send({
          kind: "progress",
          bytes: stats.bytes,
          usage: usage(),
          memoryMiB: process.memoryUsage.rss() / MiB,
        })
      setInterval(tell, PROGRESS_EVERY_MS).unref()
      return
    }
    case "run":
      split.count()
      usage = usageFromNow(split)
      return
    case "admit":
      admitted = new Set(message.devices)
      return
    case "faults":
      faults = message.faults
      return
    case "close": {
      if (!cloud) throw new Fault("broken", "closed before it began")
      const measured = usage() // what comes now is the harness's
      await split.stop()
      const used = { ...measured, share: split.share }
      await cloud.close()
      await accessLog?.close()
      file?.flush()
      send({ kind: "closed", usage: used, seen: split.seconds, stats: cloud.stats })
    }
  }
})
