import type { Clock } from "../../../firmware/ports.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { type Check, type Finding, judged } from "../check.ts"

const READINGS = 1_000
const SLEPT: Milliseconds = seconds(0.25)
/** A busy board wakes late, but not by so much. */
const SLEPT_MAX: Milliseconds = seconds(5)
const UNCERTAINTY_MAX: Milliseconds = seconds(2)

/** Monotonic time never falls and goes on; real time has been heard from NTP. */
export const clock: Check = {
  name: "clock",
  mandatory: false,
  async run({ world, signal }): Promise<Finding> {
    const falls = fallsOf(world.clock)
    const begunAt = world.clock.monotonic()
    await world.clock.sleep(SLEPT, signal)
    const slept = world.clock.monotonic() - begunAt
    const { uncertainty } = world.clock.real()
    const known = Number.isFinite(uncertainty)
    return judged(
      [
        falls > 0 ? `monotonic time fell ${falls} times in ${READINGS} readings` : null,
        slept < SLEPT - 1 || slept > SLEPT_MAX
          ? `a sleep of ${SLEPT} ms took ${Math.round(slept)} ms of monotonic time`
          : null,
        !known ? "no answer of NTP since the boot: check the network (UDP port 123) and `timedatectl`" : null,
        known && uncertainty > UNCERTAINTY_MAX ? `real time may be wrong by ${uncertainty} ms` : null,
      ],
      `NTP has answered: right to ${uncertainty / 1_000} s`,
      { uncertaintyMilliseconds: known ? uncertainty : null, sleptMilliseconds: Math.round(slept), falls },
      { uncertaintyMillisecondsMax: UNCERTAINTY_MAX, sleptMillisecondsMin: SLEPT, fallsMax: 0 },
    )
  },
}

function fallsOf(clock: Clock): number {
  let falls = 0
  let latest = clock.monotonic()
  for (let reading = 0; reading < READINGS; reading++) {
    const now = clock.monotonic()
    if (now < latest) falls++
    latest = now
  }
  return falls
}
