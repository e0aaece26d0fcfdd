import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "the broker is killed and is back five seconds later: everyone wants in at once",
  fleet: { cameras: 300 },
  seconds: 60,
  arrivals: { kind: "steady", perCameraHour: 120 },
  faults: [{ kind: "broker-kill", at: 15, for: 5 }],
  final: { within: 90 },
  thresholds: { backoff: "p(50)>500", recovery: "value<60", connect_latency: "p(95)<30000" },
} satisfies ScenarioInput
