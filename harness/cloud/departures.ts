import { z } from "zod"
import { fromJson, toJson } from "../../firmware/control/json.ts"
import { deviceId, objectId, sha256 } from "../../firmware/control/protocol.ts"
import { type Bytes, MiB } from "../../firmware/units.ts"
import { RangeSet } from "./range-set.ts"
import { Recent } from "./recent.ts"

/** This cloud's own. */
const RULES = ["retention", "quota"] as const
const CAUSES = ["deleted", ...RULES] as const

/**
 * Why objects left, for good. It is durable before the first byte goes, so that a crash in between is finished by the next
 * opening, and it stays: a camera that sends again what has left is told that nothing of it is wanted.
 */
export const departureShape = z.strictObject({
  device: deviceId,
  /** "deleted": the owner signed for it. The others are this cloud's rules, the same for every mailbox. */
  cause: z.enum(CAUSES),
  /** Unix milliseconds, by the cloud's clock. */
  at: z.int().min(0),
  /** SHA-256 of the owner's signed request; null: nobody asked. */
  request: sha256.nullable(),
  /** Everything that was here and is to go. Of what the owner deleted, it must not come back under its id either. */
  objects: z.array(objectId),
  /** What comes of these later goes as well. */
  clips: z.array(objectId),
  /** Of what left by a rule, where it stands in the camera's chain, both ends included: few ranges, however many ids. */
  ranges: z.array(z.strictObject({ from: z.int().min(0), to: z.int().min(0) })),
})
export type Departure = z.infer<typeof departureShape>
export type DepartureCause = Departure["cause"]

/** A mailbox of a million objects, deleted at once. */
export const DEPARTURE_BYTES_MAX: Bytes = 64 * MiB

/** What is asked to leave. */
export interface RemovalOrder {
  readonly device: string
  readonly cause: DepartureCause
  readonly request: string | null
  readonly select: Selection
}
export type Selection =
  | { readonly everything: true }
  | { readonly clips: readonly string[] }
  | { readonly objects: readonly string[] }

/** One object as a camera's chain names it. */
export interface Listed {
  readonly id: string
  readonly clip: string
  readonly sequence: number
}

export const encodeDeparture = (departure: Departure): Uint8Array => toJson(departure)
/** @throws Fault "malformed", definite. */
export const decodeDeparture = (bytes: Uint8Array): Departure =>
  fromJson(bytes, departureShape, "departure", DEPARTURE_BYTES_MAX)

/** Answers to the latest requests, for an owner who did not hear the first one. */
const REQUESTS_MAX = 4_096

/** All departures of a bucket, for asking. */
export class Departures {
  readonly #mailboxes = new Map<string, Departed>()
  readonly #requests = new Recent<Departure>(REQUESTS_MAX)

  add(departure: Departure): void {
    const { device, cause, objects, clips, ranges, request } = departure
    const departed = this.#mailboxes.get(device) ?? new Departed()
    this.#mailboxes.set(device, departed)
    if (cause === "deleted") {
      for (const id of objects) departed.objects.add(id)
      for (const clip of clips) departed.clips.add(clip)
    } else for (const range of ranges) departed.ranges[cause].add(range)
    if (request !== null) this.#requests.set(request, departure)
  }

  /** Its owner deleted it, or the clip that it is of: it must never be written again. */
  bars(device: string, { id, clip }: Pick<Listed, "id" | "clip">): boolean {
    const departed = this.#mailboxes.get(device)
    return departed !== undefined && (departed.objects.has(id) || departed.clips.has(clip))
  }

  /** null: it has not left. */
  causeOf(device: string, listed: Listed): DepartureCause | null {
    const departed = this.#mailboxes.get(device)
    if (departed === undefined) return null
    if (this.bars(device, listed)) return "deleted"
    return RULES.find((rule) => departed.ranges[rule].has(listed.sequence)) ?? null
  }

  /** null: no such request was carried out, or long ago. */
  byRequest(request: string): Departure | null {
    return this.#requests.get(request)
  }

  /** Where in the camera's chain is what left for `cause`. */
  rangesOf(device: string, cause: Exclude<DepartureCause, "deleted">): Departure["ranges"] {
    return [...(this.#mailboxes.get(device)?.ranges[cause].all ?? [])]
  }
}

/** What has left one mailbox. Sequences merge into few ranges, where ids would take memory for ever. */
class Departed {
  readonly objects = new Set<string>()
  readonly clips = new Set<string>()
  readonly ranges = { retention: new RangeSet(), quota: new RangeSet() }
}
