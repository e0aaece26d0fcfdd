import { randomBytes } from "node:crypto"
import { deviceTopic } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import type { Clock } from "../../firmware/ports.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { WakeUp } from "../../firmware/wake.ts"
import { decodeAnswer, encodeQuestion, type LogAnswer, type LogAsk } from "../cloud/log/log-messages.ts"

interface Asking {
  answer: LogAnswer | null
  readonly news: WakeUp
}

export interface QuestionParts {
  readonly device: string
  readonly clock: Clock
  readonly resendAfter: Milliseconds
  /** Sends once, if there is a connection. */
  readonly publish: (topic: string, payload: Uint8Array) => Promise<void>
  readonly whenConnected: (signal: AbortSignal) => Promise<boolean>
}

/** Questions to a cloud's access log about one camera, over a connection that somebody else holds. */
export class LogQuestions {
  /** What the connection must hear. */
  readonly topic: string
  readonly #parts: QuestionParts
  readonly #asking = new Map<string, Asking>()

  constructor(parts: QuestionParts) {
    this.#parts = parts
    this.topic = deviceTopic(parts.device, "logged")
  }

  /** false: not for these questions. */
  hear(topic: string, payload: Uint8Array): boolean {
    if (topic !== this.topic) return false
    try {
      const answer = decodeAnswer(payload)
      const asking = this.#asking.get(answer.nonce)
      if (asking) asking.answer = answer
      asking?.news.wake()
    } catch (error) {
      // The cloud may send what it likes.
      if (!isFault(error)) throw error
    }
    return true
  }

  /** Asks until it is answered; null when `signal` aborts first. */
  async ask(ask: LogAsk, signal: AbortSignal): Promise<LogAnswer | null> {
    const { device, clock, resendAfter, publish, whenConnected } = this.#parts
    const nonce = randomBytes(16).toString("hex")
    const asking: Asking = { answer: null, news: new WakeUp() }
    this.#asking.set(nonce, asking)
    try {
      while (asking.answer === null && (await whenConnected(signal))) {
        await publish(deviceTopic(device, "log"), encodeQuestion({ nonce, ask }))
        const cancel = clock.after(resendAfter, () => asking.news.wake())
        if (asking.answer === null) await asking.news.wait(signal)
        cancel()
      }
      return asking.answer
    } finally {
      this.#asking.delete(nonce)
    }
  }
}
