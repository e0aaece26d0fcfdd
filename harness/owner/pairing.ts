import { randomBytes } from "node:crypto"
import type { CameraConfig } from "../../firmware/config.ts"
import { type PublicKey, publicKeyFromHex, signingKeyOf } from "../../firmware/control/keys.ts"
import { Link, type LinkParts } from "../../firmware/control/link.ts"
import {
  FAILURES_MAX,
  PAIRING_WITHIN,
  PairingTranscript,
  type SetupCode,
} from "../../firmware/control/pairing.ts"
import { pairingTopic } from "../../firmware/control/protocol.ts"
import { Fault, isFault } from "../../firmware/errors.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import { WakeUp } from "../../firmware/wake.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import type { OwnerKeys } from "./keys.ts"

const REPEAT_EVERY: Milliseconds = 2_000

/** Rendezvous of the codes that this process has waited with: each is good for one attempt, whatever came of it. */
const spent = new Set<string>()

interface Offering {
  readonly hello: Uint8Array
  readonly message: Uint8Array
  readonly camera: PublicKey
}

/**
 * The owner's side of pairing: waits at the rendezvous for the camera that was shown `code`, offers itself, and waits
 * for the answer. The camera will seal for `recipient`, the household key in use. Resolves with the camera's key; null
 * when `signal` aborts first, or after PAIRING_WITHIN. The code is dead afterwards, as it is for the camera.
 *
 * @throws Fault "usage", definite: the code was used before; Fault "refused", definite: FAILURES_MAX messages at the
 *         rendezvous were not made with it. To know where that is, is to have seen the code, or to carry its messages.
 */
export async function pairAsOwner(
  code: SetupCode,
  keys: OwnerKeys,
  cloud: CloudIdentity,
  parts: LinkParts,
  config: CameraConfig["link"],
  signal: AbortSignal,
  recipient = keys.householdRecipient,
): Promise<PublicKey | null> {
  const transcript = new PairingTranscript(code)
  if (spent.has(transcript.rendezvous))
    throw new Fault("usage", "pairing: this setup text was used before; ask for a new one")
  spent.add(transcript.rendezvous)
  const topic = (step: "hello" | "offer" | "answer") => pairingTopic(transcript.rendezvous, step)
  const done = new AbortController()
  const stop = () => done.abort()
  signal.addEventListener("abort", stop, { once: true })

  const cancelWindow = parts.clock.after(PAIRING_WITHIN, stop)

  let failures = 0
  let offer: Offering | null = null
  let paired: PublicKey | null = null
  const news = new WakeUp()
  // A key for this conversation alone: nothing links it to the owner's other cameras.
  const link = new Link(parts, config, {
    role: "owner",
    key: signingKeyOf(randomBytes(32)),
    broker: code.broker,
    subscriptions: [topic("hello"), topic("answer")],
  })
  link.onMessage((name, payload) => {
    try {
      // A camera that was restarted meanwhile says a new hello, and wants an offer that answers it.
      if (name === topic("hello") && !(offer && payload.equals(offer.hello)))
        offer = offerFor(Buffer.from(payload), transcript, keys, cloud, recipient)
      if (name === topic("answer") && offer) {
        transcript.openAnswer(payload, offer.message)
        paired = offer.camera
      }
    } catch (error) {
      if (!isFault(error)) throw error
      if (++failures >= FAILURES_MAX) stop()
    }
    news.wake()
  })
  const running = link.run(done.signal)
  try {
    while (!paired && !done.signal.aborted) {
      const saying: Uint8Array | undefined = (offer as Offering | null)?.message
      if (saying && link.connected) await say(link, topic("offer"), saying)
      const cancel = parts.clock.after(REPEAT_EVERY, () => news.wake())
      if (!paired) await news.wait(done.signal)
      cancel()
    }
  } finally {
    cancelWindow()
    signal.removeEventListener("abort", stop)
    stop()
    await running
  }
  if (!paired && failures >= FAILURES_MAX)
    throw new Fault(
      "refused",
      `pairing: ${failures} messages were not made with this setup text; it is dead now, ask for a new one`,
    )
  return paired
}

function offerFor(
  hello: Uint8Array,
  transcript: PairingTranscript,
  keys: OwnerKeys,
  cloud: CloudIdentity,
  recipient: string,
): Offering {
  const { device, key } = transcript.openHello(hello)
  const camera = publicKeyFromHex(key)
  if (camera.id !== device)
    throw new Fault("tampered", "pairing hello: the device is not the hash of its key")
  const message = transcript.offer(hello, {
    owner: keys.signingKeyFor(device).hex,
    broker: { name: cloud.name, pin: cloud.brokerKey },
    receiptKey: cloud.receiptKey,
    logKey: cloud.logKey,
    recipients: Buffer.from(keys.recipientsFor(device, 1, recipient)).toString("base64"),
  })
  return { hello, message, camera }
}

async function say(link: Link, topic: string, message: Uint8Array): Promise<void> {
  try {
    await link.publish(topic, message)
  } catch (error) {
    if (!isFault(error, "unavailable")) throw error
  }
}
