import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "a day in two minutes: quiet at night, most visits around six in the evening",
  fleet: { cameras: 300 },
  seconds: 120,
  arrivals: { kind: "evening-peak", perCameraHour: 80 },
  thresholds: { receipt_latency: "p(95)<2000", alert_latency: "p(95)<8000" },
} satisfies ScenarioInput
