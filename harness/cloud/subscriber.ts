import { connectAsync, type IClientOptions, type MqttClient } from "mqtt"
import type { PublicKey } from "../../firmware/control/keys.ts"
import {
  deviceTopic,
  FROM_CAMERA,
  FROM_OWNER,
  type FromCamera,
  parseTopic,
} from "../../firmware/control/protocol.ts"
import { Fault, messageOf } from "../../firmware/errors.ts"
import { type Bytes, MiB, seconds } from "../../firmware/units.ts"
import type { Bucket } from "./bucket.ts"
import { ChunkOrder } from "./chunk-order.ts"
import type { CloudStats } from "./cloud-log.ts"
import { openStore, type StoreOptions } from "./store.ts"

export interface SubscriberOptions extends StoreOptions {
  /** mqtt:// or mqtts:// of any MQTT 3.1.1 broker. Who may connect and publish there is that broker's business. */
  readonly url: string
  /** Credentials, client certificate and the like, as mqtt.js takes them. */
  readonly connection?: Pick<IClientOptions, "username" | "password" | "ca" | "cert" | "key" | "clientId">
  /**
   * The key whose hash is `device`, from wherever this cloud registers its cameras. Absent: there is no CONNECT here to
   * learn it from, so a camera is taken in when its first heartbeat has introduced it.
   */
  readonly keyOf?: (device: string) => PublicKey | null
  /** Whose messages are taken, at a broker that others use too; the rest is theirs. Absent: everybody's. */
  readonly admits?: (device: string) => boolean
  /** Name of a shared subscription, where the broker has them: several subscribers then take turns by message. */
  readonly share?: string
  /**
   * How many connections take turns, for brokers that bound what waits for each. All feed one ingest, in order again: what
   * a camera says comes in parts, and those belong together. More than one need `share`. Default 1.
   */
  readonly connections?: number
}

export interface Subscriber {
  readonly bucket: Bucket
  readonly stats: CloudStats
  close(): Promise<void>
}

/** Answers waiting for a slow broker. Beyond this they are dropped: cameras ask again. */
const UNSENT_BYTES_MAX: Bytes = 16 * MiB
const CONNECT_WITHIN = seconds(10)

/**
 * The ingest's second door: a subscriber at a broker that is not ours. That broker's PUBACK promises nothing, and it may
 * drop what a slow subscriber does not take; nothing acknowledged is lost by it, for cameras wait for receipts.
 *
 * Messages are taken as they come, without a queue: the ingest's own memory is bounded and what does not fit is dropped.
 *
 * @throws Fault "unavailable", definite: the broker does not answer or refuses; "refused": it does not let us subscribe;
 *         the bucket's reasons.
 */
export async function startSubscriber(options: SubscriberOptions): Promise<Subscriber> {
  const clients = await connectAll(options)
  const { log } = options
  const fault = (where: string, error: Error) =>
    log.write({ event: "fault", where, kind: "unavailable", reason: messageOf(error) })
  // From here on, for opening the bucket takes time: an error that nobody hears ends the process.
  for (const client of clients) client.on("error", (error) => fault("subscriber", error))
  const send = (device: string, name: string, payload: Uint8Array): void => {
    // One connection a camera, for its answers must not overtake each other.
    const client = clients[Number.parseInt(device.slice(0, 8), 16) % clients.length]
    if (!client?.connected || unsentBytes(client) > UNSENT_BYTES_MAX) return
    client.publish(`obscura/1/${device}/${name}`, Buffer.from(payload), { qos: 0 }, (error) => {
      if (error) fault(name, error)
    })
  }
  try {
    const store = await openStore(options, options.keyOf ?? (() => null), send)
    const order = clients.length > 1 ? new ChunkOrder(store.ingest) : null
    try {
      for (const client of clients) {
        client.on("message", (text, payload, { retain }) => {
          const topic = parseTopic(text)
          if (retain || topic === null || !("device" in topic)) return
          const { device, name } = topic
          if (options.admits?.(device) === false) return
          if (name === "delete") store.deletions.take(device, payload)
          if (!isFromCamera(name)) return
          if (order) order.take(device, name, payload)
          else store.ingest.take(device, name, payload)
        })
        await subscribe(client, options.share)
      }
    } catch (error) {
      await endAll(clients)
      order?.close()
      await store.close()
      throw error
    }
    return {
      bucket: store.bucket,
      stats: store.stats,
      async close() {
        await endAll(clients)
        order?.close()
        await store.close()
      },
    }
  } catch (error) {
    await endAll(clients)
    throw error
  }
}

