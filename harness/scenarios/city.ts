import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "ten thousand cameras with heartbeats, one in twenty recording at 1 Mbit/s",
  fleet: {
    cameras: 10_000,
    pairing: "beforehand",
    bitsPerSecond: 1_000_000,
    recording: 0.05,
    startWithin: 30,
    heartbeatEvery: 30,
  },
  seconds: 120,
  arrivals: { kind: "steady", perCameraHour: 180, stay: { min: 5, max: 8 } },
  final: { within: 120 },
  thresholds: { clips_lost: "count==0", receipt_latency: "p(95)<2000", recovery: "value<60" },
} satisfies ScenarioInput
