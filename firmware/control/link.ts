import type { CameraConfig } from "../config.ts"
import { Fault, isFault, messageOf } from "../errors.ts"
import type { Clock, Dialler, Log, Random } from "../ports.ts"
import type { Milliseconds } from "../units.ts"
import { WakeUp } from "../wake.ts"
import { type MqttConnection, openMqtt } from "./connection.ts"
import { sign } from "./dsse.ts"
import type { SigningKey } from "./keys.ts"
import { type Connect, deviceTopic, type Role } from "./protocol.ts"

/** Who connects, to whom, and for which topics. */
export interface Caller {
  readonly role: Role
  readonly key: SigningKey
  readonly broker: { readonly name: string; readonly pin: string | null }
  readonly subscriptions: readonly string[]
}

export interface LinkParts {
  readonly clock: Clock
  readonly random: Random
  readonly dialler: Dialler
  readonly log: Log
}

/**
 * The way to the cloud, for as long as the camera runs: connects, comes back after a cut, and hands messages on.
 * Back-off is exponential with jitter and applies after *every* end of a connection, also of a good one that was
 * kicked: otherwise a broker that accepts and then drops makes a storm.
 */
export class Link {
  readonly #parts: LinkParts
  readonly #config: CameraConfig["link"]
  readonly #caller: Caller
  #listeners: readonly ((topic: string, payload: Buffer) => void)[] = []
  #onDisconnect: readonly (() => void)[] = []
  readonly #arrival = new WakeUp()
  #connection: MqttConnection | null = null
  #session = 0

  constructor(parts: LinkParts, config: CameraConfig["link"], caller: Caller) {
    this.#parts = parts
    this.#config = config
    this.#caller = caller
  }

  get connected(): boolean {
    return this.#connection !== null
  }

  /** Counts connections; a different number means that there was a cut in between. */
  get session(): number {
    return this.#session
  }

  /** `payload` is only lent: it may be a view into a network buffer. A listener must not throw. */
  onMessage(listener: (topic: string, payload: Buffer) => void): void {
    this.#listeners = this.#listeners.concat(listener)
  }

  /** Resolves true once connected, false when `signal` aborts first. */
  async whenConnected(signal: AbortSignal): Promise<boolean> {
    while (!this.#connection && !signal.aborted) await this.#arrival.wait(signal)
    return !signal.aborted
  }

  onDisconnect(listener: () => void): void {
    this.#onDisconnect = this.#onDisconnect.concat(listener)
  }

  /**
   * QoS 1, the payload is `parts`, joined; they must not change before this settles. Resolves on PUBACK.
   * Rejects with Fault "unavailable": definite if there was no connection to send on.
   */
  publish(topic: string, ...parts: readonly Uint8Array[]): Promise<void> {
    return this.#connection
      ? this.#connection.publish(topic, ...parts)
      : Promise.reject(new Fault("unavailable", "not connected"))
  }

  /** Ends when `signal` aborts. Never throws for what a network does. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts
    let attempt = 0
    while (!signal.aborted) {
      const opened = await this.#openInTime(signal)
      const up = clock.monotonic()
      let reason = opened.reason
      if (opened.connection) {
        const leave = this.#enter(opened.connection, signal)
        reason = await opened.connection.ended
        leave()
      }
      if (signal.aborted) return
      const lived = opened.connection ? clock.monotonic() - up : 0
      attempt = lived >= this.#config.stableAfter ? 0 : attempt + 1
      const againIn = backOff(attempt, this.#config, this.#parts.random)
      log.write({ event: "disconnected", reason, againIn })
      await clock.sleep(againIn, signal)
    }
  }

  /** What is to be done once `connection` has ended is returned. */
  #enter(connection: MqttConnection, signal: AbortSignal): () => void {
    this.#connection = connection
    this.#session++
    this.#parts.log.write({ event: "connected" })
    this.#arrival.wake()
    signal.addEventListener("abort", connection.end, { once: true })
    if (signal.aborted) connection.end()
    const unwatch = this.#watch(connection)
    return () => {
      unwatch()
      signal.removeEventListener("abort", connection.end)
      for (const listener of this.#onDisconnect) listener()
      this.#connection = null
    }
  }

  /** A broker that stops acknowledging would hold up everything behind the one message in flight. */
  #watch(connection: MqttConnection): () => void {
    const { clock } = this.#parts
    const look = () => {
      const since = connection.waitingSince()
      if (since !== null && clock.monotonic() - since > this.#config.resendAfter) connection.end()
      cancel = clock.after(this.#config.resendAfter, look)
    }
    let cancel = clock.after(this.#config.resendAfter, look)
    return () => cancel()
  }

  /** Apart from the life of the connection, so that nothing of the patience for opening it outlives that. */
  async #openInTime(
    signal: AbortSignal,
  ): Promise<{ readonly connection: MqttConnection | null; readonly reason: string }> {
    const patience = new AbortController()
    const giveUp = () => patience.abort()
    signal.addEventListener("abort", giveUp, { once: true })
    const cancel = this.#parts.clock.after(this.#config.connectWithin, giveUp)
    try {
      return { connection: await this.#open(patience.signal), reason: "" }
    } catch (error) {
      if (!isFault(error)) throw error
      return { connection: null, reason: messageOf(error) }
    } finally {
      cancel()
      signal.removeEventListener("abort", giveUp)
    }
  }

  async #open(signal: AbortSignal): Promise<MqttConnection> {
    const { role, key, broker, subscriptions } = this.#caller
    const dialled = await this.#parts.dialler.dial(broker.pin, signal)
    const body: Connect = {
      role,
      broker: broker.name,
      client: key.id,
      key: key.hex,
      binding: dialled.binding ? Buffer.from(dialled.binding).toString("hex") : null,
    }
    return openMqtt(dialled, this.#parts.clock, {
      clientId: key.id,
      username: role,
      password: sign("connect", body, key),
      keepAlive: this.#config.keepAlive,
      connectWithin: this.#config.connectWithin,
      subscriptions,
      signal,
      willTopic: role === "camera" ? deviceTopic(key.id, "gone") : null,
      onMessage: (topic, payload) => {
        for (const listener of this.#listeners) listener(topic, payload)
      },
    })
  }
}

/** Between a tenth and the whole of a ceiling that doubles: spread out, and never at once. */
function backOff(attempt: number, config: CameraConfig["link"], random: Random): Milliseconds {
  const ceiling = Math.min(config.retryMax, config.retryFirst * 2 ** Math.min(attempt, 20))
  return ceiling * (0.1 + 0.9 * random.next())
}
