import { theme } from "../check.ts"

export const BROKER = theme({
  rule: "Broker",
  checks: {
    "own-topics":
      "of every role, topic and mailbox: whoever is not its own says nothing there and hears nothing",
    "literal-filters": "no wildcard is granted to anybody",
    "nothing-retained": "nothing is retained, no quality 2, and nothing longer than a payload may be",
    "empty-wills": "a will is the camera's own, empty, and not retained, or there is no connection",
    "no-takeover": "a bad password with a victim's client id never disconnects the victim",
    "viewers-by-grant": "a camera is asked by those alone who show its owner's grant, made out to them",
    "broker-pinned":
      "a camera talks to the broker whose key was pinned, whatever its certificate says, and to no other",
    "bounded-packets": "a packet that announces more than any message may have is cut before it is gathered",
  },
  load: () => import("./checks.ts"),
})
