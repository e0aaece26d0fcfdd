import type { Client } from "aedes"
import { Fault } from "../../firmware/errors.ts"
import type { Bytes } from "../../firmware/units.ts"

/**
 * mqtt-packet would gather whatever length a packet announces, up to 256 MB, before anybody is asked. So a connection
 * ends as soon as its parser has read a length of more than `bytesMax`.
 */
export function boundPackets(client: Client, bytesMax: Bytes): void {
  const parser: unknown = Reflect.get(client, "_parser")
  if (!isParser(parser))
    throw new Fault("broken", "aedes keeps its parser elsewhere: packets are not bounded")
  const parse = parser.parse
  parser.parse = function (bytes) {
    const left = parse.call(this, bytes)
    if (this.packet.length > bytesMax) client.conn.destroy()
    return left
  }
}

interface Parser {
  readonly packet: { readonly length: number }
  parse(bytes: Buffer): number
}

function isParser(value: unknown): value is Parser {
  return typeof value === "object" && value !== null && "parse" in value && "packet" in value
}
