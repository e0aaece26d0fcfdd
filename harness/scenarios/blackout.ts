import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "nobody has a network for half a minute; recording goes on, and all of it arrives later",
  fleet: { cameras: 200 },
  seconds: 75,
  arrivals: { kind: "steady", perCameraHour: 120 },
  faults: [{ kind: "partition", at: 15, for: 30 }],
  final: { within: 120 },
  thresholds: { recovery: "value<90", objects_dropped: "count==0" },
} satisfies ScenarioInput
