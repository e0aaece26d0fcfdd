import type { CameraConfig } from "../../firmware/config.ts"
import { verify } from "../../firmware/control/dsse.ts"
import { type PublicKey, type SigningKey, sha256Hex } from "../../firmware/control/keys.ts"
import { Link, type LinkParts } from "../../firmware/control/link.ts"
import { type Answer, answerShape, deviceTopic } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import { WakeUp } from "../../firmware/wake.ts"
import type { LogAnswer, LogAsk } from "../cloud/log/log-messages.ts"
import { HeardBeats } from "./heard-beats.ts"
import { LogQuestions } from "./log-questions.ts"

export interface OrderParts {
  readonly camera: PublicKey
  readonly owner: SigningKey
  readonly broker: { readonly name: string; readonly pin: string | null }
  readonly link: LinkParts
  readonly config: CameraConfig["link"]
}

/**
 * An owner's one connection for one camera: its heartbeats, orders that quote them, and the camera's signed answers. A
 * second connection with the same key would end this one.
 */
export class OrderLink {
  readonly beats: HeardBeats
  /** Told of every new heartbeat. */
  onBeat: () => void = () => undefined
  readonly #parts: OrderParts
  readonly #link: Link
  readonly #questions: LogQuestions
  readonly #answers = new Map<string, Answer>()
  readonly #news = new WakeUp()

  constructor(parts: OrderParts) {
    const { camera, owner, broker, config } = parts
    const answer = deviceTopic(camera.id, "answer")
    this.#parts = parts
    this.beats = new HeardBeats(camera)
    this.#questions = new LogQuestions({
      ...{ device: camera.id, clock: parts.link.clock, resendAfter: config.resendAfter },
      publish: (topic, payload) => this.#publish(topic, payload),
      whenConnected: (signal) => this.#link.whenConnected(signal),
    })
    const subscriptions = [answer, this.beats.topic, this.#questions.topic]
    this.#link = new Link(parts.link, config, { role: "owner", key: owner, broker, subscriptions })
    this.#link.onMessage((topic, payload) => {
      if (topic === answer) this.#hear(payload)
      else if (this.#questions.hear(topic, payload)) return
      else if (this.beats.hear(topic, payload)) this.onBeat()
    })
  }

  /** Ends when `signal` aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#link.run(signal)
  }

  /** Sends it once, if there is a connection. */
  say(envelope: Uint8Array): Promise<void> {
    return this.#publish(deviceTopic(this.#parts.camera.id, "command"), envelope)
  }

  /** Asks the cloud's access log; null when `signal` aborts first. */
  askLog(ask: LogAsk, signal: AbortSignal): Promise<LogAnswer | null> {
    return this.#questions.ask(ask, signal)
  }

  async #publish(topic: string, payload: Uint8Array): Promise<void> {
    try {
      await this.#link.publish(topic, payload)
    } catch (error) {
      if (!isFault(error, "unavailable")) throw error
    }
  }

  /** Sends it until the camera has answered; null when `signal` aborts first. */
  async order(envelope: Uint8Array, signal: AbortSignal): Promise<Answer | null> {
    const hash = sha256Hex(envelope)
    const { link, config } = this.#parts
    this.#answers.clear()
    while (await this.#link.whenConnected(signal)) {
      await this.say(envelope)
      const cancel = link.clock.after(config.resendAfter, () => this.#news.wake())
      if (!this.#answers.has(hash)) await this.#news.wait(signal)
      cancel()
      const answer = this.#answers.get(hash)
      if (answer) return answer
    }
    return null
  }

  #hear(payload: Buffer): void {
    try {
      const answer = verify("answer", payload, this.#parts.camera, answerShape)
      // Few are waited for, and a cloud may say many old ones.
      if (this.#answers.size < 100) this.#answers.set(answer.command, answer)
      this.#news.wake()
    } catch (error) {
      // Not this camera's word.
      if (!isFault(error)) throw error
    }
  }
}
