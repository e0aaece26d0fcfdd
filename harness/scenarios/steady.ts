import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "an ordinary hour squeezed into a minute: somebody comes by evenly",
  fleet: { cameras: 200 },
  seconds: 60,
  arrivals: { kind: "steady", perCameraHour: 120 },
  thresholds: {
    receipt_latency: ["p(95)<1000", "p(99)<3000"],
    alert_latency: "p(95)<6000",
    cameras_up: "rate>0.9",
    generator_lag: "p(99)<200",
  },
} satisfies ScenarioInput
