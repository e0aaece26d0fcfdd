import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "from quiet to busy: visits grow from none to two hundred an hour and camera",
  fleet: { cameras: 300, startWithin: 20 },
  seconds: 90,
  arrivals: { kind: "ramp", perCameraHour: 200 },
  thresholds: { receipt_latency: "p(95)<2000", generator_lag: "p(99)<300" },
} satisfies ScenarioInput
