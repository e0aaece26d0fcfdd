import { theme } from "../check.ts"

export const RECOGNITION = theme({
  rule: "Recognition",
  checks: {
    "verdict-in-time":
      "frames or a detector that hang hold a clip for no more than five seconds, and it is kept",
  },
  load: () => import("./checks.ts"),
})
