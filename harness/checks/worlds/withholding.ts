import { generate, type Packet, parser } from "mqtt-packet"
import { parseTopic } from "../../../firmware/control/protocol.ts"
import { duplexPair } from "../../../simulator/duplex-pair.ts"
import type { MemoryCloud } from "../../virtual/memory-cloud.ts"

/** A cloud that withholds messages by their name in the topic, and acknowledges them as if it had not. */
export interface Withholding {
  readonly cloud: MemoryCloud
  /** Of which name from now on; null: none. */
  withhold(name: string | null): void
  /** The newest heartbeat that was let through. */
  readonly beat: Uint8Array | null
}

export function withholding(cloud: MemoryCloud): Withholding {
  let name: string | null = null
  let beat: Uint8Array | null = null
  const isHeld = (packet: Packet): boolean => {
    if (packet.cmd !== "publish") return false
    const said = parseTopic(packet.topic)?.name
    const isWithheld = said !== undefined && said === name
    if (said === "beat" && !isWithheld) beat = Buffer.from(packet.payload)
    return isWithheld
  }
  const dialler: MemoryCloud["dialler"] = {
    async dial(pin, signal) {
      const connection = await cloud.dialler.dial(pin, signal)
      const [near, far] = duplexPair()
      const { stream } = connection
      const pass = (from: typeof far, to: typeof far) => {
        const packets = parser({ protocolVersion: 4 })
        packets.on("packet", (packet) => {
          if (!isHeld(packet)) {
            if (to.writable) to.write(generate(packet, { protocolVersion: 4 }))
          } else if (packet.cmd === "publish" && packet.qos === 1 && from.writable)
            from.write(generate({ cmd: "puback", messageId: packet.messageId ?? 0 }, { protocolVersion: 4 }))
        })
        from.on("data", (bytes: Buffer) => packets.parse(bytes))
        from.on("error", () => undefined)
        from.once("close", () => to.destroy())
      }
      pass(far, stream)
      pass(stream, far)
      return { ...connection, stream: near }
    },
  }
  return {
    cloud: { ...cloud, dialler },
    withhold: (next) => {
      name = next
    },
    get beat() {
      return beat
    },
  }
}
