import { theme } from "../check.ts"

export const TUNING = theme({
  rule: "Tuning",
  checks: {
    "tuned-by-owner": "only the owner's signature tunes a camera, and only the one that it is meant for",
    "tuned-forwards": "an older tuning never replaces a newer one, and what was told outlives a restart",
    "tuned-within-bounds": "no tuning makes a camera blind, or have it keep everything",
  },
  load: () => import("./checks.ts"),
})