/** Comes, subscribes and leaves. @throws as `startSubscriber`. */
export async function trySubscriber(
  options: Pick<SubscriberOptions, "url" | "connection" | "share">,
): Promise<void> {
  const client = await connect(options)
  client.on("error", () => undefined) // whoever is thrown out while subscribing hears it from that
  try {
    await subscribe(client, options.share)
  } finally {
    await client.endAsync(true)
  }
}

type Address = Pick<SubscriberOptions, "url" | "connection" | "connections">

async function connectAll(options: Address): Promise<readonly MqttClient[]> {
  const clients: MqttClient[] = []
  try {
    for (let n = 0; n < (options.connections ?? 1); n++) clients.push(await connect(options))
    return clients
  } catch (error) {
    await endAll(clients)
    throw error
  }
}

async function endAll(clients: readonly MqttClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.endAsync(true)))
}

async function connect({ url, connection }: Address): Promise<MqttClient> {
  try {
    return await connectAsync(
      url,
      {
        ...connection,
        protocolVersion: 4,
        clean: true,
        connectTimeout: CONNECT_WITHIN,
        reconnectPeriod: 1_000,
      },
      false,
    )
  } catch (cause) {
    throw connectFault(cause)
  }
}

/** Of CONNACK (MQTT 3.1.1 §3.2.2.3): bad user name or password; not authorised. */
const REFUSALS = new Set([4, 5])

function connectFault(cause: unknown): Fault {
  const code: unknown = cause instanceof Error && "code" in cause ? cause.code : null
  if (typeof code === "number" && REFUSALS.has(code))
    return new Fault("refused", "the broker refuses the ingest; check its user and password", { cause })
  if (typeof code === "string" && code.startsWith("ERR_SSL"))
    return new Fault(
      "refused",
      "the broker refuses the ingest's TLS; perhaps it wants a client certificate",
      {
        cause,
      },
    )
  return new Fault("unavailable", "the broker does not let the subscriber in; check its address", { cause })
}

const NOT_SUBSCRIBED = "the broker does not let the ingest subscribe; check its access list"

/** Quality 0: the broker need not wait for us to acknowledge chunks whose receipt is still to come. */
async function subscribe(client: MqttClient, share: string | undefined): Promise<void> {
  const prefix = share === undefined ? "" : `$share/${share}/`
  // Who may hear the log's answers there is for that broker's list to say; so there it answers nobody.
  const names = [...FROM_CAMERA, ...FROM_OWNER].filter((name) => name !== "answer" && name !== "log")
  const filters = names.map((name) => `${prefix}${deviceTopic("+", name)}`)
  let granted: readonly { readonly qos: number }[]
  try {
    granted = await client.subscribeAsync(filters, { qos: 0 })
  } catch (cause) {
    throw new Fault("refused", NOT_SUBSCRIBED, { cause })
  }
  if (granted.some(({ qos }) => qos === 128)) throw new Fault("refused", NOT_SUBSCRIBED)
}

function unsentBytes(client: MqttClient): Bytes {
  return client.stream.writableLength
}

function isFromCamera(name: string): name is FromCamera {
  return (FROM_CAMERA as readonly string[]).includes(name)
}
