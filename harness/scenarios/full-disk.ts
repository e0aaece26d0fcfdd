import type { ScenarioInput } from "../scenario/scenario.ts"

export default {
  description: "small spools, no network for a while, then disks without room: what goes, goes with a record",
  fleet: { cameras: 100, spoolBytesMax: 6_000_000 },
  seconds: 75,
  arrivals: { kind: "steady", perCameraHour: 240 },
  faults: [
    { kind: "partition", at: 10, for: 30, share: 0.5 },
    { kind: "disk-full", at: 45, for: 10, share: 0.3 },
  ],
  final: { within: 90 },
  thresholds: { recovery: "value<60" },
} satisfies ScenarioInput
