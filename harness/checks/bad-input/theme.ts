import { theme } from "../check.ts"

export const BAD_INPUT = theme({
  rule: "Bad input",
  checks: {
    "kinds-at-doors":
      "each door of camera, cloud, owner and services takes its own kind of message and no other",
    fuzzed:
      "forged, cut, replayed, oversized and wrongly encoded messages of every kind are refused, and crash nobody",
    "withheld-upload": "what a cloud withholds of an upload is told, and healed once it is let through",
    "withheld-words":
      "what is withheld between owner and camera is told to who waits for it, and healed when it comes",
    "withheld-pairing": "a pairing of which a message is withheld ends in time, and the next one succeeds",
    "withheld-view": "a look of which a message is withheld shows nothing, and ends: the light goes out",
  },
  load: () => import("./checks.ts"),
})
