import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { Wire } from "../../wire.ts"
import { type Check, type Finding, fail, pass, skipped } from "../check.ts"

const PRESS_WITHIN: Milliseconds = seconds(15)
const LET_GO_WITHIN: Milliseconds = seconds(15)

/** Up, down and up again. */
export const button: Check = {
  name: "button",
  mandatory: false,
  async run({ world, operator, signal }): Promise<Finding> {
    const pin = world.config.pins.bell
    const wire = await Wire.on(world.pins(), pin, world.clock)
    try {
      if (wire.level === 1)
        return fail(
          `GPIO ${pin} is high before anybody pressed: the button is stuck, or its wire is at 3.3 V`,
        )
      if (!operator) return skipped(`nobody presses it (--no-operator); GPIO ${pin} is low, as it should be`)
      operator.tell(`Press the button within ${PRESS_WITHIN / 1_000} s, and let it go.`)
      const begunAt = world.clock.monotonic()
      if (!(await wire.becomes(1, PRESS_WITHIN, signal)))
        return fail(
          `no press within ${PRESS_WITHIN / 1_000} s: check the wires from 3.3 V by the button to GPIO ${pin}`,
        )
      const pressedAfter = world.clock.monotonic() - begunAt
      if (!(await wire.becomes(0, LET_GO_WITHIN, signal)))
        return fail(`pressed, and not let go within ${LET_GO_WITHIN / 1_000} s: the button sticks`)
      return pass("pressed and let go", { pressedAfterMilliseconds: Math.round(pressedAfter) })
    } finally {
      wire.close()
    }
  },
}
