import { theme } from "../check.ts"

export const SEALING = theme({
  rule: "Clip and segment",
  checks: {
    "stock-age": "every object opens with stock age, and its segments joined are one film that plays",
    "owner-only": "each object has one stanza, and opens for the owner's household key and for nobody else",
    "fresh-file-key": "no file key, header or nonce is ever used twice",
    "held-until-verdict":
      "nothing of a clip is in the chain before its verdict, and a discarded clip leaves no gap",
    "discarded-from-its-end": "a power cut amid a discard leaves a clip that was cut, never one with a hole",
    "power-cut": "the boot after a power cut lists what was held, and signs where the clip was cut",
    "one-size": "segments, thumbnail and summary have one size, whatever moved",
  },
  load: () => import("./checks.ts"),
})
