import type { Incident } from "./incident.ts"

export const ring2018Revoke: Incident = {
  name: "ring-2018-revoke",
  title: "Removed, and still watching",
  year: "2018",
  happened: ["Somebody who had been removed from a household's cameras went on seeing them for hours."],
  source: "Ring, 2018; no publication is at hand",
  wrong: "Removing somebody changed a list; what they already had went on working.",
  scenario:
    "A guest watches live while the owner takes the grant back. A former member keeps yesterday's household key, and a clip is recorded after the removal. Before it both could see: that is tried first.",
  checks: ["C8"],
  mistakes: ["ring-2018-revoke"],
}
