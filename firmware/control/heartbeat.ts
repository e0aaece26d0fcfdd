import type { CameraConfig } from "../config.ts"
import type { Spool } from "../delivery/spool.ts"
import { isFault } from "../errors.ts"
import type { Clock, Health, Random } from "../ports.ts"
import { sign } from "./dsse.ts"
import type { Identity } from "./identity.ts"
import type { Link } from "./link.ts"
import type { Ownership } from "./ownership.ts"
import { deviceTopic, type Heartbeat } from "./protocol.ts"

export interface BeatParts {
  readonly link: Link
  readonly spool: Spool
  readonly identity: Identity
  readonly ownership: () => Ownership
  readonly health: Health
  readonly clock: Clock
  readonly random: Random
}

/**
 * A signed sign of life on every connect and then every `heartbeatEvery`: what the camera's chain has come to, so that
 * an owner can tell a withheld tail from a quiet camera.
 */
export async function beat(
  parts: BeatParts,
  config: CameraConfig["link"],
  signal: AbortSignal,
): Promise<void> {
  const { link, clock, random } = parts
  // One boot's heartbeats are numbered, so an old one cannot stand in for a new one.
  let number = 0
  while (await link.whenConnected(signal)) {
    const session = link.session
    // After a power cut a whole street comes back at once; its heartbeats need not stay in step.
    let wait = config.heartbeatEvery * (0.5 + 0.5 * random.next())
    while (link.connected && link.session === session && !signal.aborted) {
      try {
        await link.publish(deviceTopic(parts.identity.device, "beat"), await heartbeat(parts, number++))
      } catch (error) {
        if (!isFault(error, "unavailable")) throw error
        break
      }
      await clock.sleep(wait, signal)
      wait = config.heartbeatEvery
    }
  }
}

async function heartbeat(
  { spool, identity, ownership, health }: BeatParts,
  number: number,
): Promise<Uint8Array> {
  const { owner, recipients } = ownership()
  const body: Heartbeat = {
    device: identity.device,
    key: identity.key.hex,
    boot: identity.boot,
    number,
    newest: spool.newest,
    head: spool.head,
    epoch: recipients.epoch,
    recipients: recipients.hash,
    owner: owner.id,
    spoolBytes: spool.bytes,
    ...(await health.read()),
  }
  return sign("heartbeat", body, identity.key)
}
