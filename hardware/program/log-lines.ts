import { fstatSync } from "node:fs"
import { type DestinationStream, type Logger, pino } from "pino"
import { prettyFactory } from "pino-pretty"
import type { LogLine } from "../../firmware/log.ts"
import type { Log } from "../../firmware/ports.ts"

const WARNINGS: ReadonlySet<string> = new Set([
  "lens lost",
  "lens warning",
  "helper restarted",
  "media skipped",
  "long group of pictures",
  "clip lost",
  "clip recovered",
  "dropped",
  "disconnected",
  "upload repeated",
  "upload refused",
  "pairing failed",
  "receipt refused",
  "spool damaged",
  "reset",
] satisfies LogLine["event"][])

/** "journal": JSON with the priority before it. "json": one object a line. "people": for a terminal. */
export type LineForm = "journal" | "json" | "people"

/**
 * By what reads our standard output. systemd names its journal's socket in JOURNAL_STREAM (systemd.exec(5)); a child whose
 * output was sent elsewhere inherits the name, so it counts only while it is what standard output really is.
 */
export function formFor(env: NodeJS.ProcessEnv, isTerminal = process.stdout.isTTY === true): LineForm {
  if (isTerminal) return "people"
  return env.JOURNAL_STREAM !== undefined && env.JOURNAL_STREAM === streamOf(1) ? "journal" : "json"
}

export function piLog(form: LineForm, out: DestinationStream = pino.destination({ fd: 1, sync: true })): Log {
  const logger = loggerFor(form, out)
  return { write: (line) => put(logger, line) }
}

function loggerFor(form: LineForm, out: DestinationStream): Logger {
  const options = { base: null, timestamp: pino.stdTimeFunctions.isoTime }
  if (form === "people") return pino(options, forPeople(out))
  return form === "json" ? pino(options, out) : pino({ ...options, timestamp: false }, withPriority(out))
}

function forPeople(out: DestinationStream): DestinationStream {
  const spell = prettyFactory({
    ...{ colorize: process.stdout.isTTY === true, translateTime: "SYS:HH:MM:ss.l" },
    ...{ ignore: "event", singleLine: true },
  })
  return { write: (line) => out.write(spell(line)) }
}

/** The journal takes the level from `<N>` before a line (sd-daemon(3)), so that `journalctl -p warning` finds it. */
function withPriority(out: DestinationStream): DestinationStream {
  return {
    write(line: string) {
      const level = Number(/^\{"level":(\d+)/.exec(line)?.[1] ?? 30)
      out.write(`<${level >= 50 ? 3 : level >= 40 ? 4 : 6}>${line}`)
    },
  }
}

function put(logger: Logger, line: LogLine): void {
  const { event, ...fields } = line
  logger[levelOf(event)]({ event, ...rounded(fields) }, event)
}

export function levelOf(event: string): "info" | "warn" | "error" {
  return event === "fault" ? "error" : WARNINGS.has(event) ? "warn" : "info"
}

/** Nobody reads the nanoseconds of a millisecond. */
export function rounded(fields: object): object {
  const round = (value: unknown) => (typeof value === "number" ? Math.round(value * 10) / 10 : value)
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, round(value)]))
}

function streamOf(descriptor: number): string | null {
  try {
    const { dev, ino } = fstatSync(descriptor)
    return `${dev}:${ino}`
  } catch {
    // Closed: whatever reads it, it is not the journal.
    return null
  }
}
