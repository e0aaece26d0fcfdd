import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "a parade: for ten seconds ten times as many come by",
  fleet: { cameras: 300 },
  seconds: 60,
  arrivals: { kind: "spike", perCameraHour: 40, at: 25, for: 10, times: 10 },
  thresholds: { receipt_latency: "p(95)<3000", recovery: "value<30" },
} satisfies ScenarioInput
