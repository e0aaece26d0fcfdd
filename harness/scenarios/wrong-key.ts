import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "strangers under the cameras' names: some with another key, some with a stolen one",
  fleet: { cameras: 100 },
  seconds: 60,
  arrivals: { kind: "steady", perCameraHour: 120 },
  faults: [
    { kind: "wrong-key", at: 10, share: 1 },
    { kind: "wrong-key", at: 30, share: 0.5 },
    { kind: "duplicate-client", at: 20, share: 0.3 },
  ],
  final: { within: 90 },
  thresholds: { strangers_let_in: "count==0", recovery: "value<60" },
} satisfies ScenarioInput
