import { z } from "zod"
import { verify } from "../../firmware/control/dsse.ts"
import type { PublicKey } from "../../firmware/control/keys.ts"
import { type Heartbeat, heartbeatShape, objectId, sha256 } from "../../firmware/control/protocol.ts"
import { isFault } from "../../firmware/errors.ts"
import { type Milliseconds, minutes, type UnixMilliseconds } from "../../firmware/units.ts"
import type { ChainView } from "./chain-view.ts"

/**
 * The end of a camera's chain. What is missing from its middle shows in the chain itself; what a cloud leaves off at the
 * end shows only to somebody who knows how far the chain went: from the camera's own signed heartbeats, and from what
 * this owner was shown before.
 *
 * A heartbeat is also the one sign of life, and a signature says nothing of when. Within one boot the numbers rise; the
 * boots themselves are random, so which came first only the owner knows, who saw them in order. A camera never goes
 * back to a boot: a heartbeat of any but the newest one seen is a replay, whatever its number, and no sign of life. So
 * the boots are remembered. A cloud may still keep back the heartbeats of a boot that this owner was never shown, and
 * show them late; each boot so saved up passes for life once, until the next one.
 */

/** How far the chain went: the sequence of an entry, and the hash of the manifest that ends with it. */
const headShape = z.strictObject({ newest: z.int().min(0), head: sha256, at: z.number() })

const beatShape = z.strictObject({ boot: objectId, number: z.int().min(0), at: z.number() })

/** Owners look at times and cameras seldom boot: years of both. The boots seen first are forgotten first. */
export const BOOTS_MAX = 1_000

/** What an owner remembers of one camera. `at` is Unix milliseconds by the owner's clock. */
export const seenShape = z.strictObject({
  /** The farthest that the cloud ever showed, and when it last did; null: nothing yet. */
  shown: headShape.nullable(),
  /** The farthest that a heartbeat ever named. */
  announced: headShape.nullable(),
  /** The newest heartbeat, and when it was first seen. */
  beat: beatShape.nullable(),
  /** The newest heartbeat of each boot before that one's, in the order in which the boots were first seen. */
  earlier: z.array(beatShape).max(BOOTS_MAX).default([]),
})
export type Seen = z.infer<typeof seenShape>

export const NOTHING_SEEN: Seen = { shown: null, announced: null, beat: null, earlier: [] }

export type TailAlert =
  | { readonly kind: "withheld"; readonly entries: number; readonly after: number }
  | { readonly kind: "another head"; readonly sequence: number }
  | {
      readonly kind: "shows less"
      readonly newest: number
      readonly before: number
      readonly at: UnixMilliseconds
    }
  | { readonly kind: "shows another"; readonly sequence: number; readonly at: UnixMilliseconds }
  | { readonly kind: "older heartbeat"; readonly at: UnixMilliseconds }
  | { readonly kind: "replayed heartbeat"; readonly at: UnixMilliseconds; readonly since: UnixMilliseconds }
  | { readonly kind: "two boots"; readonly at: UnixMilliseconds; readonly since: UnixMilliseconds }
  | { readonly kind: "not this camera's heartbeat"; readonly reason: string }

export interface TailView {
  readonly alerts: readonly TailAlert[]
  /** No proof of anything: no new heartbeat for a while. Since when, by the owner's looks; "ever": there is none. */
  readonly silentSince: UnixMilliseconds | "ever" | null
  /** To be remembered until the next look. */
  readonly seen: Seen
}

/** A camera says something every half minute; this long without is worth a word. */
const SILENT_AFTER: Milliseconds = minutes(10)

/** `envelope`: the heartbeat that the cloud shows as the newest, null where it shows none. */
export function readTail(
  chain: Pick<ChainView, "links" | "newest">,
  envelope: Uint8Array | null,
  camera: PublicKey,
  before: Seen,
  now: UnixMilliseconds,
): TailView {
  const { beat, alerts } = readBeat(envelope, camera)
  const known = beat === null ? null : knownAs(beat, before)
  if (known) alerts.push(...known)

  const announced = farther(before.announced, beat && { newest: beat.newest, head: beat.head, at: now })
  if (announced && announced.newest > chain.newest)
    alerts.push({ kind: "withheld", entries: announced.newest - chain.newest, after: chain.newest })
  const ends = chain.links.filter(({ to }) => to === announced?.newest)
  if (announced && ends.length > 0 && !ends.some(({ hash }) => hash === announced.head))
    alerts.push({ kind: "another head", sequence: announced.newest })

  const { shown } = before
  if (shown && chain.newest < shown.newest)
    alerts.push({ kind: "shows less", newest: chain.newest, before: shown.newest, at: shown.at })
  else if (shown && !chain.links.some(({ hash }) => hash === shown.head))
    alerts.push({ kind: "shows another", sequence: shown.newest, at: shown.at })

  const beats = beat && known === null ? withNew(beat, before, now) : before
  const newest = beats.beat
  return {
    alerts,
    silentSince: newest === null ? "ever" : now - newest.at >= SILENT_AFTER ? newest.at : null,
    seen: { shown: farther(shown, headOf(chain, now)), announced, beat: newest, earlier: beats.earlier },
  }
}

