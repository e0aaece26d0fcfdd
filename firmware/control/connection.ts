import { type IStore, MqttClient, type Packet } from "mqtt"
import { Fault, messageOf } from "../errors.ts"
import type { Clock, Connection } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { boundIncomingPackets } from "./packet-bound.ts"
import { publishHead, subscribePacket } from "./packets.ts"
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
  /**
   * QoS 1; the payload is `parts`, joined. They are not copied, and must not change before this settles.
   * Resolves on PUBACK, which says that a broker took it, not that the cloud has it. Rejects with Fault "unavailable":
   * definite if the connection had ended before.
   */
  publish(topic: string, ...parts: readonly Uint8Array[]): Promise<void>
  /** Since when the oldest publish waits for its PUBACK, on the monotonic clock; null: none does. */
  waitingSince(): Milliseconds | null
  /** Ends at once. Whatever was in flight rejects. */
  end(): void
  /** Why it ended; resolves once. */
  readonly ended: Promise<string>
}

/** The longest topic and the packet's own fields. */
const TOPIC_BYTES_MAX = 200
/** Of SUBSCRIBE, which is answered before anything else needs an identifier. */
const SUBSCRIPTION_ID = 1
/** In a SUBACK (§3.9.3). */
const DENIED = 0x80
const ignore = (): void => undefined
/** What is sent instead of a packet's payload, which is empty. */
const PARTS = new WeakMap<object, readonly Uint8Array[]>()

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
    timerVariant: timersOn(clock),
    outgoingStore: NOTHING_STORED,
    incomingStore: NOTHING_STORED,
    // Its debug lines cost even where nobody reads them.
    log: ignore,
    ...(options.willTopic === null
      ? {}
      : { will: { topic: options.willTopic, payload: "", qos: 1 as const, retain: false } }),
  })
  // CONNECT waits in the corked stream: this goes with it, in one segment, and a broker that refuses the one must not
  // look at the other (§3.1.4).
  if (options.subscriptions.length > 0) stream.write(subscribePacket(options.subscriptions, SUBSCRIPTION_ID))
  writeWithoutCopies(client)
  const inFlight = new Map<(fault: Fault) => void, Milliseconds>()
  let reason = "the connection closed"
  let closed = false
  const ended = new Promise<string>((resolve) => {
    client.on("error", (error) => {
      reason = messageOf(error)
    })
    client.on("close", () => {
      closed = true
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
  options.signal.addEventListener("abort", end, { once: true })
  try {
    if (options.signal.aborted) throw new Fault("unavailable", "the broker did not answer in time")
    // Of `options` nothing may be left in a closure: they hold the password and whoever gives up connecting.
    const done = handshake(client, options)
    await new Promise<void>((resolve, reject) => {
      done.then(resolve, reject)
      void ended.then((why) =>
        reject(new Fault(/not authorized|refused|bad user/i.test(why) ? "refused" : "unavailable", why)),
      )
    })
  } catch (error) {
    end()
    throw error
  } finally {
    options.signal.removeEventListener("abort", end)
  }
  return {
    publish: (topic, ...parts) =>
      new Promise((resolve, reject) => {
        // mqtt.js would keep it for its next connection, and there is none.
        if (closed) return reject(new Fault("unavailable", reason))
        inFlight.set(reject, clock.monotonic())
        const payload = Buffer.alloc(0)
        PARTS.set(payload, parts)
        client.publish(topic, payload, { qos: 1 }, (error) => {
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

/** Resolves when both answers have come: mqtt.js may tell of the second first. */
async function handshake(client: MqttClient, { onMessage, subscriptions }: MqttOptions): Promise<void> {
  client.on("message", onMessage)
  const subscribed = subscriptions.length === 0 ? null : subscriptionOf(client)
  await new Promise<void>((resolve) => client.once("connect", () => resolve()))
  // Used up, and kept it would keep the 8 KiB pool that node cut it from.
  client.options.password = ""
  if ((await subscribed) === "denied") throw new Fault("refused", "the broker refused a subscription")
}

function subscriptionOf(client: MqttClient): Promise<"granted" | "denied"> {
  return new Promise((resolve) => {
    const onPacket = (packet: Packet) => {
      if (packet.cmd !== "suback" || packet.messageId !== SUBSCRIPTION_ID) return
      client.off("packetreceive", onPacket)
      resolve(packet.granted.some((quality) => quality === DENIED) ? "denied" : "granted")
    }
    client.on("packetreceive", onPacket)
  })
}

/**
 * Of each message not yet acknowledged mqtt.js stores a deep copy, payload included, to send again over its next
 * connection. There is none: `publish` rejects when this one ends, and whoever published has the bytes. So nothing is
 * stored (`NOTHING_STORED`). And a payload, which it wants in one piece, is written here in the pieces it has: to join
 * them would be a copy of every byte that leaves the camera.
 */
function writeWithoutCopies(client: MqttClient): void {
  if (typeof Reflect.get(client, "_storeAndSend") !== "function")
    throw new Fault("broken", "mqtt.js stores elsewhere: it would send nothing of a payload")
  const storeAndSend = (packet: Packet, sent: () => void, stored: () => void): void => {
    const parts = packet.cmd === "publish" && typeof packet.payload === "object" && PARTS.get(packet.payload)
    if (!parts) throw new Fault("broken", "mqtt.js sends what was not published")
    const id = packet.messageId ?? 0
    stored()
    const { stream } = client
    const payloadBytes = parts.reduce((sum, { length }) => sum + length, 0)
    stream.cork()
    stream.write(publishHead(packet.topic, id, payloadBytes))
    for (const part of parts) stream.write(part)
    stream.uncork()
    sent()
  }
  Reflect.set(client, "_storeAndSend", storeAndSend)
}

/**
 * The store of a client that never connects twice, so one for all: empty when mqtt.js looks for what an earlier
 * connection left, and content with whatever PUBACK takes out of it; that the message was under way it has checked before.
 */
const NOTHING_STORED: IStore = {
  put: (_packet, done) => {
    done?.()
    return NOTHING_STORED
  },
  del: (packet, done) => {
    done(undefined, packet as Packet)
    return NOTHING_STORED
  },
  get: (_packet, done) => {
    done(new Error("nothing is stored"))
    return NOTHING_STORED
  },
  createStream: () => ENDED as unknown as ReturnType<IStore["createStream"]>,
  close: (done) => done?.(),
}

/** As much of a stream without anything in it as mqtt.js looks at. */
const ENDED = {
  on(event: string, listener: () => void) {
    if (event === "end") queueMicrotask(listener)
  },
  once: () => undefined,
  read: () => null,
  destroy: () => undefined,
}

/** Those of one clock, for all its connections. */
const TIMERS = new WeakMap<Clock, RepeatingTimers>()

function timersOn(clock: Clock): RepeatingTimers {
  const timers = TIMERS.get(clock) ?? new RepeatingTimers(clock)
  TIMERS.set(clock, timers)
  return timers
}

/** mqtt.js wants a repeating timer; ours run once. */
class RepeatingTimers {
  readonly #clock: Clock
  readonly #cancels = new Map<number, () => void>()
  #last = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  set(task: () => void, every: Milliseconds): number {
    const id = ++this.#last
    const again = () => {
      this.#cancels.set(id, this.#clock.after(every, again))
      task()
    }
    this.#cancels.set(id, this.#clock.after(every, again))
    return id
  }

  clear(id: unknown): void {
    this.#cancels.get(Number(id))?.()
    this.#cancels.delete(Number(id))
  }
}
