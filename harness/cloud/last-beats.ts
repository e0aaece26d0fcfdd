import type { Client, Subscription } from "aedes"
import { parseTopic } from "../../firmware/control/protocol.ts"
import type { Beats } from "./beats.ts"
import { type CloudLog, writeFault } from "./cloud-log.ts"

/** In a SUBACK (MQTT 3.1.1 §3.9.3). */
const DENIED = 128

/** Whoever begins to listen for a camera's heartbeats hears the last one at once: what they say next must quote one. */
export function sayLastBeats(
  beats: Beats,
  subscriptions: readonly Subscription[],
  client: Client,
  log: CloudLog,
): void {
  for (const { topic, qos } of subscriptions) {
    const parsed = parseTopic(topic)
    if (parsed?.name !== "beat" || Number(qos) === DENIED) continue
    const envelope = beats.envelope(parsed.device)
    if (envelope === null) continue
    const said = { cmd: "publish", qos: 0, retain: false, dup: false, topic } as const
    client.publish({ ...said, payload: Buffer.from(envelope) }, (error) => {
      if (error) writeFault(log, "beat", error)
    })
  }
}
