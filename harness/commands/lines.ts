import { type DestinationStream, type Logger, pino } from "pino"
import pretty from "pino-pretty"
import type { LogLine } from "../../firmware/log.ts"
import type { Log } from "../../firmware/ports.ts"
import { levelOf, rounded } from "../../hardware/program/log-lines.ts"
import type { CloudLine, CloudLog } from "../cloud/cloud-log.ts"
import type { AccountLine, AccountLog } from "../cloud/index/accounts.ts"

/** Of the cloud's lines; of a camera's, its own program says. */
const WARNINGS: ReadonlySet<string> = new Set([
  "bucket damaged",
  "refused",
  "door refused",
  "fork",
  "index away",
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

export function accountLog(logger: Logger): AccountLog {
  return { write: (line: AccountLine) => put(logger, "accounts", line) }
}

function put(logger: Logger, who: string, line: LogLine | CloudLine | AccountLine): void {
  const { event, ...fields } = line
  const level = WARNINGS.has(event) ? "warn" : levelOf(event)
  logger[level]({ who, event, ...rounded(fields) }, `${who}: ${event}`)
}
