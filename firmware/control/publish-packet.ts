import type { Bytes } from "../units.ts"

const QOS_1 = 0x32

/**
 * What comes before the payload in PUBLISH at QoS 1, not retained, not repeated (MQTT 3.1.1 §3.3): packet type and flags
 * · remaining length, 7 bits a byte, lowest first · length of the topic u16 · topic · packet identifier u16.
 */
export function publishHead(topic: string, packetId: number, payloadBytes: Bytes): Buffer {
  const name = Buffer.from(topic, "utf8")
  const head = Buffer.allocUnsafe(9 + name.length)
  let at = head.writeUInt8(QOS_1)
  for (let left = 4 + name.length + payloadBytes; at === 1 || left > 0; left = Math.floor(left / 128))
    at = head.writeUInt8((left % 128) + (left >= 128 ? 128 : 0), at)
  at = head.writeUInt16BE(name.length, at)
  at += name.copy(head, at)
  return head.subarray(0, head.writeUInt16BE(packetId, at))
}
