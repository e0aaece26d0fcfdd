import type { Incident } from "./incident.ts"

export const wyze2024: Incident = {
  name: "wyze-2024",
  title: "Mixed up as everything came back",
  year: "2024",
  happened: [
    "After an outage all cameras came back at once. Under that load a cache took identities for one another.",
    "13,000 people were shown pictures of homes that were not theirs.",
  ],
  source: "Wyze's message to its customers, February 2024",
  wrong:
    "Everybody returned together, and a cache between an identity and what belongs to it could be wrong without anything noticing.",
  scenario:
    "A broker ends under 42 links and comes back: they must return spread out, each to its own, and what two homes recorded meanwhile must arrive once and open for one household. With sessions and caches swapped meanwhile, the wrong owners try to open and to command.",
  checks: ["C18", "C19"],
  mistakes: ["wyze-2024", "wyze-2024-cache", "all-come-at-once"],
}
