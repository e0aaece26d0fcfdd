import { type ISubscriptionMap, MqttClient, type Packet, Store } from "mqtt"
import { Fault, messageOf } from "../errors.ts"
import type { Clock, Connection } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { boundIncomingPackets } from "./packet-bound.ts"
import { PAYLOAD_BYTES_MAX } from "./protocol.ts"

/**
 * One MQTT 3.1.1 connection, from CONNECT to its end; never reused. The only file that knows mqtt.js.
 * Its own reconnecting is off: `link.ts` decides when to come back.
 */
export interface MqttOptions {
  readonly clientId: string
  readonly username: string
  readonly password: Uint8Array
  readonly keepAlive: Milliseconds
  readonly connectWithin: Milliseconds
  /** Literal topics, subscribed at QoS 1 before `openMqtt` resolves. */
  readonly subscriptions: readonly string[]
  /** Topic of an empty last will; null for none. */
  readonly willTopic: string | null
  readonly onMessage: (topic: string, payload: Buffer) => void
  /** Gives up connecting. Once connected it has no further effect. */
  readonly signal: AbortSignal
}

export interface MqttConnection {
  /** QoS 1. Resolves on PUBACK, which says that a broker took it, not that the cloud has it. Rejects with Fault "unavailable", indefinite. */
  publish(topic: string, payload: Uint8Array): Promise<void>
  /** Since when the oldest publish waits for its PUBACK, on the monotonic clock; null: none does. */
  waitingSince(): Milliseconds | null
  /** Ends at once. Whatever was in flight rejects. */
  end(): void
  /** Why it ended; resolves once. */
  readonly ended: Promise<string>
}

/** The longest topic and the packet's own fields. */
const TOPIC_BYTES_MAX = 200

/**
 * Resolves when connected and subscribed.
 * @throws Fault "refused", definite: the broker said no (CONNACK or SUBACK); "unavailable", definite: it did not answer.
 */
export async function openMqtt(
  connection: Connection,
  clock: Clock,
  options: MqttOptions,
): Promise<MqttConnection> {
  const { stream } = connection
  const outgoingStore = new Store()
  const client = new MqttClient(() => stream, {
    protocolVersion: 4,
    clean: true,
    clientId: options.clientId,
    username: options.username,
    password: Buffer.from(options.password.buffer, options.password.byteOffset, options.password.length),
    keepalive: Math.ceil(options.keepAlive / 1_000),
    // A timer re-armed for every packet costs more than one ping a minute too many.
    reschedulePings: false,
    reconnectPeriod: 0,
    connectTimeout: options.connectWithin,
    resubscribe: false,
    queueQoSZero: false,
    writeCache: false,
    timerVariant: repeating(clock),
    outgoingStore,
    // Its debug lines cost even where nobody reads them.
    log: () => undefined,
    ...(options.willTopic === null
      ? {}
      : { will: { topic: options.willTopic, payload: Buffer.alloc(0), qos: 1 as const, retain: false } }),
  })
  storeIdsAlone(client, outgoingStore)
  const inFlight = new Map<(fault: Fault) => void, Milliseconds>()
  let reason = "the connection closed"
  const ended = new Promise<string>((resolve) => {
    client.on("error", (error) => {
      reason = messageOf(error)
    })
    client.on("close", () => {
      for (const reject of inFlight.keys()) reject(new Fault("unavailable", reason, { definite: false }))
      inFlight.clear()
      resolve(reason)
    })
  })
  const end = () => {
    client.end(true)
    stream.destroy()
  }
  // A broker is not trusted with our memory: what is too long, or at a quality we never asked for, ends the connection.
  boundIncomingPackets(stream, PAYLOAD_BYTES_MAX + TOPIC_BYTES_MAX, end)
  client.on("packetreceive", (packet) => {
    if (packet.cmd === "publish" && packet.qos > 1) end()
  })
  const failure = ended.then((why) => {
    throw new Fault(/not authorized|refused|bad user/i.test(why) ? "refused" : "unavailable", why)
  })
  // Every connection ends some time; only one that ends while it is being opened is a failure of this call.
  failure.catch(() => undefined)
  options.signal.addEventListener("abort", end, { once: true })
  try {
    if (options.signal.aborted) throw new Fault("unavailable", "the broker did not answer in time")
    await Promise.race([new Promise<void>((resolve) => client.once("connect", () => resolve())), failure])
    client.on("message", options.onMessage)
    if (options.subscriptions.length > 0)
      await Promise.race([subscribe(client, options.subscriptions), failure])
  } catch (error) {
    end()
    throw error
  } finally {
    options.signal.removeEventListener("abort", end)
  }
  return {
    publish: (topic, payload) =>
      new Promise((resolve, reject) => {
        inFlight.set(reject, clock.monotonic())
        const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length)
        client.publish(topic, bytes, { qos: 1 }, (error) => {
          inFlight.delete(reject)
          if (error) reject(new Fault("unavailable", messageOf(error), { definite: false, cause: error }))
          else resolve()
        })
      }),
    waitingSince: () => inFlight.values().next().value ?? null,
    end,
    ended,
  }
}

async function subscribe(client: MqttClient, topics: readonly string[]): Promise<void> {
  const map: ISubscriptionMap = Object.fromEntries(topics.map((topic) => [topic, { qos: 1 as const }]))
  try {
    const granted = await client.subscribeAsync(map)
    const denied = granted.find(({ qos }) => qos > 2)
    if (denied) throw new Fault("refused", "the broker refused a subscription")
  } catch (cause) {
    throw new Fault("refused", `the broker refused a subscription: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Of each message not yet acknowledged mqtt.js stores a deep copy, payload included, to send again over its next
 * connection. There is none: `publish` rejects when this one ends, and whoever published has the bytes. So only the
 * message's id is stored, which mqtt.js looks for at PUBACK.
 */
function storeIdsAlone(client: MqttClient, store: Store): void {
  const write: unknown = Reflect.get(client, "_writePacket")
  if (typeof write !== "function" || typeof Reflect.get(client, "_storeAndSend") !== "function")
    throw new Fault("broken", "mqtt.js stores elsewhere: it would copy every payload")
  const storeAndSend = (packet: Packet, sent: () => void, stored: () => void): void => {
    store.put({ cmd: "puback", messageId: packet.messageId ?? 0 }, () => {
      stored()
      write.call(client, packet, sent)
    })
  }
  Reflect.set(client, "_storeAndSend", storeAndSend)
}

/** mqtt.js wants a repeating timer; ours run once. */
function repeating(clock: Clock): { set(task: () => void, every: number): number; clear(id: unknown): void } {
  const cancels = new Map<number, () => void>()
  let last = 0
  return {
    set(task, every) {
      const id = ++last
      const again = () => {
        cancels.set(id, clock.after(every, again))
        task()
      }
      cancels.set(id, clock.after(every, again))
      return id
    },
    clear(id) {
      cancels.get(Number(id))?.()
      cancels.delete(Number(id))
    },
  }
}
