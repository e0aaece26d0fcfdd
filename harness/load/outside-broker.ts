import { randomBytes } from "node:crypto"
import { TLSSocket } from "node:tls"
import { openMqtt } from "../../firmware/control/connection.ts"
import { sign } from "../../firmware/control/dsse.ts"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import { CHUNK_HEADER_BYTES, chunkFrame, decodeHave, deviceTopic } from "../../firmware/control/protocol.ts"
import { Fault, isFault, messageOf } from "../../firmware/errors.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../firmware/units.ts"
import { processClock } from "../../hardware/clock.ts"
import { networkDialler } from "../../hardware/dialler.ts"
import { sleep } from "../../simulator/sleep.ts"
import { ClientAuthority } from "../cloud/client-authority.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { type SubscriberOptions, trySubscriber } from "../cloud/subscriber.ts"
import type { OutsideBroker } from "./target.ts"

/** What the certificates of ingest and owners are made out to. An owner's own key lives for one pairing only. */
const INGEST = "obscura-ingest"
const OWNER = "obscura-owner"
const WITHIN: Milliseconds = seconds(10)
/** A broker may drop one message, and the ingest hears of the made-up camera only now. */
const TRIES = 3
const ANSWER_WITHIN: Milliseconds = seconds(2)

/** How the ingest comes to `broker`. */
export function ingestAt({
  url,
  ca,
  user,
  password,
  clients,
  subscribers,
}: OutsideBroker): Pick<SubscriberOptions, "url" | "connection" | "connections" | "share"> {
  const own = clients && new ClientAuthority(clients).issue(user ?? INGEST)
  return {
    url,
    connection: {
      ...(ca === null ? {} : { ca }),
      ...(user === null ? {} : { username: user }),
      ...(password === null ? {} : { password }),
      ...(own === null ? {} : { cert: own.certificate, key: own.key }),
    },
    connections: subscribers,
    // A name of this run's own: who shares it takes each other's messages.
    ...(subscribers > 1 ? { share: `obscura-${randomBytes(4).toString("hex")}` } : {}),
  }
}

/** How owners come to the broker at `url` for a pairing. */
export function ownersDialler(url: string, broker: OutsideBroker | null): Dialler {
  if (!broker?.clients) return networkDialler(url)
  return networkDialler(url, { client: new ClientAuthority(broker.clients).issue(OWNER) })
}

/**
 * Asks `broker` what a run needs of it, before there is anything to lose: that it is there and who it says it is, and that
 * it lets the ingest in and subscribe. Resolves with its certificate, PEM, which cameras pin; null on plain TCP.
 *
 * @throws Fault "usage", definite: one line.
 */
export async function meetBroker(broker: OutsideBroker): Promise<string | null> {
  const { url, ca, clients } = broker
  try {
    const client = clients && new ClientAuthority(clients).issue(INGEST)
    const options = { ...(ca === null ? {} : { ca }), ...(client === null ? {} : { client }) }
    const { stream } = await networkDialler(url, options).dial(null, AbortSignal.timeout(WITHIN))
    const certificate = stream instanceof TLSSocket ? stream.getPeerX509Certificate()?.toString() : undefined
    stream.destroy()
    await trySubscriber(ingestAt(broker))
    return certificate ?? null
  } catch (cause) {
    throw asUsage(cause, url)
  }
}

/**
 * Goes once all the way that every camera's messages go: a made-up camera says a chunk of an object that nobody knows, as
 * often as the ingest has connections, and must be told each time that nobody knows it.
 *
 * @throws Fault "usage", definite: one line.
 */
export async function rehearse(
  broker: OutsideBroker,
  cloud: CloudIdentity,
  admit: (device: string) => void,
): Promise<void> {
  const { url, clients, subscribers } = broker
  const key = signingKeyOf(randomBytes(32))
  admit(key.id)
  const dialler = clients
    ? networkDialler(url, { client: new ClientAuthority(clients).issue(key.id) })
    : networkDialler(url)
  try {
    const { stream, binding } = await dialler.dial(cloud.brokerKey, AbortSignal.timeout(WITHIN))
    const bound = binding === null ? null : Buffer.from(binding).toString("hex")
    const connect = {
      role: "camera" as const,
      broker: cloud.name,
      client: key.id,
      key: key.hex,
      binding: bound,
    }
    let hear: (id: string | null) => void = () => undefined
    const connection = await openMqtt({ stream, binding }, processClock(), {
      clientId: key.id,
      username: "camera",
      password: sign("connect", connect, key),
      ...{ keepAlive: seconds(30), connectWithin: WITHIN, signal: AbortSignal.timeout(WITHIN) },
      subscriptions: [deviceTopic(key.id, "have")],
      willTopic: deviceTopic(key.id, "gone"),
      onMessage: (_topic, payload) => hear(unknownIn(payload)),
    })
    try {
      for (let turn = 0; turn < subscribers; turn++) {
        const id = randomBytes(16).toString("hex")
        let heard = false
        const answered = new AbortController()
        hear = (told) => {
          if (told !== id) return
          heard = true
          answered.abort()
        }
        for (let tries = 0; tries < TRIES && !heard; tries++) {
          const chunk = chunkFrame(id, 0, 1).fill(0, CHUNK_HEADER_BYTES)
          await connection.publish(deviceTopic(key.id, "chunk"), chunk)
          await sleep(ANSWER_WITHIN, answered.signal)
        }
        if (!heard) throw new Fault("refused", NO_ANSWER[subscribers > 1 ? "shared" : "alone"])
      }
    } finally {
      connection.end()
    }
  } catch (cause) {
    throw asUsage(cause, url, "a camera: ")
  }
}

/** The object of which the cloud says that it knows nothing. */
function unknownIn(payload: Buffer): string | null {
  try {
    const have = decodeHave(payload)
    return "unknown" in have ? have.unknown : null
  } catch (error) {
    if (isFault(error, "malformed")) return null
    throw error
  }
}

const NO_ANSWER = {
  alone:
    "what a camera says does not come back from the ingest; its access list must let the ingest hear and say " +
    "obscura/1/#, and each camera obscura/1/<its id>/#",
  shared:
    "what a camera says does not come back from each of the ingest's connections; perhaps this broker has no shared " +
    "subscriptions: leave out --subscribers",
}

function asUsage(cause: unknown, url: string, whose = ""): Fault {
  const reason = messageOf(cause)
    .split("\n")[0]
    ?.replace(/^dial: /, "")
  return new Fault("usage", `--broker ${url}: ${whose}${reason}`, { cause })
}
