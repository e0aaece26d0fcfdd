import { theme } from "../check.ts"

export const PRIVACY_MODE = theme({
  rule: "Privacy mode",
  checks: {
    "camera-rests":
      "by the owner's signature, from anywhere: no lens, no clip, no view, no word of motion or bell",
    "rest-outlives-power":
      "privacy mode outlives restarts and power cuts, and counts only once it is durable",
    "left-at-the-camera":
      "it is left by a press at the camera and the owner's fresh signature together, by nothing else",
  },
  load: () => import("./checks.ts"),
})
