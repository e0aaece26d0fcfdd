import { theme } from "../check.ts"

export const RECIPIENTS = theme({
  rule: "Recipients",
  checks: {
    "owner-alone": "recipients count by the signature of the owner pinned at pairing, and for this camera",
    "epoch-rises": "the epoch only rises, also over restarts: an old statement is refused",
    "durable-before-it-counts": "a change of recipients that could not be kept does not count",
    "seals-for-newest": "after a change nothing more is sealed for the old key",
    "public-keys-alone": "only one public age recipient is taken: no secret key, no two, none of low order",
    "removal-confirmed": "a removal is confirmed by the camera's own heartbeat alone",
    "late-is-flagged": "what was sealed for a removed member's key, and not yet sent, is told",
    "rotation-is-fresh":
      "a rotated key follows from nothing, and is signed above every epoch a camera has named",
    "strangers-told": "keys, owners and viewers that this owner never signed for are told",
  },
  load: () => import("./checks.ts"),
})
