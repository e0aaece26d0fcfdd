import { theme } from "../check.ts"

export const UPLOAD = theme({
  rule: "Upload and receipt",
  checks: {
    "puback-not-trusted":
      "what a broker acknowledged and lost is sent again, and leaves the camera only with a receipt",
    "paces-on-held":
      "a camera runs no further ahead than what the cloud says it has, however fast a broker acknowledges",
    "receipt-pinned": "a receipt counts by the key pinned at pairing, and for exactly its manifest",
    "resumes-from-held": "after a cut the camera goes on from what the cloud says it holds",
    "hashes-verified": "the cloud signs for nothing of which header or payload is not what the manifest says",
    "durable-first": "no receipt leaves before all that it is for is durable",
    "evicts-received": "when space is wanted, what the cloud has signed for leaves first",
    "resend-by-owner":
      "an owner-signed resend fetches again what a cloud lost: once a nonce, and for nobody else",
    "receipts-kept": "by the receipts that an owner keeps, what a cloud signed for and shows no more is told",
  },
  load: () => import("./checks.ts"),
})
