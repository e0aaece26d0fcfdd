import type { CameraConfig } from "../config.ts"
import type { Spool } from "../delivery/spool.ts"
import { isFault } from "../errors.ts"
import type { Clock, Health, Random } from "../ports.ts"
import { sign } from "./dsse.ts"
import type { Identity } from "./identity.ts"
import type { Link } from "./link.ts"
import { RENEWAL_BEAT_EVERY } from "./live-messages.ts"
import type { OwnBeats } from "./own-beats.ts"
import type { Ownership } from "./ownership.ts"
import type { Privacy } from "./privacy.ts"
import { deviceTopic, type Heartbeat } from "./protocol.ts"

export interface BeatParts {
  readonly link: Link
  readonly spool: Spool
  readonly identity: Identity
  readonly ownership: () => Ownership
  readonly health: Health
  readonly beats: OwnBeats
  readonly privacy: Pick<Privacy, "said">
  readonly live: { readonly viewers: number; readonly wantsRenewal: boolean }
  readonly clock: Clock
  readonly random: Random
}

/**
 * A signed sign of life on every connect and then every `heartbeatEvery`: what the camera's chain has come to, so that
 * an owner can tell a withheld tail from a quiet camera. More often while a live view wants to be renewed, and at once
 * when it is to hurry.
 */
export async function beat(
  parts: BeatParts,
  config: CameraConfig["link"],
  signal: AbortSignal,
): Promise<void> {
  const { link, random, beats, live } = parts
  while (await link.whenConnected(signal)) {
    const session = link.session
    // After a power cut a whole street comes back at once; its heartbeats need not stay in step.
    let wait = config.heartbeatEvery * (0.5 + 0.5 * random.next())
    while (link.connected && link.session === session && !signal.aborted) {
      try {
        await link.publish(deviceTopic(parts.identity.device, "beat"), await heartbeat(parts))
      } catch (error) {
        if (!isFault(error, "unavailable")) throw error
        break
      }
      const soon = live.wantsRenewal ? Math.min(wait, RENEWAL_BEAT_EVERY) : wait
      await beats.untilDue(soon, signal)
      wait = config.heartbeatEvery
    }
  }
}

async function heartbeat(parts: BeatParts): Promise<Uint8Array> {
  const { spool, identity, ownership, health, beats, live, privacy } = parts
  const { owner, recipients } = ownership()
  const reading = await health.read()
  const body: Heartbeat = {
    device: identity.device,
    key: identity.key.hex,
    ...beats.next(),
    newest: spool.newest,
    head: spool.head,
    epoch: recipients.epoch,
    recipients: recipients.hash,
    owner: owner.id,
    spoolBytes: spool.bytes,
    viewers: live.viewers,
    privacy: privacy.said,
    ...reading,
  }
  return sign("heartbeat", body, identity.key)
}
