import type { Aedes, AedesPublishPacket } from "aedes"

/** Aedes' own `publish` takes the publishing client too, which its typings leave out. */
type Route = (packet: AedesPublishPacket, client: unknown, done?: unknown) => void

/**
 * PUBACK is on its way when Aedes comes to routing: what was `taken`, by the ingest or a desk, goes no further. Nor does
 * what Aedes tells other brokers of its cluster, two messages a client: there are none, and nobody else may hear it.
 */
export function routeUnless(broker: Aedes, taken: (packet: object) => boolean): void {
  const route: Route = broker.publish.bind(broker) as Route
  const publish: Route = (packet, client, done) => {
    if (!taken(packet) && !packet.topic.startsWith("$SYS/")) return route(packet, client, done)
    const routed = typeof client === "function" ? client : done
    if (typeof routed === "function") routed(null)
  }
  Object.assign(broker, { publish })
}
