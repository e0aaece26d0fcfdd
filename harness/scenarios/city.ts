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
  // On two cores the generator lags by half a second, and a pre-roll is what had arrived until then.
  limits: { "clips that miss their motion": 30 },
  // Many record before they could connect: ten thousand connections take half a minute and more.
  thresholds: { clips_lost: "count==0", receipt_latency: "p(50)<5000", recovery: "value<60" },
} satisfies ScenarioInput
