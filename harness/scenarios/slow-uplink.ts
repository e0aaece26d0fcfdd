import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "every uplink has 256 kbit/s, 80 ms and one packet in a hundred lost",
  fleet: { cameras: 50, bitsPerSecond: 500_000 },
  seconds: 90,
  arrivals: { kind: "steady", perCameraHour: 30, stay: { min: 1, max: 3 } },
  faults: [{ kind: "link", at: 0, for: 90, latencyMs: 80, jitterMs: 40, loss: 0.01, bytesPerSecond: 32_000 }],
  final: { within: 180 },
  thresholds: { recovery: "value<120", objects_dropped: "count==0" },
} satisfies ScenarioInput
