import type { CameraConfig } from "../../firmware/config.ts"
import { verify } from "../../firmware/control/dsse.ts"
import { type PublicKey, type SigningKey, sha256Hex } from "../../firmware/control/keys.ts"
import { Link, type LinkParts } from "../../firmware/control/link.ts"
import { answerShape, deviceTopic, heartbeatShape } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import type { UnixMilliseconds } from "../../firmware/units.ts"
import { WakeUp } from "../../firmware/wake.ts"
import { type Book, keyInUse, nextEpoch, withEpoch } from "./household-book.ts"

/** What was known of a camera when new recipients were signed for it. */
export interface Known {
  readonly device: string
  /** The newest sequence that the cloud shows, -1: nothing. */
  readonly newest: number
  /** The epoch that its newest heartbeat names, 0: none. */
  readonly epoch: number
}

/** Signs, in the book, every camera over to the key in use. One that is already stays as it is, and so does a retired one. */
export function withKeyForAll(book: Book, known: readonly Known[], signedAt: UnixMilliseconds): Book {
  let changed = book
  for (const camera of book.cameras) {
    if (camera.retired || camera.epochs.at(-1)?.key === keyInUse(book)) continue
    const { newest = -1, epoch = 0 } = known.find(({ device }) => device === camera.device) ?? {}
    changed = withEpoch(changed, camera.device, { epoch: nextEpoch(camera, epoch), signedAt, newest })
  }
  return changed
}

/**
 * confirmed  a signed heartbeat of the camera names these recipients: from now on it seals for them
 * accepted   it has answered that it will; no heartbeat has said so yet
 * silent     no answer: it is offline, or the cloud keeps back the one or the other
 */
export type Asked =
  | { readonly state: "confirmed" | "accepted" | "silent" }
  | { readonly state: "refused"; readonly reason: string }

/** Sends `envelope`, signed recipients, to `camera`, and waits until a heartbeat confirms it or `signal` aborts. */
export async function askToSealFor(
  envelope: Uint8Array,
  camera: PublicKey,
  owner: SigningKey,
  broker: { readonly name: string; readonly pin: string | null },
  parts: LinkParts,
  config: CameraConfig["link"],
  signal: AbortSignal,
): Promise<Asked> {
  const done = new AbortController()
  const stop = () => done.abort()
  signal.addEventListener("abort", stop, { once: true })
  const recipients = sha256Hex(envelope)
  const topics = { answer: deviceTopic(camera.id, "answer"), beat: deviceTopic(camera.id, "beat") }
  const state = { asked: { state: "silent" } as Asked }
  const news = new WakeUp()
  const link = new Link(parts, config, {
    role: "owner",
    key: owner,
    broker,
    subscriptions: [topics.answer, topics.beat],
  })
  link.onMessage((topic, payload) => {
    state.asked = readNews(topic, payload) ?? state.asked
    news.wake()
  })
  const readNews = (topic: string, payload: Buffer): Asked | null => {
    try {
      if (topic === topics.beat) {
        const beat = verify("heartbeat", payload, camera, heartbeatShape)
        return beat.recipients === recipients ? { state: "confirmed" } : null
      }
      if (topic !== topics.answer) return null
      const { command, result, reason } = verify("answer", payload, camera, answerShape)
      if (command !== recipients || state.asked.state !== "silent") return null
      return result === "done" ? { state: "accepted" } : { state: "refused", reason }
    } catch (error) {
      // Not this camera's word: the cloud may send what it likes.
      if (!isFault(error)) throw error
      return null
    }
  }
  const settled = () => state.asked.state === "confirmed" || state.asked.state === "refused"
  const running = link.run(done.signal)
  try {
    while (!settled() && (await link.whenConnected(done.signal))) {
      if (state.asked.state === "silent")
        await link.publish(deviceTopic(camera.id, "command"), envelope).catch((error: unknown) => {
          if (!isFault(error, "unavailable")) throw error
        })
      const cancel = parts.clock.after(config.resendAfter, () => news.wake())
      if (!settled()) await news.wait(done.signal)
      cancel()
    }
    return state.asked
  } finally {
    signal.removeEventListener("abort", stop)
    stop()
    await running
  }
}
