import { theme } from "../check.ts"

export const NO_SEAM = theme({
  rule: "No seam for plain",
  checks: {
    "sealed-on-the-wire":
      "whatever a configuration says, wire, disk and log show no picture, and objects are age files",
    "no-plain-option": "a configuration has no word that would turn sealing off: an unknown one is an error",
    "ships-alone":
      "what ships to a Pi is firmware, hardware and named packages, and refuses to hold anything else",
  },
  load: () => import("./checks.ts"),
})
