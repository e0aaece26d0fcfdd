import { verify } from "../../firmware/control/dsse.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { heartbeatShape, manifestShape } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import type { ForcedTrace } from "./log.ts"

/**
 * Facts that a camera has signed, each of which must have its record in the access log. What does not verify is not this
 * camera's word, and no fact: "obscura owner verify" tells of it.
 */

/** For whom it seals. */
export function tracesInBeat(envelope: Uint8Array, camera: PublicKey): readonly ForcedTrace[] {
  return verified(() => {
    const { device, recipients } = verify("heartbeat", envelope, camera, heartbeatShape)
    return device === camera.id ? [{ device, trace: `key change ${recipients}` }] : []
  })
}

/** Who has looked live. */
export function tracesInManifest(envelope: Uint8Array, camera: PublicKey): readonly ForcedTrace[] {
  return verified(() => {
    const { device, entries } = verify("manifest", envelope, camera, manifestShape)
    if (device !== camera.id) return []
    return entries.flatMap((entry) =>
      entry.kind === "live" ? [{ device, trace: `live session ${entry.session}` }] : [],
    )
  })
}

function verified(read: () => readonly ForcedTrace[]): readonly ForcedTrace[] {
  try {
    return read()
  } catch (error) {
    if (!isFault(error)) throw error
    return []
  }
}
