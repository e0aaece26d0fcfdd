import { theme } from "../check.ts"

export const ACCESS_LOG = theme({
  rule: "Access log",
  checks: {
    "fork-and-rollback-found": "a log that forks, or goes back, is found by whoever looked before",
    "record-changed-found": "a record that is removed, changed, moved or shown twice is found by its owner",
    "pinned-log-key": "no checkpoint counts but that of the log key pinned at pairing",
    "forced-traces": "what is forced to leave a trace and has none, or two, is told",
    "session-logged-before-taken":
      "no manifest that tells of a live session is taken in before its record is durable",
    "append-is-durable": "an entry counts when it is synced, and not before",
    "split-view-found": "owners who compare checkpoints find a cloud that shows each a log of their own",
    "witness-signs-no-fork": "a witness signs nothing but the continuation of what it signed last",
    "says-nothing-in-public": "the public tree tells nobody whom, what or when it is about",
    "reason-wanted": "no record without a reason",
  },
  load: () => import("./checks.ts"),
})
