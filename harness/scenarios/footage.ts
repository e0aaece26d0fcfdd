import type { ScenarioInput } from "../scenario/scenario.ts"

/** What `obscura fleet` runs when no scenario is named. */
export default {
  description: "what moves in the footage is what the sensors feel; cameras judge for themselves (default)",
} satisfies ScenarioInput
