import { FAULT_KINDS } from "./faults-shape.ts"

/** What `obscura scenarios new` writes: a scenario that runs as it is, and says what else there is. */
export function template(): string {
  return `// Run it:      obscura fleet --scenario ./this-file.ts
// Override:    obscura fleet --scenario ./this-file.ts --set fleet.cameras=1000 --set faults[0].at=5
// Seconds count from the first camera's start. Everything but description may be left out.

export default {
  description: "one line for whoever reads the report",

  fleet: {
    cameras: 50,
    // scene: "/path/to/film.mp4",     a film of yours instead of the project's scenes
    // motion: "3s,12s-20s",           when somebody moves in that film
    // bitsPerSecond: 1_000_000,       shown faster or slower until it comes to this
    // recording: 0.05,                before which part of the cameras anything ever happens
    // startWithin: 10,                seconds within which all have been started
    // heartbeatEvery: 30,             seconds
    // spoolBytesMax: 50_000_000,      what a camera may keep
  },

  // How long things happen.
  seconds: 30,

  // Who comes by: footage, or by rate: steady, ramp, spike (at, for, times), evening-peak, poisson.
  arrivals: { kind: "steady", perCameraHour: 240, stay: { min: 2, max: 6 } },

  // ${FAULT_KINDS.join(", ")
    .replace(/(.{60,100}?) /g, "$1\n  // ")
    .trimEnd()}
  faults: [
    { kind: "link", at: 5, for: 10, share: 0.5, latencyMs: 100, loss: 0.01 },
    { kind: "broker-restart", at: 18, for: 2 },
  ],

  // Then all faults stop, nobody comes any more, and this many seconds remain to deliver everything.
  final: { within: 60 },

  // An invariant's limit is 0. To allow some:
  // limits: { "complaints of cameras": 3 },

  // As in k6, over the metrics that "obscura scenarios --metrics" lists.
  thresholds: {
    receipt_latency: ["p(95)<10000"],
    recovery: "value<30",
  },
}
`
}
