import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "ten minutes of visits at random times; memory must stay flat, nothing may leak",
  fleet: { cameras: 200 },
  seconds: 600,
  arrivals: { kind: "poisson", perCameraHour: 30 },
  thresholds: { memory_broker: "value<400", memory_cameras: "value<600", receipt_latency: "p(99)<2000" },
} satisfies ScenarioInput
