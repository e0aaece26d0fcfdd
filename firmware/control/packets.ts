import type { Bytes } from "../units.ts"

/** Packets that are written here rather than by mqtt.js, which would copy or wait. MQTT 3.1.1, all at QoS 1. */

const PUBLISH_QOS_1 = 0x32
const SUBSCRIBE = 0x82
/** Packet type and flags, then at most four digits of remaining length. */
const FIXED_HEADER_BYTES_MAX = 5

/**
 * What comes before the payload in PUBLISH, not retained, not repeated (§3.3): fixed header · length of the topic u16 ·
 * topic · packet identifier u16.
 */
export function publishHead(topic: string, packetId: number, payloadBytes: Bytes): Buffer {
  const name = Buffer.from(topic, "utf8")
  const head = Buffer.allocUnsafe(FIXED_HEADER_BYTES_MAX + 4 + name.length)
  let at = writeFixedHeader(head, PUBLISH_QOS_1, 4 + name.length + payloadBytes)
  at = writeString(head, name, at)
  return head.subarray(0, head.writeUInt16BE(packetId, at))
}

/** SUBSCRIBE to each of `topics` (§3.8): fixed header · packet identifier u16 · of each its length u16, itself, QoS u8. */
export function subscribePacket(topics: readonly string[], packetId: number): Buffer {
  const names = topics.map((topic) => Buffer.from(topic, "utf8"))
  const length = 2 + names.reduce((sum, name) => sum + 3 + name.length, 0)
  const packet = Buffer.allocUnsafe(FIXED_HEADER_BYTES_MAX + length)
  let at = writeFixedHeader(packet, SUBSCRIBE, length)
  at = packet.writeUInt16BE(packetId, at)
  for (const name of names) at = packet.writeUInt8(1, writeString(packet, name, at))
  return packet.subarray(0, at)
}

/** Packet type and flags · remaining length, 7 bits a byte, lowest first (§2.2). Returns where they end. */
function writeFixedHeader(packet: Buffer, typeAndFlags: number, remaining: Bytes): number {
  let at = packet.writeUInt8(typeAndFlags)
  for (let left = remaining; at === 1 || left > 0; left = Math.floor(left / 128))
    at = packet.writeUInt8((left % 128) + (left >= 128 ? 128 : 0), at)
  return at
}

function writeString(packet: Buffer, bytes: Buffer, from: number): number {
  const at = packet.writeUInt16BE(bytes.length, from)
  return at + bytes.copy(packet, at)
}
