import { z } from "zod"
import { deviceId, objectId, sha256 } from "./protocol.ts"

/**
 * "delete", from an owner to the cloud: what shall leave for good. The cloud knows an owner by the camera's heartbeat,
 * which names the id of `key`.
 *
 * "deleted", from the cloud to that owner: signed with the receipt key that was pinned at pairing. It is a claim. Nobody
 * can prove that they have kept no copy; but whoever signs for it and is found with one has lied in writing.
 */

/** Of clips or objects, in one request: what an envelope has room for. */
export const DELETE_IDS_MAX = 1_000

const ids = z.array(objectId).min(1).max(DELETE_IDS_MAX)

export const deleteShape = z.strictObject({
  device: deviceId,
  /** The owner's public key for this camera. */
  key: sha256,
  /** Random: the same wish on another day is another request. */
  nonce: objectId,
  what: z.union([
    z.strictObject({ everything: z.literal(true) }),
    z.strictObject({ clips: ids }),
    z.strictObject({ objects: ids }),
  ]),
})
export type Delete = z.infer<typeof deleteShape>

export const deletedShape = z.strictObject({
  device: deviceId,
  /** SHA-256 of the request's envelope bytes. */
  request: sha256,
  /** Unix milliseconds by the cloud's clock: when they left. */
  at: z.int().min(0),
  /** How many objects, and SHA-256 of their ids, in rising order, joined by line feeds: there may be more than fit. */
  objects: z.int().min(0),
  digest: sha256,
  basis: z.literal("claim"),
})
export type Deleted = z.infer<typeof deletedShape>
