import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "guests look live at some of the cameras while all of them record",
  fleet: { cameras: 30 },
  seconds: 30,
  live: { cameras: 5, viewers: 4, at: 5, seconds: 20 },
  thresholds: {
    live_latency: "p(95)<100",
    receipt_latency: "p(95)<1000",
    generator_lag: "p(99)<200",
  },
} satisfies ScenarioInput
