import { connect as connectSocket } from "node:net"
import { generate, type Packet, parser } from "mqtt-packet"
import { expect, test } from "vitest"
import type { SigningKey } from "../../../firmware/control/keys.ts"
import { subscribePacket } from "../../../firmware/control/packets.ts"
import { deviceTopic } from "../../../firmware/control/protocol.ts"
import { newKey, password } from "./camera.ts"
import { runningCloud } from "./running-cloud.ts"

const running = runningCloud()

/** What the broker answers to CONNECT with this password and SUBSCRIBE in one segment: two packets, or the end. */
async function answersTo(key: SigningKey, secret: Buffer): Promise<readonly Packet[]> {
  const socket = connectSocket(running.cloud.port, "127.0.0.1")
  const packets: Packet[] = []
  const answers = parser({ protocolVersion: 4 })
  answers.on("packet", (packet) => packets.push(packet))
  const enough = new Promise<void>((resolve) => {
    socket.on("data", (bytes) => {
      answers.parse(bytes)
      if (packets.length === 2) resolve()
    })
    socket.once("close", () => resolve())
  })
  const connect = { protocolId: "MQTT", protocolVersion: 4, clean: true, keepalive: 60 } as const
  socket.write(
    Buffer.concat([
      generate({ cmd: "connect", ...connect, clientId: key.id, username: "camera", password: secret }),
      subscribePacket([deviceTopic(key.id, "receipt")], 1),
    ]),
  )
  await enough
  socket.destroy()
  return packets
}

test("a subscription that comes with CONNECT is granted after it, and not looked at if that is refused", async () => {
  const key = newKey()
  expect(await answersTo(key, password(key, "camera", "test"))).toMatchObject([
    { cmd: "connack", returnCode: 0 },
    { cmd: "suback", messageId: 1, granted: [1] },
  ])
  const refused = await answersTo(key, password(key, "camera", "another"))
  expect(refused).toMatchObject([{ cmd: "connack", returnCode: 5 }])
})
