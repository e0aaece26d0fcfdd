import { theme } from "../check.ts"

export const IDENTITY = theme({
  rule: "Identity and pairing",
  checks: {
    "password-bound": "a password is good for one key, one role, one broker and one connection",
    "name-is-key": "a camera's mailbox is the hash of its own key, and no other key speaks for it",
    "transcript-authenticated":
      "both sides of a pairing authenticate all of it: a broker that changes a byte ends it",
    "setup-text-dies":
      "a setup text is good once: dead after success, five failures, fifteen minutes, and a restart",
    "reset-is-complete":
      "a reset gives a new key, no owner and an empty spool, wherever the power goes meanwhile",
    "new-owner-empty":
      "a new owner starts empty: none of the old clips, and the old owner commands and opens no more",
    "owner-per-camera": "to the cloud an owner is another key for each camera",
    "root-wrapped": "the passphrase file shows nothing of the root without passphrase and second factor",
    "restored-from-root":
      "a lost phone's household comes back from root and cloud: its own cameras, and no other's",
  },
  load: () => import("./checks.ts"),
})
