import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "lenses that stall, die and come back, and encoders whose bytes arrive in crumbs",
  fleet: { cameras: 100 },
  seconds: 60,
  arrivals: { kind: "steady", perCameraHour: 180 },
  faults: [
    { kind: "lens-splits", at: 5, for: 20, share: 0.4 },
    { kind: "lens-stall", at: 15, for: 5, share: 0.3 },
    { kind: "lens-dies", at: 30, for: 8, share: 0.3 },
  ],
  thresholds: { receipt_latency: "p(95)<2000" },
} satisfies ScenarioInput
