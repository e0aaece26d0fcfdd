import type { CameraConfig } from "../../firmware/config.ts"
import type { PublicKey, SigningKey } from "../../firmware/control/keys.ts"
import { Link, type LinkParts } from "../../firmware/control/link.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import { CHECKPOINT_PATH, type LogAnswer, type LogAsk } from "../cloud/log/log-messages.ts"
import type { LogSource } from "../cloud/log/log-source.ts"
import { type MailboxEntry, mailboxEntries } from "../cloud/log/mailboxes.ts"
import type { Broker } from "./command.ts"
import { HeardBeats } from "./heard-beats.ts"
import type { ForcedTrace } from "./log.ts"
import { LogQuestions } from "./log-questions.ts"

/** A camera's records that are asked for; a cloud that gives more of them without end is not listened to. */
const RECORDS_MAX = 1_000_000

export interface LogLinkParts {
  readonly broker: Broker
  readonly link: LinkParts
  readonly config: CameraConfig["link"]
  /** A fresh end of patience, for one question. */
  readonly until: () => AbortSignal
}

/**
 * A cloud's access log over its broker: a connection for each camera, for to the cloud each has an owner of its own. Closed
 * by whoever made it.
 */
export class RemoteLog implements LogSource {
  readonly #parts: LogLinkParts
  readonly #lines = new Map<string, Line>()

  constructor(cameras: ReadonlyMap<PublicKey, SigningKey>, parts: LogLinkParts) {
    this.#parts = parts
    for (const [camera, owner] of cameras) this.#lines.set(camera.id, new Line(camera, owner, parts))
  }

  checkpoint(): Promise<Uint8Array | null> {
    return this.tile(CHECKPOINT_PATH)
  }

  /** Public, so any of the owners that this one is may ask. @throws Fault "unavailable" or "refused", definite. */
  readonly tile = async (path: string): Promise<Uint8Array | null> => {
    const [line] = this.#lines.values()
    if (line === undefined) throw new Fault("broken", "a log without a camera")
    const { bytes } = await this.#ask(line, { kind: "file", path })
    return bytes === null ? null : Buffer.from(bytes, "base64")
  }

  /** @throws as `tile`; Fault "malformed", definite: no records. */
  async mailbox(device: string): Promise<readonly MailboxEntry[]> {
    const line = this.#lines.get(device)
    if (line === undefined) return []
    const all: MailboxEntry[] = []
    for (let more = true; more; ) {
      const answer = await this.#ask(line, { kind: "mailbox", from: all.length })
      const entries = [...mailboxEntries(Buffer.from(answer.bytes ?? "", "base64"))]
      all.push(...entries)
      more = answer.more
      if (more && (entries.length === 0 || all.length > RECORDS_MAX))
        throw new Fault("malformed", "log: the cloud announces records that it does not give")
    }
    return all
  }

  /** Of the camera's newest heartbeat, which the cloud says to whoever begins to listen; null: it said none in time. */
  async traceOfBeat(device: string): Promise<ForcedTrace | null> {
    const beat = await this.#lines.get(device)?.beats.next(this.#parts.until())
    return beat ? { device, trace: `key change ${beat.recipients}` } : null
  }

  async close(): Promise<void> {
    await Promise.all([...this.#lines.values()].map((line) => line.close()))
  }

  async #ask(line: Line, ask: LogAsk): Promise<LogAnswer> {
    const answer = await line.questions.ask(ask, this.#parts.until())
    if (answer === null) throw new Fault("unavailable", "the cloud does not answer about its access log")
    if (answer.refused !== null)
      throw new Fault("refused", `the cloud: ${answer.refused.replace(/\p{Cc}/gu, " ")}`)
    return answer
  }
}

class Line {
  readonly questions: LogQuestions
  readonly beats: HeardBeats
  readonly #done = new AbortController()
  readonly #running: Promise<void>

  constructor(camera: PublicKey, key: SigningKey, { broker, link: parts, config }: LogLinkParts) {
    this.beats = new HeardBeats(camera)
    this.questions = new LogQuestions({
      device: camera.id,
      clock: parts.clock,
      resendAfter: config.resendAfter,
      publish: async (topic, payload) => {
        try {
          await link.publish(topic, payload)
        } catch (error) {
          // It is asked again once there is a connection.
          if (!isFault(error, "unavailable")) throw error
        }
      },
      whenConnected: (signal) => link.whenConnected(signal),
    })
    const subscriptions = [this.questions.topic, this.beats.topic]
    const link = new Link(parts, config, { role: "owner", key, broker, subscriptions })
    link.onMessage((topic, payload) => {
      if (!this.questions.hear(topic, payload)) this.beats.hear(topic, payload)
    })
    this.#running = link.run(this.#done.signal)
  }

  async close(): Promise<void> {
    this.#done.abort()
    await this.#running
  }
}
