import { type DestinationStream, type Logger, pino } from "pino"
import pretty from "pino-pretty"
import type { LogLine } from "../../firmware/log.ts"
import type { Log } from "../../firmware/ports.ts"
import type { CloudLine, CloudLog } from "../cloud/cloud-log.ts"

const WARNINGS = new Set([
  "lens lost",
  "media skipped",
  "long group of pictures",
  "clip lost",
  "clip recovered",
  "dropped",
  "disconnected",
  "upload repeated",
  "pairing failed",
  "upload refused",
  "receipt refused",
  "spool damaged",
  "bucket damaged",
  "refused",
  "door refused",
  "fork",
])

/** Lines for a person on a terminal, JSON for a machine anywhere else. */
export function makeLogger(
  toTerminal = process.stdout.isTTY === true,
  destination?: DestinationStream,
): Logger {
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (!toTerminal) return destination ? pino(options, destination) : pino(options)
  return pino(
    options,
    pretty({
      colorize: true,
      translateTime: "SYS:HH:MM:ss.l",
      ignore: "who,event",
      singleLine: true,
      sync: true,
    }),
  )
}

export function cameraLog(logger: Logger): Log {
  return { write: (line: LogLine) => put(logger, "camera", line) }
}

export function cloudLog(logger: Logger): CloudLog {
  return { write: (line: CloudLine) => put(logger, "cloud", line) }
}

function put(logger: Logger, who: string, line: LogLine | CloudLine): void {
  const { event, ...fields } = line
  const level = event === "fault" ? "error" : WARNINGS.has(event) ? "warn" : "info"
  logger[level]({ who, event, ...rounded(fields) }, `${who}: ${event}`)
}

/** Nobody reads the nanoseconds of a millisecond. */
function rounded(fields: object): object {
  const round = (value: unknown) => (typeof value === "number" ? Math.round(value * 10) / 10 : value)
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, round(value)]))
}
