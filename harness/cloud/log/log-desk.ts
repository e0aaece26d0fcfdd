import { sha256Hex } from "../../../firmware/control/keys.ts"
import { isFault } from "../../../firmware/errors.ts"
import type { Owns } from "../access.ts"
import { type CloudLog, type Refusal, writeFault } from "../cloud-log.ts"
import { readGrant } from "../viewers.ts"
import type { DoorRecords } from "./door-records.ts"
import {
  ANSWER_BYTES_MAX,
  CHECKPOINT_PATH,
  decodeQuestion,
  encodeAnswer,
  type LogAnswer,
  type LogQuestion,
  NO_LOG,
} from "./log-messages.ts"
import type { LogSource } from "./log-source.ts"
import { encodeMailboxEntry } from "./mailboxes.ts"

/** What the log's answers to one camera's owner wait for, and to all of them. More is dropped: they ask again. */
const AT_ONCE_OF_ONE = 8
const AT_ONCE = 256

export interface LogDeskOptions {
  /** null: this cloud keeps no access log. */
  readonly keeps: {
    readonly source: LogSource
    readonly records: DoorRecords
    /** Makes visible what was appended. */
    readonly publish: () => Promise<void>
  } | null
  readonly owns: Owns
  readonly log: CloudLog
  readonly send: (device: string, name: "logged", payload: Uint8Array) => void
}

type Keeps = NonNullable<LogDeskOptions["keeps"]>

/** Where owners ask the access log over the broker, which has made sure that it is the owner of that camera who asks. */
export class LogDesk {
  readonly #options: LogDeskOptions
  /** By camera: how many are being answered. */
  readonly #working = new Map<string, number>()
  readonly #all = new Set<Promise<void>>()

  constructor(options: LogDeskOptions) {
    this.#options = options
  }

  /** Takes one question; nothing that is sent makes it throw. A refusal is returned, and not answered. */
  take(device: string, payload: Buffer): Refusal | null {
    let question: LogQuestion
    try {
      question = decodeQuestion(payload)
    } catch (error) {
      if (isFault(error, "malformed")) return "malformed"
      throw error
    }
    const working = this.#working.get(device) ?? 0
    if (working >= AT_ONCE_OF_ONE || this.#all.size >= AT_ONCE) return "no room in memory"
    this.#working.set(device, working + 1)
    const answering: Promise<void> = this.#answer(device, question)
      .then((answer) => this.#options.send(device, "logged", encodeAnswer(answer)))
      .catch((error: unknown) => writeFault(this.#options.log, "access log", error))
      .finally(() => this.#done(device, answering))
    this.#all.add(answering)
    return null
  }

  async drained(): Promise<void> {
    await Promise.all(this.#all)
  }

  #done(device: string, answering: Promise<void>): void {
    this.#all.delete(answering)
    const left = (this.#working.get(device) ?? 1) - 1
    if (left > 0) this.#working.set(device, left)
    else this.#working.delete(device)
  }

  async #answer(device: string, { nonce, ask }: LogQuestion): Promise<LogAnswer> {
    const { keeps } = this.#options
    const done = { nonce, bytes: null, more: false, refused: null }
    if (keeps === null) return { ...done, refused: NO_LOG }
    switch (ask.kind) {
      case "file":
        return { ...done, bytes: base64(await this.#file(keeps, ask.path)) }
      case "mailbox":
        return { ...done, ...(await this.#records(keeps.source, device, ask.from)) }
      case "grant":
        return {
          ...done,
          refused: await this.#grant(keeps.records, device, Buffer.from(ask.grant, "base64")),
        }
    }
  }

  async #file({ source, publish }: Keeps, path: string): Promise<Uint8Array | null> {
    if (path !== CHECKPOINT_PATH) return source.tile(path)
    // So that nobody misses what was recorded a moment ago. Where nothing can be published the older one is the answer.
    await publish().catch((error: unknown) => writeFault(this.#options.log, "access log", error))
    return source.checkpoint()
  }

  async #records(
    source: LogSource,
    device: string,
    from: number,
  ): Promise<Pick<LogAnswer, "bytes" | "more">> {
    const frames = (await source.mailbox(device)).slice(from).map(encodeMailboxEntry)
    const fitting: Buffer[] = []
    let bytes = 0
    for (const frame of frames) {
      bytes += frame.length
      if (bytes > ANSWER_BYTES_MAX) break
      fitting.push(frame)
    }
    return { bytes: base64(Buffer.concat(fitting)), more: fitting.length < frames.length }
  }

  /** null: it is recorded. */
  async #grant(records: DoorRecords, device: string, envelope: Buffer): Promise<string | null> {
    const grant = readGrant(envelope, device, this.#options.owns)
    if (grant === null) return "no grant of this camera's owner"
    try {
      await records.grant(sha256Hex(envelope), grant)
      return null
    } catch (error) {
      writeFault(this.#options.log, "access log", error)
      return "the access log takes nothing now"
    }
  }
}

const base64 = (bytes: Uint8Array | null): string | null => bytes && Buffer.from(bytes).toString("base64")
