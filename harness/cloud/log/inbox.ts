import { randomBytes } from "node:crypto"
import { readdir, readFile, unlink } from "node:fs/promises"
import { join } from "node:path"
import { fromJson, toJson } from "../../../firmware/control/json.ts"
import { Fault, isFault } from "../../../firmware/errors.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { makeFolder } from "../../../hardware/make-folder.ts"
import type { LogOfAccesses } from "./access-log.ts"
import { logFault, privateFolder, replaceFile } from "./log-disk.ts"
import { OnceEach } from "./once.ts"
import { type AccessRecord, accessRecordShape, RECORD_BYTES_MAX, traceOf } from "./records.ts"

/**
 * Records from other programs of the same cloud, for one process alone writes its log: `private/inbox/<time>-<random>.json`,
 * durable before whoever left one goes on, taken into the log within a second or when the cloud starts again.
 *
 * A crash between append and removal brings a record twice; one of a forced kind is then found in its camera's mailbox
 * and not appended again.
 */
const INBOX = "inbox"
/** More that wait, and no cloud has taken them: whoever wants to look must wait too. */
const WAITING_MAX = 4_096
const TAKE_EVERY: Milliseconds = seconds(1)

const inboxOf = (directory: string): string => join(privateFolder(directory), INBOX)

/**
 * Leaves `record` for the log in `directory`; durable when it resolves.
 * @throws Fault "malformed", definite: no such record; "full", definite: too many wait, or no room; "usage", definite: the
 *         folder cannot be written.
 */
export async function leaveRecord(directory: string, record: AccessRecord): Promise<void> {
  const parsed = accessRecordShape.safeParse(record)
  if (!parsed.success) throw new Fault("malformed", "access log: no such record", { cause: parsed.error })
  const inbox = inboxOf(directory)
  try {
    await makeFolder(inbox)
    if ((await namesIn(inbox)).length >= WAITING_MAX)
      throw new Fault(
        "full",
        `access log ${directory}: ${WAITING_MAX} records wait; start the cloud, which takes them`,
      )
    const name = `${String(record.at).padStart(16, "0")}-${randomBytes(8).toString("hex")}.json`
    await replaceFile(join(inbox, name), toJson(parsed.data), 0o600)
  } catch (error) {
    throw logFault(error, directory)
  }
}

/** Takes what others leave, for as long as the log is open. */
export class Inbox {
  readonly #log: LogOfAccesses
  readonly #once: OnceEach
  readonly #directory: string
  readonly #onFault: (error: Fault) => void
  readonly #timer: NodeJS.Timeout
  #taking: Promise<void> | null = null
  #isFailing = false

  /** `onFault` hears once of each time that it begins to fail; what waits goes on waiting. */
  constructor(log: LogOfAccesses, directory: string, onFault: (error: Fault) => void) {
    this.#log = log
    this.#once = new OnceEach(log)
    this.#directory = directory
    this.#onFault = onFault
    this.#timer = setInterval(() => void this.take(), TAKE_EVERY)
    this.#timer.unref()
  }

  /** Resolves when all that waits now is in the log, or could not get there. */
  take(): Promise<void> {
    this.#taking ??= this.#takeAll()
      .then(
        () => {
          this.#isFailing = false
        },
        (error: unknown) => {
          const fault = logFault(error, this.#directory)
          if (!this.#isFailing) this.#onFault(fault)
          this.#isFailing = true
        },
      )
      .finally(() => {
        this.#taking = null
      })
    return this.#taking
  }

  /** Takes what is there, and no more after that. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#taking
    await this.take()
  }

  async #takeAll(): Promise<void> {
    for (const name of await namesIn(inboxOf(this.#directory))) await this.#takeOne(name)
  }

  async #takeOne(name: string): Promise<void> {
    const path = join(inboxOf(this.#directory), name)
    const record = this.#read(await readFile(path))
    if (record) await (traceOf(record) === null ? this.#log : this.#once).append(record)
    await unlink(path)
  }

  /** null: none, which is told and goes. Whoever can write here could also write a good one. */
  #read(bytes: Uint8Array): AccessRecord | null {
    try {
      return fromJson(bytes, accessRecordShape, "access record", RECORD_BYTES_MAX)
    } catch (error) {
      if (!isFault(error, "malformed")) throw error
      this.#onFault(error)
      return null
    }
  }
}

async function namesIn(inbox: string): Promise<readonly string[]> {
  try {
    return (await readdir(inbox)).filter((name) => name.endsWith(".json")).sort()
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return []
    throw error
  }
}
