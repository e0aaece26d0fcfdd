import type { Duplex } from "node:stream"
import { Aedes } from "aedes"
import { Fault } from "../../firmware/errors.ts"
import type { Dialler } from "../../firmware/ports.ts"
import { memoryDialler } from "../../simulator/dialler.ts"
import { sleep } from "../../simulator/sleep.ts"

export interface Said {
  readonly topic: string
  readonly payload: Buffer
}

/**
 * A broker in the hands of an insider: lets everybody in, hears everything, says to anybody what it likes, and answers
 * uploads with whatever it chooses. Without a port, so that it is reached by those alone who are led to it.
 */
export class RogueBroker {
  readonly heard: Said[] = []
  /** Told of each message as it comes. */
  onSaid: (said: Said) => void = () => undefined
  /** What becomes of a message; null: nothing, it ends here. */
  route: (said: Said) => string | null = ({ topic }) => topic
  readonly dialler: Dialler
  readonly #broker: Aedes
  readonly #clients = new Set<string>()
  readonly #streams = new Set<Duplex>()

  private constructor() {
    this.#broker = new Aedes({ concurrency: 1_000, heartbeatInterval: 3_600_000 })
    this.#broker.on("client", ({ id }) => void this.#clients.add(id))
    this.#broker.on("clientDisconnect", ({ id }) => void this.#clients.delete(id))
    this.#broker.on("publish", (packet, client) => {
      if (!client || packet.topic.startsWith("$SYS/")) return
      const said = { topic: packet.topic, payload: Buffer.from(packet.payload) }
      this.heard.push(said)
      this.onSaid(said)
    })
    this.dialler = memoryDialler({
      accept: (stream) => {
        this.#streams.add(stream)
        this.#broker.handle(stream)
      },
    })
  }

  static async open(): Promise<RogueBroker> {
    const rogue = new RogueBroker()
    await rogue.#broker.listen()
    return rogue
  }

  /** @throws Fault "unavailable": it did not come before `signal` aborted. */
  async until(client: string, signal: AbortSignal): Promise<void> {
    while (!this.#clients.has(client) && !signal.aborted) await sleep(10, signal)
    if (!this.#clients.has(client))
      throw new Fault("unavailable", "a camera did not come to the rogue broker")
  }

  /** As if the cloud said it. */
  say(topic: string, payload: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const packet = { cmd: "publish", qos: 0, retain: false, dup: false } as const
      this.#broker.publish({ ...packet, topic, payload: Buffer.from(payload) }, (error) =>
        error ? reject(error) : resolve(),
      )
    })
  }

  /** Ends every connection first: one that has not said CONNECT yet would be waited for. */
  close(): Promise<void> {
    for (const stream of this.#streams) stream.destroy()
    return new Promise((resolve) => this.#broker.close(() => resolve()))
  }
}
