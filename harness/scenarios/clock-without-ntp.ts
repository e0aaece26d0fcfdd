import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "cameras that do not know what time it is, and clocks that jump by years",
  fleet: { cameras: 100 },
  seconds: 60,
  arrivals: { kind: "steady", perCameraHour: 120 },
  faults: [
    { kind: "no-ntp", at: 0, for: 30, share: 0.5 },
    { kind: "clock-jump", at: 20, share: 0.3, seconds: -1_600_000_000 },
    { kind: "clock-jump", at: 25, share: 0.3, seconds: 86_400 },
  ],
  thresholds: { receipt_latency: "p(95)<1000" },
} satisfies ScenarioInput
