import { componentsOn } from "../../../firmware/pins/components.ts"
import { Shutter } from "../../../firmware/pins/shutter.ts"
import { type Milliseconds, seconds } from "../../../firmware/units.ts"
import { type Check, type Finding, fail, type Jig, pass, skipped } from "../check.ts"
import { seeLuma } from "../luma-seen.ts"
import { lumaMissing } from "./luma-missing.ts"
import { whatIsWrong } from "./picture.ts"

/** How long a servo takes from end to end, generously. */
const MOVES_FOR: Milliseconds = seconds(1)
const ANSWER_WITHIN: Milliseconds = seconds(20)

/**
 * The shutter closes and opens the eye: seen by the camera itself where it gives uncompressed pictures, by the operator
 * elsewhere. Open afterwards, for who runs the self-test closes it at the end.
 */
export const shutter: Check = {
  name: "shutter",
  mandatory: false,
  within: seconds(120),
  async run(jig): Promise<Finding> {
    const part = await shutterOf(jig)
    if (!part) return skipped("the settings have no pin for one (camera.pins.shutter)")
    const { clock } = jig.world
    const move = async (to: "open" | "close") => {
      await part[to]()
      await clock.sleep(MOVES_FOR, jig.signal)
    }
    const look = eyeOf(jig)
    if (!look) {
      await move("close")
      await move("open")
      return skipped(
        "nobody looks at it (--no-operator), and this camera gives no uncompressed pictures; it was told to move",
      )
    }
    try {
      await move("close")
      const closed = await look("closed")
      await move("open")
      const opened = await look("open")
      if (closed !== true)
        return fail("told to close, it does not cover the lens: check servo, arm and closedDegrees")
      if (opened !== true)
        return fail("told to open, it still covers the lens: check servo, arm and openDegrees")
      return pass("covers the lens and frees it")
    } finally {
      await part.open()
    }
  },
}

/** null: none in the settings. */
export async function shutterOf({ world }: Pick<Jig, "world">): Promise<Shutter | null> {
  const { pins } = world.config
  if (pins.shutter === undefined) return null
  const io = world.pins()
  const { shutter: servo } = await componentsOn(io, pins)
  return servo && new Shutter(servo, io, pins.shutter, world.config.shutter)
}

type Look = (as: "open" | "closed") => Promise<boolean | null>

function eyeOf({ world, operator, signal }: Jig): Look | null {
  if (lumaMissing(world) === null)
    return async (as) => (whatIsWrong(await seeLuma(world, signal)) === null) === (as === "open")
  return operator && ((as) => operator.ask(`Is the shutter ${as}?`, ANSWER_WITHIN, signal))
}
