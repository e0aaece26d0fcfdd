import { Fault } from "../../firmware/errors.ts"
import { type Cloud, startCloud } from "../cloud/broker.ts"
import { openCloudKeys } from "../cloud/keys.ts"
import { serve, usageFromNow } from "./child.ts"
import { type LogFile, openLogFile } from "./log-file.ts"
import type { FromCloud, ToCloud } from "./messages.ts"

/** The cloud of a load test, in a process of its own, so that its cost can be told from the cameras'. */

let cloud: Cloud | null = null
let file: LogFile | null = null
let usage = usageFromNow()

serve<ToCloud, FromCloud>(async (message, send) => {
  switch (message.kind) {
    case "begin": {
      file = openLogFile(message.logFile)
      const { log } = file
      const { name, directory, keyFile } = message
      cloud = await startCloud({
        host: "127.0.0.1",
        port: 0,
        name,
        directory,
        keys: await openCloudKeys(keyFile),
        log: { write: (line) => log.info(line) },
      })
      const { port, identity, stats } = cloud
      send({ kind: "listening", port, identity })
      setInterval(() => send({ kind: "progress", bytes: stats.bytes }), 500).unref()
      return
    }
    case "run":
      usage = usageFromNow()
      return
    case "close": {
      if (!cloud) throw new Fault("broken", "closed before it began")
      const used = usage()
      await cloud.close()
      file?.flush()
      send({ kind: "closed", usage: used, stats: cloud.stats })
    }
  }
})
