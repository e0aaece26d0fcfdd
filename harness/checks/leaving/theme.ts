import { theme } from "../check.ts"

export const LEAVING = theme({
  rule: "Leaving the household",
  checks: {
    "rewrapped-header":
      "who is given a clip gets a new header before the same payload: one stanza, for them alone",
    "share-recorded-first": "a shared clip is in the household's book before a byte of it is handed out",
    "lent-recorded-first": "a grant for somebody else is in the owner's folder before it is handed out",
    "new-object":
      "whatever leaves is a new object: other id, key, padding and hashes, and nothing the camera wrote beside",
  },
  load: () => import("./checks.ts"),
})
