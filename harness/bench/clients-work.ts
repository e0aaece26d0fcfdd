import { randomBytes } from "node:crypto"
import { connectAsync, type MqttClient } from "mqtt"
import { sign } from "../../firmware/control/dsse.ts"
import { signingKeyOf } from "../../firmware/control/keys.ts"
import type { Connect } from "../../firmware/control/protocol.ts"
import type { CloudIdentity } from "../cloud/keys.ts"
import { residentBytes } from "./resident.ts"

const TOGETHER = 50

/** mqtt.js alone: connected as a camera would be, or at a broker that asks for nothing, and nothing else. */
export async function begin({
  port,
  identity,
}: {
  readonly port: number
  readonly identity: CloudIdentity | null
}) {
  const clients: MqttClient[] = []
  const connect = (): Promise<MqttClient> => {
    if (identity === null)
      return connectAsync(`mqtt://127.0.0.1:${port}`, {
        protocolVersion: 4,
        keepalive: 60,
        reconnectPeriod: 0,
      })
    const key = signingKeyOf(randomBytes(32))
    const body: Connect = {
      role: "camera",
      broker: identity.name,
      client: key.id,
      key: key.hex,
      binding: null,
    }
    const password = Buffer.from(sign("connect", body, key))
    return connectAsync(`mqtt://127.0.0.1:${port}`, {
      ...{ protocolVersion: 4, clientId: key.id, username: "camera", password },
      ...{ keepalive: 60, reconnectPeriod: 0 },
    })
  }
  return {
    prepare: () => undefined,
    async growTo(wanted: number) {
      while (clients.length < wanted) {
        const next = Math.min(TOGETHER, wanted - clients.length)
        clients.push(...(await Promise.all(Array.from({ length: next }, connect))))
      }
    },
    residentBytes,
    close: () => Promise.all(clients.map((client) => client.endAsync(true))),
  }
}
