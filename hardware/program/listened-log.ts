import type { LogLine } from "../../firmware/log.ts"
import type { Log } from "../../firmware/ports.ts"

export interface Listener {
  note(line: LogLine): void
}

/** A log that others follow, as soon as there are any: they hear what was written before, too. */
export class ListenedLog implements Log {
  readonly #log: Log
  #listeners: readonly Listener[] = []
  #early: LogLine[] | null = []

  constructor(log: Log) {
    this.#log = log
  }

  /** Once. */
  followedBy(...listeners: readonly Listener[]): void {
    const early = this.#early ?? []
    this.#early = null
    this.#listeners = listeners
    for (const line of early) this.#tell(line)
  }

  write(line: LogLine): void {
    this.#log.write(line)
    if (this.#early) this.#early.push(line)
    else this.#tell(line)
  }

  #tell(line: LogLine): void {
    for (const listener of this.#listeners) listener.note(line)
  }
}
