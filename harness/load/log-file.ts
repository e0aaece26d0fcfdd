import { type DestinationStream, type Logger, pino } from "pino"
import { type Bytes, KiB } from "../../firmware/units.ts"

/** Thousands of lines a second are not to cost a write each. */
const BUFFER_BYTES: Bytes = 8 * KiB

/** Lines of JSON in a file of their own; written in batches, and all of them at `flush` or when the process ends. */
export interface LogFile {
  readonly log: Logger
  flush(): void
}

export function openLogFile(path: string): LogFile {
  const file: DestinationStream & { flushSync(): void } = pino.destination({
    dest: path,
    sync: false,
    minLength: BUFFER_BYTES,
  })
  const log = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, file)
  return { log, flush: () => file.flushSync() }
}
