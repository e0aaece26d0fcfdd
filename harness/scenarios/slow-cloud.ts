import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "the cloud's disk is slow, then fails, then is full, then well again",
  fleet: { cameras: 150 },
  seconds: 75,
  arrivals: { kind: "steady", perCameraHour: 120 },
  faults: [
    { kind: "cloud-slow", at: 10, for: 15, latencyMs: 400 },
    { kind: "cloud-failing", at: 30, for: 10, likely: 0.5 },
    { kind: "cloud-full", at: 45, for: 10 },
  ],
  final: { within: 120 },
  thresholds: { recovery: "value<90", objects_dropped: "count==0" },
} satisfies ScenarioInput
