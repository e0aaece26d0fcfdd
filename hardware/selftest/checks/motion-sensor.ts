import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { Wire } from "../../wire.ts"
import { type Check, type Finding, fail, type Jig, pass, skipped } from "../check.ts"

const STILL_WITHIN: Milliseconds = seconds(30)
/** Low for so long: a wire that is not connected rises by itself. Also how long an HC-SR501 is blind after a motion. */
const STILL_FOR: Milliseconds = seconds(3)
const MOVE_WITHIN: Milliseconds = seconds(30)

/** Low while nobody moves, high when somebody does. */
export const motionSensor: Check = {
  name: "motion sensor",
  mandatory: false,
  within: seconds(240),
  async run(jig): Promise<Finding> {
    const { world, operator, signal } = jig
    const pin = world.config.pins.motion
    const wire = await Wire.on(world.pins(), pin, world.clock)
    try {
      if (!operator)
        return skipped(
          `nobody moves before it (--no-operator); GPIO ${pin} is ${wire.level === 1 ? "high" : "low"}`,
          {
            level: wire.level,
          },
        )
      await warmUp(jig)
      operator.tell("Stand still, or out of the motion sensor's sight.")
      if (!(await isStill(wire, jig)))
        return fail(
          `GPIO ${pin} does not stay low for ${STILL_FOR / 1_000} s: the sensor is stuck or not connected, or its hold time is longer than ${STILL_WITHIN / 1_000} s (turn its potentiometer)`,
        )
      operator.tell(`Now move before the motion sensor, within ${MOVE_WITHIN / 1_000} s.`)
      const begunAt = world.clock.monotonic()
      if (!(await wire.becomes(1, MOVE_WITHIN, signal)))
        return fail(
          `GPIO ${pin} stays low: check the sensor's 5 V and its wire, and that it was moved before`,
        )
      return pass("low while still, high on motion", {
        seenAfterMilliseconds: Math.round(world.clock.monotonic() - begunAt),
      })
    } finally {
      wire.close()
    }
  },
}

async function warmUp({ world, operator, signal }: Jig): Promise<void> {
  const left = world.config.motion.warmUp - world.uptime()
  if (left <= 0) return
  operator?.tell(`The motion sensor warms up for ${Math.ceil(left / 1_000)} s more.`)
  await world.clock.sleep(left, signal)
}

async function isStill(wire: Wire, { world, signal }: Jig): Promise<boolean> {
  const until = world.clock.monotonic() + STILL_WITHIN
  while (world.clock.monotonic() < until && !signal.aborted) {
    if (!(await wire.becomes(0, until - world.clock.monotonic(), signal))) return false
    if (!(await wire.becomes(1, STILL_FOR, signal))) return !signal.aborted
  }
  return false
}
