import type { ScenarioInput } from "../scenario/scenario.ts"

/** In virtual time: `obscura fleet --virtual --scenario windy-night`. Without a model: `--set fleet.eyes=motion`. */
export default {
  description: "a windy night: two yards in which nobody is, one with a prowler, one with a cat",
  fleet: {
    cameras: 8,
    scenes: ["windy-night", "night-infrared-person", "windy-night", "night-cat"],
    eyes: "truth",
    errors: { missed: 0.1, invented: 0.02 },
  },
  seconds: 8 * 3_600,
  arrivals: { kind: "footage", share: 0.1 },
  thresholds: { visitors_hit: "rate>=0.95", false_alarms: "value<0.1" },
} satisfies ScenarioInput
