import type { Duplex } from "node:stream"
import { generate, type Packet, parser } from "mqtt-packet"
import type { Dialler } from "../../../firmware/ports.ts"
import { memoryDialler } from "../../../simulator/dialler.ts"

/**
 * A broker that does as a test says: it lets everybody in, grants every subscription, acknowledges what is published
 * while `acknowledges`, and says whatever it is told to, bytes that are no MQTT included.
 */
export class ScriptedBroker {
  readonly dialler: Dialler
  acknowledges = true
  connections = 0
  /** What came, in order, over all connections. */
  readonly published: { readonly topic: string; readonly payload: Buffer }[] = []
  onPublish: (topic: string, payload: Buffer) => void = () => undefined
  #stream: Duplex | null = null

  constructor() {
    this.dialler = memoryDialler({ accept: (stream) => this.#accept(stream) })
  }

  /** How many messages came whose topic ends with `name`. */
  count(name: string): number {
    return this.published.filter(({ topic }) => topic.endsWith(`/${name}`)).length
  }

  say(topic: string, payload: Uint8Array, qos: 0 | 1 | 2 = 0): void {
    const message = { topic, payload: Buffer.from(payload), qos, dup: false, retain: false }
    this.#send({ cmd: "publish", ...message, ...(qos > 0 ? { messageId: 1 } : {}) })
  }

  bytes(bytes: Uint8Array): void {
    if (this.#stream?.writable) this.#stream.write(Buffer.from(bytes))
  }

  cut(): void {
    this.#stream?.destroy()
  }

  #accept(stream: Duplex): void {
    this.connections++
    this.#stream = stream
    const packets = parser({ protocolVersion: 4 })
    packets.on("packet", (packet) => this.#take(packet))
    stream.on("data", (bytes: Buffer) => packets.parse(bytes))
    stream.on("error", () => undefined)
  }

  #take(packet: Packet): void {
    if (packet.cmd === "connect") this.#send({ cmd: "connack", returnCode: 0, sessionPresent: false })
    if (packet.cmd === "pingreq") this.#send({ cmd: "pingresp" })
    if (packet.cmd === "subscribe") {
      const { messageId = 0, subscriptions } = packet
      this.#send({ cmd: "suback", messageId, granted: subscriptions.map(() => 1) })
    }
    if (packet.cmd !== "publish") return
    const { topic, payload, messageId } = packet
    if (this.acknowledges && messageId !== undefined) this.#send({ cmd: "puback", messageId })
    const bytes = Buffer.from(payload)
    this.published.push({ topic, payload: bytes })
    this.onPublish(topic, bytes)
  }

  #send(packet: Packet): void {
    this.bytes(generate(packet))
  }
}
