import type { CameraConfig } from "../config.ts"
import { isFault, messageOf } from "../errors.ts"
import type { Board } from "../ports.ts"
import { seconds } from "../units.ts"
import { WakeUp } from "../wake.ts"
import type { Identity } from "./identity.ts"
import { Link } from "./link.ts"
import type { Ownership, OwnershipFile } from "./ownership.ts"
import { FAILURES_MAX, PAIRING_WITHIN, PairingTranscript, type SetupCode } from "./pairing.ts"
import { PAIRING_BYTES_MAX, pairingTopic } from "./protocol.ts"
import { SpentCodes } from "./spent-codes.ts"

/** How often the camera says hello until the owner answers. */
const REPEAT_EVERY = seconds(2)
/** After success: how long the camera goes on confirming, in case the answer was lost. */
const CONFIRM_FOR = seconds(2.5)

export type PairingOutcome =
  | { readonly ok: true; readonly ownership: Ownership }
  | {
      readonly ok: false
      readonly reason: "too late" | "too many wrong offers" | "stopped" | "this setup text was used before"
    }

/**
 * The camera's side of pairing.ts, after the button was pressed and the setup text was seen. Whatever happens, the code
 * is dead from now on, after a restart too; a failure is a value, and the next press starts over with a fresh text.
 */
export async function pairWith(
  code: SetupCode,
  board: Pick<Board, "clock" | "random" | "dialler" | "disk" | "log">,
  config: CameraConfig["link"],
  identity: Identity,
  file: OwnershipFile,
  signal: AbortSignal,
): Promise<PairingOutcome> {
  const { clock, log } = board
  const transcript = new PairingTranscript(code)
  if (!(await new SpentCodes(board.disk).spend(transcript.rendezvous)))
    return { ok: false, reason: "this setup text was used before" }
  const hello = transcript.hello(identity.device, identity.key.hex)
  const topic = (step: "hello" | "offer" | "answer") => pairingTopic(transcript.rendezvous, step)

  const window = new AbortController()
  const close = () => window.abort()
  signal.addEventListener("abort", close, { once: true })
  const cancel = clock.after(PAIRING_WITHIN, close)

  let accepted: { ownership: Ownership; answer: Uint8Array; offer: Buffer } | null = null
  let failures = 0
  const offers: Buffer[] = []
  const arrival = new WakeUp()
  const link = new Link(board, config, {
    role: "camera",
    key: identity.key,
    broker: code.broker,
    subscriptions: [topic("offer")],
  })
  link.onMessage((name, payload) => {
    if (name !== topic("offer") || payload.length > PAIRING_BYTES_MAX || offers.length > FAILURES_MAX) return
    offers.push(Buffer.from(payload))
    arrival.wake()
  })
  const running = link.run(window.signal)
  log.write({ event: "pairing opened" })
  try {
    let confirmUntil = Number.POSITIVE_INFINITY
    while (!window.signal.aborted && failures < FAILURES_MAX && clock.monotonic() < confirmUntil) {
      const offer = offers.shift()
      if (offer && !accepted) {
        try {
          const record = transcript.openOffer(offer, hello)
          accepted = { ownership: await file.pair(record), answer: transcript.answer(offer), offer }
          confirmUntil = clock.monotonic() + CONFIRM_FOR
          log.write({ event: "paired", device: identity.device })
        } catch (error) {
          if (!isFault(error) || error.kind === "unavailable" || error.kind === "full") throw error
          failures++
          log.write({ event: "pairing failed", reason: messageOf(error), triesLeft: FAILURES_MAX - failures })
        }
      }
      await say(link, topic(accepted ? "answer" : "hello"), accepted?.answer ?? hello, window.signal)
      if (offers.length > 0) continue
      const wake = clock.after(accepted ? CONFIRM_FOR : REPEAT_EVERY, () => arrival.wake())
      await arrival.wait(window.signal)
      wake()
    }
  } finally {
    cancel()
    signal.removeEventListener("abort", close)
    close()
    await running
  }
  if (accepted) return { ok: true, ownership: accepted.ownership }
  if (failures >= FAILURES_MAX) return { ok: false, reason: "too many wrong offers" }
  return { ok: false, reason: signal.aborted ? "stopped" : "too late" }
}

async function say(link: Link, topic: string, message: Uint8Array, signal: AbortSignal): Promise<void> {
  if (!(await link.whenConnected(signal))) return
  try {
    await link.publish(topic, message)
  } catch (error) {
    // It is said again in two seconds.
    if (!isFault(error, "unavailable")) throw error
  }
}