/** null: a heartbeat that is new, a sign of life; otherwise what is to be said of one that is not. */
function knownAs(beat: Heartbeat, { beat: newest, earlier }: Seen): readonly TailAlert[] | null {
  if (newest === null) return null
  if (beat.boot === newest.boot) {
    if (beat.number > newest.number) return null
    return beat.number < newest.number ? [{ kind: "older heartbeat", at: newest.at }] : []
  }
  const replayed = earlier.find(({ boot }) => boot === beat.boot)
  if (!replayed) return null
  // It goes on where it was: saved up by a cloud, or the word of a second camera with the same key.
  const kind = beat.number > replayed.number ? "two boots" : "replayed heartbeat"
  return [{ kind, at: replayed.at, since: newest.at }]
}

function withNew(
  { boot, number }: Heartbeat,
  { beat: newest, earlier }: Seen,
  at: UnixMilliseconds,
): Pick<Seen, "beat" | "earlier"> {
  const isNewBoot = newest !== null && newest.boot !== boot
  return {
    beat: { boot, number, at },
    earlier: isNewBoot ? [...earlier, newest].slice(-BOOTS_MAX) : earlier,
  }
}

function readBeat(
  envelope: Uint8Array | null,
  camera: PublicKey,
): { beat: Heartbeat | null; alerts: TailAlert[] } {
  if (envelope === null) return { beat: null, alerts: [] }
  try {
    const beat = verify("heartbeat", envelope, camera, heartbeatShape)
    if (beat.device === camera.id) return { beat, alerts: [] }
    return { beat: null, alerts: [{ kind: "not this camera's heartbeat", reason: "for another device" }] }
  } catch (error) {
    if (!isFault(error)) throw error
    return { beat: null, alerts: [{ kind: "not this camera's heartbeat", reason: error.message }] }
  }
}

type Head = z.infer<typeof headShape>

function headOf({ links, newest }: Pick<ChainView, "links" | "newest">, at: UnixMilliseconds): Head | null {
  const last = links.findLast(({ to }) => to === newest)
  return last ? { newest, head: last.hash, at } : null
}

/** Of the same head the later look. */
function farther(before: Head | null, now: Head | null): Head | null {
  if (now === null || now.newest < 0) return before
  if (before === null || now.newest > before.newest) return now
  return now.newest === before.newest && now.head === before.head ? now : before
}

/** One line for a person. */
export function describeTail(alert: TailAlert): string {
  switch (alert.kind) {
    case "withheld":
      return `withheld: ${alert.entries} entries after sequence ${alert.after}: the camera has announced them, and the cloud does not show them (or they are still on the camera)`
    case "another head":
      return `withheld: the manifest that the camera announced at sequence ${alert.sequence}: the cloud shows another one`
    case "shows less":
      return `rolled back: the cloud shows less than it did on ${dateOf(alert.at)}: up to sequence ${alert.newest}, then up to ${alert.before}`
    case "shows another":
      return `rolled back: the manifest at sequence ${alert.sequence} that the cloud showed on ${dateOf(alert.at)} is gone`
    case "older heartbeat":
      return `rolled back: the heartbeat that the cloud shows is older than the one of ${dateOf(alert.at)}`
    case "replayed heartbeat":
      return `replayed: the heartbeat that the cloud shows is of a boot that you saw on ${dateOf(alert.at)}; the camera has started anew since, as you saw on ${dateOf(alert.since)}`
    case "two boots":
      return `two cameras: a boot that you saw on ${dateOf(alert.at)} goes on, and another began on ${dateOf(alert.since)}: one device id in two places`
    case "not this camera's heartbeat":
      return `heartbeat: ${alert.reason}`
  }
}

/** null: there is nothing to say. */
export function describeSilence(since: TailView["silentSince"]): string | null {
  if (since === null) return null
  const consequence = "the camera is offline, or the cloud withholds what it says"
  if (since === "ever") return `no heartbeat at all: ${consequence}`
  return `no new heartbeat since you looked on ${dateOf(since)}: ${consequence}`
}

const dateOf = (at: UnixMilliseconds): string => new Date(at).toISOString()
