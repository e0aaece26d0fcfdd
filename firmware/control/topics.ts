/** The topics of `protocol.ts`: made, and read. */

export const PAYLOAD_BYTES_MAX = 65_000
/** Of a message at a rendezvous. The longest, an offer with post-quantum recipients, has about 5,900. */
export const PAIRING_BYTES_MAX = 16_384

export const FROM_CAMERA = ["manifest", "chunk", "beat", "answer", "gone"] as const
export const TO_CAMERA = ["have", "receipt", "head", "command", "view"] as const
/** The owner's word to the cloud itself, and its answer. */
export const FROM_OWNER = ["delete", "log"] as const
export const TO_OWNER = ["deleted", "logged"] as const
export const PAIRING = ["hello", "offer", "answer"] as const
export type FromCamera = (typeof FROM_CAMERA)[number]
export type ToCamera = (typeof TO_CAMERA)[number]
export type FromOwner = (typeof FROM_OWNER)[number]
export type ToOwner = (typeof TO_OWNER)[number]
export type DeviceTopic = FromCamera | ToCamera | FromOwner | ToOwner
export type PairingStep = (typeof PAIRING)[number]

export const deviceTopic = (device: string, name: DeviceTopic): string => `obscura/1/${device}/${name}`
export const pairingTopic = (rendezvous: string, step: PairingStep): string =>
  `obscura/1/pair/${rendezvous}/${step}`
export const liveTopic = (device: string, viewer: string): string => `obscura/1/${device}/live/${viewer}`

export type Topic =
  | { readonly device: string; readonly name: DeviceTopic }
  | { readonly device: string; readonly name: "live"; readonly viewer: string }
  | { readonly rendezvous: string; readonly name: PairingStep }

const DEVICE_TOPIC =
  /^obscura\/1\/([0-9a-f]{40})\/(manifest|chunk|beat|answer|gone|have|receipt|head|command|view|delete|deleted|log|logged)$/
const LIVE_TOPIC = /^obscura\/1\/([0-9a-f]{40})\/live\/([0-9a-f]{40})$/
const PAIRING_TOPIC = /^obscura\/1\/pair\/([0-9a-f]{32})\/(hello|offer|answer)$/

/** null for any topic that is not one of the above, wildcards included. */
export function parseTopic(topic: string): Topic | null {
  const device = DEVICE_TOPIC.exec(topic)
  if (device?.[1] && device[2]) return { device: device[1], name: device[2] as DeviceTopic }
  const live = LIVE_TOPIC.exec(topic)
  if (live?.[1] && live[2]) return { device: live[1], name: "live", viewer: live[2] }
  const pairing = PAIRING_TOPIC.exec(topic)
  if (pairing?.[1] && pairing[2]) return { rendezvous: pairing[1], name: pairing[2] as PairingStep }
  return null
}
