import { randomBytes } from "node:crypto"
import type { CameraConfig } from "../../firmware/config.ts"
import { sign, verify } from "../../firmware/control/dsse.ts"
import { type PublicKey, type SigningKey, sha256Hex } from "../../firmware/control/keys.ts"
import { Link, type LinkParts } from "../../firmware/control/link.ts"
import { type Answer, answerShape, deviceTopic, type Resend } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import { WakeUp } from "../../firmware/wake.ts"

/** A command to send again what sequences `from` to `to` list. */
export function resendCommand(device: string, from: number, to: number, owner: SigningKey): Uint8Array {
  const body: Resend = { device, nonce: randomBytes(16).toString("hex"), from, to }
  return sign("resend", body, owner)
}

/**
 * Sends `command`, an envelope, to `camera` and waits for its signed answer; null when `signal` aborts first. The cloud
 * lets an owner do so once the camera's heartbeat has named this owner's key.
 */
export function sendCommand(
  command: Uint8Array,
  camera: PublicKey,
  owner: SigningKey,
  broker: Broker,
  parts: LinkParts,
  config: CameraConfig["link"],
  signal: AbortSignal,
): Promise<Answer | null> {
  const question = {
    ...{
      message: command,
      to: deviceTopic(camera.id, "command"),
      answersAt: deviceTopic(camera.id, "answer"),
    },
    read: (payload: Uint8Array) => {
      const answer = verify("answer", payload, camera, answerShape)
      return answer.command === sha256Hex(command) ? answer : null
    },
  }
  return ask(question, owner, broker, parts, config, signal)
}

export interface Broker {
  readonly name: string
  readonly pin: string | null
}

export interface Question<T> {
  readonly message: Uint8Array
  /** Topics. */
  readonly to: string
  readonly answersAt: string
  /** The answer that a payload is; null if it is one to something else. Throws a Fault if it is none. */
  read(payload: Buffer): T | null
}

/** Says it again and again until it is answered; null when `signal` aborts first. */
export async function ask<T>(
  { message, to, answersAt, read }: Question<T>,
  owner: SigningKey,
  broker: Broker,
  parts: LinkParts,
  config: CameraConfig["link"],
  signal: AbortSignal,
): Promise<T | null> {
  const done = new AbortController()
  const stop = () => done.abort()
  signal.addEventListener("abort", stop, { once: true })
  let answer: T | null = null
  const news = new WakeUp()
  const link = new Link(parts, config, { role: "owner", key: owner, broker, subscriptions: [answersAt] })
  link.onMessage((name, payload) => {
    if (name !== answersAt) return
    try {
      answer ??= read(payload)
    } catch (error) {
      // Not their word: the cloud may send what it likes.
      if (!isFault(error)) throw error
    }
    news.wake()
  })
  const running = link.run(done.signal)
  try {
    while (answer === null && (await link.whenConnected(done.signal))) {
      await link.publish(to, message).catch((error: unknown) => {
        if (!isFault(error, "unavailable")) throw error
      })
      const cancel = parts.clock.after(config.resendAfter, () => news.wake())
      if (answer === null) await news.wait(done.signal)
      cancel()
    }
    return answer
  } finally {
    signal.removeEventListener("abort", stop)
    stop()
    await running
  }
}
