import type { Duplex } from "node:stream"
import type { Bytes } from "../units.ts"

// MQTT 3.1.1 §2.2: packet type and flags, 1 byte · remaining length, 1 to 4 bytes of 7 bits, lowest first · the rest

/**
 * Watches what comes in on `stream` and calls `tooLong` as soon as a packet announces more than `bytesMax` bytes: an
 * MQTT client would gather up to 256 MB of it before anybody is asked. Looks at headers alone, copies nothing.
 */
export function boundIncomingPackets(stream: Duplex, bytesMax: Bytes, tooLong: () => void): void {
  let toSkip: Bytes = 0
  let inLength = false
  let length = 0
  let shift = 0
  stream.on("data", (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; ) {
      if (toSkip > 0) {
        const skipped = Math.min(toSkip, bytes.length - at)
        toSkip -= skipped
        at += skipped
        continue
      }
      const byte = bytes[at++] ?? 0
      if (!inLength) {
        inLength = true
        length = 0
        shift = 0
        continue
      }
      length += (byte & 0x7f) * 2 ** shift
      shift += 7
      if (length > bytesMax || (shift === 28 && byte > 0x7f)) return tooLong()
      if (byte > 0x7f) continue
      inLength = false
      toSkip = length
    }
  })
}
