import { Fault } from "../../../firmware/errors.ts"
import { Recent } from "../recent.ts"
import type { LogOfAccesses } from "./access-log.ts"
import { type AccessRecord, decodeRecord, traceOf } from "./records.ts"

/** Traces at hand: of the others the camera's mailbox tells. */
const KNOWN_MAX = 4_096

/**
 * Appends records of forced kinds, each once, however often its fact is shown: after a crash the camera's mailbox says
 * what was there before.
 */
export class OnceEach {
  readonly #log: LogOfAccesses
  readonly #known = new Recent<true>(KNOWN_MAX)
  readonly #going = new Map<string, Promise<void>>()

  constructor(log: LogOfAccesses) {
    this.#log = log
  }

  /** Durable when it resolves. @throws as `AccessLog.append`; Fault "broken": a record of no forced kind. */
  append(record: AccessRecord): Promise<void> {
    const trace = traceOf(record)
    if (trace === null) throw new Fault("broken", `no trace is of a ${record.kind}`)
    const name = `${record.device} ${trace}`
    if (this.#known.get(name)) return Promise.resolve()
    const going = this.#going.get(name) ?? this.#append(record, trace, name)
    this.#going.set(name, going)
    return going.finally(() => this.#going.delete(name))
  }

  async #append(record: AccessRecord, trace: string, name: string): Promise<void> {
    if (!(await this.#isLogged(record.device, trace))) await this.#log.append(record)
    this.#known.set(name, true)
  }

  async #isLogged(device: string, trace: string): Promise<boolean> {
    // What another door of this cloud appended a moment ago stands there then, too.
    await this.#log.publish()
    const entries = await this.#log.mailbox(device)
    return entries.some(({ record }) => traceOf(decodeRecord(record).record) === trace)
  }
}

/** Of words that come from elsewhere: one line, not blank, as long as a record takes. */
export function oneLine(text: string, otherwise: string): string {
  const line = Array.from(text.replace(/[\p{C}\s]+/gu, " ").trim())
  let kept = ""
  for (const character of line) if (kept.length + character.length <= 200) kept += character
  return kept === "" ? otherwise : kept
}
