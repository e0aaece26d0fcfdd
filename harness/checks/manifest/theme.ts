import { theme } from "../check.ts"

export const MANIFEST = theme({
  rule: "Manifest",
  checks: {
    "chain-links":
      "each manifest quotes the hash of the one before, and gives the next sequence, over restarts too",
    "hashes-of-objects":
      "a manifest states size, header hash, payload hash and key commitment of each sealed object",
    "swapped-object": "what a bucket has swapped, cut, or changed by a bit is never opened as the camera's",
    "key-commitment": "an object that opens under a second file key is refused",
    "adopts-own-head": "a camera takes over a newer manifest that bears its own signature, and no other",
    "gap-accepted": "the cloud never refuses a gap",
    "fork-kept":
      "of two manifests with one sequence the cloud keeps both and alerts, and so does the owner's vault",
    "drop-said": "what a full spool drops is said in the chain, before the cloud is asked to wait for it",
    fates: "the vault says of each object whether it is here, dropped, lost by the cloud, or not heard of",
    "tail-withheld": "entries that a heartbeat names and the cloud does not show are told",
    "beats-signed":
      "a heartbeat that is forged, altered or older than the last is not believed, by cloud or owner",
  },
  load: () => import("./checks.ts"),
})
