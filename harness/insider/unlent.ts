import { randomBytes } from "node:crypto"
import { sign, unverified } from "../../firmware/control/dsse.ts"
import type { PublicKey, SigningKey } from "../../firmware/control/keys.ts"
import { type Grant, isSealedPart, liveShape, readPart } from "../../firmware/control/live-messages.ts"
import { type BeatQuote, deviceTopic, heartbeatShape, liveTopic } from "../../firmware/control/protocol.ts"
import type { Milliseconds } from "../../firmware/units.ts"
import type { Tries } from "../checks/check.ts"
import { LiveLook } from "../owner/live-look.ts"
import type { Home } from "./home.ts"
import { intrude } from "./intruder.ts"
import type { Said } from "./rogue-broker.ts"
import type { World } from "./world.ts"

/** So long somebody waits for a picture that should not come: an honest answer takes a tenth of it. */
const STAY: Milliseconds = 700
const NO_BEAT: BeatQuote = { boot: "0".repeat(32), number: 0, nonce: "0".repeat(32) }

/** A grant as somebody makes it who is not the owner. */
export function forgedGrant(
  device: string,
  {
    owner,
    receiver,
    by,
    reason = "I am allowed to",
    beat = NO_BEAT,
    seconds = 600,
  }: {
    readonly owner: PublicKey
    readonly receiver: PublicKey
    readonly by: SigningKey
    readonly reason?: string
    readonly beat?: BeatQuote
    readonly seconds?: number
  },
): Uint8Array {
  const body: Grant = {
    ...{ device, purpose: "live", nonce: randomBytes(16).toString("hex") },
    ...{ owner: owner.hex, receiver: receiver.hex, reason, beat, seconds },
  }
  return sign("grant", body, by)
}

/** The newest heartbeat of the home's camera, as whoever holds the wire, or the cloud, has it. */
export function lastBeat({ camera, wire }: Home): BeatQuote {
  const topic = Buffer.from(deviceTopic(camera.id, "beat"))
  for (let from = wire.sent.length; from > 0; from--) {
    const chunk = Buffer.concat(wire.sent.slice(from - 1, from + 2))
    const at = chunk.lastIndexOf(topic)
    const begin = at < 0 ? -1 : chunk.indexOf("{", at)
    const end = begin < 0 ? -1 : chunk.indexOf("}]}", begin)
    const beat = end < 0 ? null : unverified(chunk.subarray(begin, end + 3), heartbeatShape)
    if (beat) return { boot: beat.boot, number: beat.number, nonce: beat.nonce }
  }
  return NO_BEAT
}

/** What of `heard` lets somebody see: a session that began, or a picture of one. */
export function framesIn(heard: readonly Said[]): number {
  return heard.filter(
    ({ topic, payload }) =>
      topic.includes("/live/") && (isSealedPart(payload) || unverified(payload, liveShape) !== null),
  ).length
}

/** How many pictures of `heard` were sent to somebody, by their first parts: the session's beginning is none. */
export function picturesIn(heard: readonly Said[]): number {
  return heard.filter(
    ({ topic, payload }) => topic.includes("/live/") && isSealedPart(payload) && readPart(payload).part === 0,
  ).length
}

/** The word by which whoever has `key` asks `camera` for a look. */
export function asking(camera: PublicKey, key: SigningKey, grant: Uint8Array): Said {
  return { topic: deviceTopic(camera.id, "view"), payload: Buffer.from(new LiveLook(camera, key, grant).ask) }
}

/** Says `words` at the real broker with `key`, and holds that nothing of a look at `camera` came of it, for `stay`. */
export async function seesNothing(
  { world, tries, signal }: { readonly world: World; readonly tries: Tries; readonly signal: AbortSignal },
  camera: PublicKey,
  key: SigningKey,
  words: readonly Said[],
  stay: Milliseconds,
  otherwise: string,
): Promise<void> {
  const topics = [liveTopic(camera.id, key.id)]
  const { heard } = await intrude(world, { role: "viewer", key }, topics, words, stay, signal)
  tries.holds(framesIn(heard) === 0, otherwise)
  tries.leaks({ frames: picturesIn(heard) })
}

/** At the real broker, with `key` and no grant of the owner's: every way that a portal might try. */
export async function askInVain(
  world: World,
  home: Home,
  key: SigningKey,
  tries: Tries,
  signal: AbortSignal,
): Promise<void> {
  const { camera, owner } = home
  const own = liveTopic(camera.id, key.id)
  const beat = lastBeat(home)
  const grants = [
    forgedGrant(camera.id, { owner: key, receiver: key, by: key, beat }),
    forgedGrant(camera.id, { owner, receiver: key, by: key, beat }),
  ]
  for (const role of ["viewer", "owner"] as const)
    for (const grant of grants) {
      const { heard } = await intrude(world, { role, key }, [own], [asking(camera, key, grant)], STAY, signal)
      tries.holds(framesIn(heard) === 0, `${framesIn(heard)} frames for a ${role} without the owner's grant`)
      tries.leaks({ frames: picturesIn(heard) })
    }
  // What others see, and what the camera says to the cloud.
  for (const topic of [liveTopic(camera.id, owner.id), deviceTopic(camera.id, "chunk"), "#"])
    for (const role of ["viewer", "owner", "camera"] as const) {
      const { heard } = await intrude(world, { role, key }, [topic], [], 0, signal)
      tries.holds(heard.length === 0, `a ${role} hears ${heard.length} messages that are not theirs`)
    }
}
