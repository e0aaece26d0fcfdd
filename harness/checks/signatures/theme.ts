import { theme } from "../check.ts"

export const SIGNATURES = theme({
  rule: "Signatures",
  checks: {
    "kinds-apart": "of every kind of message against every verifier, the diagonal alone is accepted",
    "signature-holds": "one flipped bit, another key, or a borrowed key id is refused, for every kind",
    "one-spelling":
      "each statement has one spelling: what is doubled, padded or escaped otherwise is refused",
    "verified-first": "nothing of a body is looked at before its signature holds",
    "small-order": "keys of small order, under which anybody's signature holds, are refused",
  },
  load: () => import("./checks.ts"),
})
