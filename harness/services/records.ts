import type { LogOfAccesses } from "../cloud/log/access-log.ts"
import { type Access, recordAccess } from "../cloud/log/record-access.ts"

/**
 * Tells the access log; awaited before anything is done, and nothing is done if it rejects. What has no camera's mailbox
 * to lie in has one of its own: that of a support code, or of the key that signed a consent or a post. The owner knows
 * those, and nothing in the log joins them with a camera.
 */
export type Recording = (access: Access) => Promise<void>

/** `log`: the log that this process has open, or its folder beside a cloud that runs. */
export const recordingTo =
  (log: LogOfAccesses | string): Recording =>
  (access) =>
    recordAccess(log, access)

/** A refused request's record. `said`: what was given as its reason, where it can stand in a record. */
export function refusedRecord(
  request: "support" | "labelling",
  { device, key, said, refusal }: RefusedParts,
): Access {
  const by = { role: request, key } as const
  const isOneLine = said.trim() !== "" && said.length <= 200 && !/\p{C}/u.test(said)
  const reason = isOneLine ? said : "none that could be recorded"
  return { kind: "request refused", device, by, reason, request, refusal, times: 1 }
}

interface RefusedParts {
  /** Whose mailbox. */
  readonly device: string
  readonly key: string | null
  readonly said: string
  readonly refusal: string
}
