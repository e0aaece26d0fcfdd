import type { Milliseconds } from "../../firmware/units.ts"

/**
 * Timers of the cameras' processes that come later than this say that the machine is too small for the run, and that
 * its latencies say little of the cloud.
 */
export const LAG_MAX: Milliseconds = 100
