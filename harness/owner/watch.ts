import type { CameraConfig } from "../../firmware/config.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { Link, type LinkParts } from "../../firmware/control/link.ts"
import { deviceTopic } from "../../firmware/control/protocol.ts"
import type { OwnerKeys } from "./keys.ts"

/** Something that the broker brought from, or about, a camera. Nothing of it is verified. */
export interface Word {
  readonly camera: PublicKey
  readonly topic: "beat" | "receipt"
  /** Lent, as by `Link.onMessage`. */
  readonly payload: Buffer
}

/**
 * Listens to each camera by the owner's key for it, so that two cameras of one home are two strangers' to the broker,
 * but for address and time. Ends when `signal` aborts.
 */
export async function watch(
  cameras: readonly PublicKey[],
  keys: OwnerKeys,
  broker: { readonly name: string; readonly pin: string | null },
  parts: LinkParts,
  config: CameraConfig["link"],
  onWord: (word: Word) => void,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    cameras.map((camera) => {
      const topics = { beat: deviceTopic(camera.id, "beat"), receipt: deviceTopic(camera.id, "receipt") }
      const link = new Link(parts, config, {
        role: "owner",
        key: keys.signingKeyFor(camera.id),
        broker,
        subscriptions: [topics.beat, topics.receipt],
      })
      link.onMessage((name, payload) => {
        for (const topic of ["beat", "receipt"] as const)
          if (name === topics[topic]) onWord({ camera, topic, payload })
      })
      return link.run(signal)
    }),
  )
}
