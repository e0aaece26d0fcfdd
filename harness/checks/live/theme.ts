import { theme } from "../check.ts"

export const LIVE = theme({
  rule: "Grants and live view",
  checks: {
    "only-by-grant":
      "a grant of the wrong hand, camera, boot, age, receiver or content is refused with its reason",
    "grant-ends": "an ask is good once, and a grant for its seconds from its heartbeat on, at most 600",
    "reboot-ends-grants": "a reboot ends every grant",
    "no-wall-clock": "no clock on any wall decides: 1970, 2099, and one that jumps between them",
    "renewal-needed":
      "a viewer without the owner's renewals sees nothing 30 s after the last one's heartbeat",
    "revoked-in-two-seconds": "a grant that was taken back ends the look within 2 s, and begins no other",
    "light-and-chain-first":
      "the light burns and the chain says so, durably, before a picture leaves; and at its end",
    "reasons-are-fresh": "a reason that was given for one grant is not good for another",
    "keys-are-fresh": "two answers have neither key nor session in common, and one grant is one look",
    "pictures-authentic": "a picture that a cloud changes, repeats, leaves out or turns round is never shown",
  },
  load: () => import("./checks.ts"),
})
