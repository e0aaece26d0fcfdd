import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "the power goes at any moment, again and again; what was safe must arrive",
  fleet: { cameras: 100 },
  seconds: 75,
  arrivals: { kind: "steady", perCameraHour: 240 },
  faults: [
    { kind: "power-cut", at: 12.3, for: 3, share: 0.4 },
    { kind: "power-cut", at: 25.7, for: 2, share: 0.4 },
    { kind: "power-cut", at: 38.1, for: 5, share: 0.4 },
    { kind: "power-cut", at: 55.9, for: 1, share: 0.4 },
  ],
  final: { within: 90 },
  thresholds: { recovery: "value<60" },
} satisfies ScenarioInput
